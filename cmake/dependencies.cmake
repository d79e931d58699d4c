# Every third-party package the project stands on; all come from Debian 12.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)              # headers: Asio, Beast, JSON, unordered, uuid
find_package(RocksDB REQUIRED)
find_package(flatbuffers CONFIG REQUIRED NAMES Flatbuffers FlatBuffers flatbuffers)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
find_package(CLI11 REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)             # TLS to the outside, digests
find_package(PkgConfig REQUIRED)
# Not under the name lz4: RocksDB's own search for it would take our variables for its results.
pkg_check_modules(thalweg_lz4 REQUIRED IMPORTED_TARGET liblz4)
if(NOT TARGET PkgConfig::lz4)
  add_library(PkgConfig::lz4 ALIAS PkgConfig::thalweg_lz4)
endif()
# Debian's librdkafka has no CMake package.
pkg_check_modules(thalweg_rdkafka REQUIRED IMPORTED_TARGET rdkafka>=2.0.2)
if(NOT TARGET PkgConfig::rdkafka)
  add_library(PkgConfig::rdkafka ALIAS PkgConfig::thalweg_rdkafka)
endif()
