# Compiler settings of every target of ours.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug or Release" FORCE)
endif()

set(OAI_SANITIZE "" CACHE STRING "Sanitizers, such as address,undefined or thread; empty for none")
option(OAI_BENCH "Build the benchmarks of bench/" OFF)
option(OAI_IO_URING "Wait for sockets with io_uring instead of epoll; needs liburing, and a kernel that allows it" OFF)
option(OAI_FUZZ "Build tests/fuzz for libFuzzer; needs clang" OFF)

# -O1: sanitized tests at -O0 take three times as long, and back traces stay readable.
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1 -fno-omit-frame-pointer")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")

# g++ 12 calls Asio's operator delete of coroutine frames a mismatch wherever it does not inline the new.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wno-mismatched-new-delete)
endif()
if(OAI_SANITIZE)
  add_compile_options(-fsanitize=${OAI_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${OAI_SANITIZE})
  # g++ 12 reports std::string and std::optional as maybe uninitialized once sanitizers add their branches, and warns of
  # every memory fence under the thread sanitizer; Asio has one that is not needed for what it synchronises.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-maybe-uninitialized -Wno-tsan)
  endif()
endif()

if(OAI_IO_URING)
  add_compile_definitions(BOOST_ASIO_HAS_IO_URING BOOST_ASIO_DISABLE_EPOLL)
endif()
# Asio's non-template half is compiled once, in lib/net/asio.cpp.
add_compile_definitions(BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_ERROR_CODE_HEADER_ONLY)
