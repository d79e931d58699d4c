# thalweg_flatbuffers(<target> <file.fbs>...)
#
# Makes the C++ of FlatBuffers schemas: an INTERFACE library <target> whose headers are included as
# "<file>_generated.h". Each holds flatc's classes (object API included) and what Serde needs for
# the tables declared in that file: thalweg::BinarySchema, so that a table has a JSON view by name,
# also when it is not the file's root_type. Files may include each other when they are in one
# folder.
set(THALWEG_FLATBUFFERS_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/embed_binary_schema.cmake)

function(thalweg_flatbuffers target)
  find_program(THALWEG_FLATC flatc REQUIRED)
  set(raw ${CMAKE_CURRENT_BINARY_DIR}/${target}.flatc)
  set(include ${CMAKE_CURRENT_BINARY_DIR}/${target}.include)
  set(schemas)
  foreach(file IN LISTS ARGN)
    get_filename_component(file ${file} ABSOLUTE)
    list(APPEND schemas ${file})
  endforeach()
  set(headers)
  foreach(file IN LISTS schemas)
    get_filename_component(stem ${file} NAME_WE)
    get_filename_component(folder ${file} DIRECTORY)
    set(header ${include}/${stem}_generated.h)
    add_custom_command(
      OUTPUT ${header}
      COMMAND ${CMAKE_COMMAND} -E make_directory ${raw} ${include}
      COMMAND ${THALWEG_FLATC} --cpp --cpp-std c++17 --gen-object-api --gen-compare
              --gen-name-strings --scoped-enums --reflect-names -I ${folder} -o ${raw} ${file}
      COMMAND ${THALWEG_FLATC} --binary --schema --bfbs-comments --bfbs-builtins -I ${folder}
              -o ${raw} ${file}
      COMMAND ${CMAKE_COMMAND} -DRAW=${raw}/${stem} -DHEADER=${header}
              -P ${THALWEG_FLATBUFFERS_SCRIPT}
      DEPENDS ${schemas} ${THALWEG_FLATBUFFERS_SCRIPT}
      COMMENT "Generating ${stem}_generated.h from ${stem}.fbs"
      VERBATIM)
    list(APPEND headers ${header})
  endforeach()
  # A name of its own for the rule, so that targets of several folders may wait for the headers.
  add_custom_target(${target}_headers DEPENDS ${headers})
  add_library(${target} INTERFACE)
  add_dependencies(${target} ${target}_headers)
  # SYSTEM: warnings in generated code help nobody.
  target_include_directories(${target} SYSTEM INTERFACE ${include})
  target_link_libraries(${target} INTERFACE thalweg::schemas)
endfunction()
