# The only way to add targets. Include paths are "layer/file.hpp".

set(OAI_WARNINGS -Wall -Wextra -Wshadow -Wconversion -Wnon-virtual-dtor -Werror)

# oai_library(metrics SOURCES a.cpp b.cpp DEPS core json PACKAGES zlib)
#   DEPS      other layers       PACKAGES  names of cmake/dependencies.cmake
# Headers are found by themselves; each must compile alone (target all_verify_interface_header_sets).
function(oai_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PACKAGES" ${ARGN})
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.hpp)
  if(ARG_SOURCES)
    set(scope PUBLIC)
    set(private PRIVATE)
    add_library(oai_${name} STATIC ${ARG_SOURCES})
    target_compile_options(oai_${name} PRIVATE ${OAI_WARNINGS})
  else()
    set(scope INTERFACE)
    add_library(oai_${name} INTERFACE)
  endif()
  add_library(oai::${name} ALIAS oai_${name})
  target_sources(oai_${name} ${scope} FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/lib FILES ${headers})
  list(TRANSFORM ARG_DEPS PREPEND oai::)
  list(TRANSFORM ARG_PACKAGES PREPEND oai_dep_)
  target_link_libraries(oai_${name} ${scope} ${ARG_DEPS} ${ARG_PACKAGES})
  set_target_properties(oai_${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
endfunction()

# oai_program(oaigw SOURCES main.cpp cmd_serve.cpp DEPS cli gateway)
function(oai_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PACKAGES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_compile_options(${name} PRIVATE ${OAI_WARNINGS})
  list(TRANSFORM ARG_DEPS PREPEND oai::)
  list(TRANSFORM ARG_PACKAGES PREPEND oai_dep_)
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} ${ARG_PACKAGES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
endfunction()

# oai_test(metrics SOURCES histogram_test.cpp ...): one doctest binary for lib/metrics, run from the source root.
function(oai_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PACKAGES" ${ARGN})
  add_executable(test_${name} ${ARG_SOURCES})
  target_compile_options(test_${name} PRIVATE ${OAI_WARNINGS})
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  list(TRANSFORM ARG_DEPS PREPEND oai::)
  list(TRANSFORM ARG_PACKAGES PREPEND oai_dep_)
  if(TARGET oai::${name})
    list(APPEND ARG_DEPS oai::${name})
  endif()
  target_link_libraries(test_${name} PRIVATE oai_test_main oai_dep_doctest oai::core ${ARG_DEPS} ${ARG_PACKAGES})
  target_precompile_headers(test_${name} PRIVATE <doctest/doctest.h>)
  target_compile_definitions(test_${name} PRIVATE OAI_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  add_test(NAME ${name} COMMAND test_${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  # Exit codes 1 to 3 mean something (MEASUREMENT): a sanitizer must not look like one of them.
  set_tests_properties(
    ${name} PROPERTIES TIMEOUT 120 ENVIRONMENT
                       "ASAN_OPTIONS=exitcode=99;UBSAN_OPTIONS=exitcode=99:print_stacktrace=1;TSAN_OPTIONS=exitcode=99")
endfunction()
