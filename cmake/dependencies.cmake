# Debian 12 packages only; the reason for each is in docs/dependencies.md.

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

# Debian's default Boost is 1.74; its Asio lacks what the sessions need (docs/dependencies.md).
find_path(OAI_BOOST_INCLUDE boost/asio.hpp REQUIRED)
file(STRINGS ${OAI_BOOST_INCLUDE}/boost/version.hpp OAI_BOOST_VERSION REGEX "^#define BOOST_VERSION ")
string(REGEX REPLACE "^#define BOOST_VERSION " "" OAI_BOOST_VERSION "${OAI_BOOST_VERSION}")
if(OAI_BOOST_VERSION LESS 108100)
  message(FATAL_ERROR "Boost 1.81 or newer is needed (libboost1.81-dev), found ${OAI_BOOST_VERSION} in ${OAI_BOOST_INCLUDE}. "
                      "tools/install-packages says what would be replaced.")
endif()
add_library(oai_dep_boost INTERFACE)
target_include_directories(oai_dep_boost SYSTEM INTERFACE ${OAI_BOOST_INCLUDE})
target_link_libraries(oai_dep_boost INTERFACE Threads::Threads)

function(oai_pkg_config name module)
  pkg_check_modules(${name} REQUIRED IMPORTED_TARGET ${module})
  add_library(oai_dep_${name} INTERFACE)
  target_link_libraries(oai_dep_${name} INTERFACE PkgConfig::${name})
endfunction()

oai_pkg_config(simdjson simdjson)
oai_pkg_config(tomlplusplus tomlplusplus)
oai_pkg_config(openssl openssl)
oai_pkg_config(sqlite sqlite3)
oai_pkg_config(zlib zlib)
oai_pkg_config(xxhash libxxhash)
if(OAI_IO_URING)
  oai_pkg_config(uring liburing)
  target_link_libraries(oai_dep_boost INTERFACE oai_dep_uring)
endif()

# Header-only packages that only need to be there.
find_path(OAI_CLI11_INCLUDE CLI/CLI.hpp REQUIRED)
find_path(OAI_DOCTEST_INCLUDE doctest/doctest.h REQUIRED)
add_library(oai_dep_cli11 INTERFACE)
target_include_directories(oai_dep_cli11 SYSTEM INTERFACE ${OAI_CLI11_INCLUDE})
add_library(oai_dep_doctest INTERFACE)
target_include_directories(oai_dep_doctest SYSTEM INTERFACE ${OAI_DOCTEST_INCLUDE})
