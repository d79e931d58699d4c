# Every third-party package the project stands on; all come from Debian 12.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)              # headers: Asio, Beast, JSON, unordered, uuid
find_package(RocksDB REQUIRED)
find_package(flatbuffers CONFIG REQUIRED NAMES Flatbuffers FlatBuffers flatbuffers)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
find_package(CLI11 REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(lz4 REQUIRED IMPORTED_TARGET liblz4)
