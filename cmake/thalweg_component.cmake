# thalweg_component(<name> SOURCES ... HEADERS ... [DEPENDS ...] [PRIVATE_DEPENDS ...])
#
# Declares one layer as the library target thalweg::<name>. HEADERS are its public headers, relative
# to include/thalweg/<name>/; everything else stays private beside its .cc. DEPENDS are the layers
# and libraries whose headers appear in the public ones; PRIVATE_DEPENDS stay inside the .cc files.
# Each public header compiles alone: the target all_verify_interface_header_sets proves it.
function(thalweg_component name)
  cmake_parse_arguments(arg "" "" "SOURCES;HEADERS;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  add_library(thalweg_${name} STATIC ${arg_SOURCES})
  add_library(thalweg::${name} ALIAS thalweg_${name})
  set_target_properties(thalweg_${name} PROPERTIES EXPORT_NAME ${name})
  list(TRANSFORM arg_HEADERS PREPEND include/thalweg/${name}/)
  target_sources(thalweg_${name} PUBLIC FILE_SET HEADERS BASE_DIRS include FILES ${arg_HEADERS})
  target_include_directories(thalweg_${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_compile_features(thalweg_${name} PUBLIC cxx_std_23)
  target_link_libraries(thalweg_${name}
    PUBLIC ${arg_DEPENDS}
    PRIVATE ${arg_PRIVATE_DEPENDS} $<BUILD_INTERFACE:thalweg_options>)
  install(TARGETS thalweg_${name} EXPORT ThalwegTargets COMPONENT development
    FILE_SET HEADERS COMPONENT development)
endfunction()

# thalweg_test(<name> SOURCES ... DEPENDS ... [ENVIRONMENT ...] [TIMEOUT seconds] [LABELS ...])
#
# A GoogleTest program whose cases ctest lists one by one.
function(thalweg_test name)
  cmake_parse_arguments(arg "WHOLE" "TIMEOUT" "SOURCES;DEPENDS;LABELS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_DEPENDS} GTest::gmock_main thalweg_options)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  if(arg_WHOLE)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}")
  else()
    # A program that is read from a cold disk takes more than the five seconds of the default.
    gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
      PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}")
  endif()
endfunction()
