# What `cmake --install <build> --component development --prefix <dir>` puts there: the libraries of
# the layers, their headers, and the package that find_package(Thalweg) reads.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Thalweg)

install(EXPORT ThalwegTargets NAMESPACE thalweg:: DESTINATION ${package_dir}
  COMPONENT development)
configure_package_config_file(cmake/ThalwegConfig.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/ThalwegConfig.cmake INSTALL_DESTINATION ${package_dir})
# Before 1.0 a minor version may change an interface.
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/ThalwegConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${CMAKE_CURRENT_BINARY_DIR}/ThalwegConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/ThalwegConfigVersion.cmake
  cmake/thalweg_flatbuffers.cmake
  cmake/embed_binary_schema.cmake
  DESTINATION ${package_dir} COMPONENT development)
