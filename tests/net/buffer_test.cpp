#include "net/buffer.hpp"

#include <string>

#include <doctest/doctest.h>

using namespace oai::net;

TEST_CASE("a buffer keeps its bytes when it grows and when its front was used") {
    BufferPool pool;
    Buffer buffer(pool);
    CHECK(buffer.writable().empty());
    buffer.append("hello world");
    buffer.consume(6);
    CHECK(buffer.readable() == "world");
    const std::string large(100'000, 'x');
    buffer.append(large);
    CHECK(buffer.readable() == "world" + large);
    buffer.consume(buffer.size());
    CHECK(buffer.empty());
}

TEST_CASE("there are always 64 bytes behind the bytes that may be read") {
    BufferPool pool;
    Buffer buffer(pool);
    buffer.reserve(1);
    buffer.commit(buffer.writable().size());
    // Address sanitizer watches this read of the last padding byte.
    const volatile char* end = buffer.readable().data() + buffer.size();
    [[maybe_unused]] const char last = end[Buffer::kPadding - 1];
    CHECK(buffer.size() == BufferPool::kSmallest - Buffer::kPadding);
}

TEST_CASE("memory that was given back is used again") {
    BufferPool pool;
    const char* first = nullptr;
    {
        Buffer buffer(pool);
        buffer.reserve(200'000);
        first = buffer.data();
    }
    Buffer again(pool);
    again.reserve(200'000);
    CHECK(again.data() == first);
}

TEST_CASE("a moved buffer takes its bytes along") {
    BufferPool pool;
    Buffer a(pool);
    a.append("abc");
    Buffer b = std::move(a);
    CHECK(b.readable() == "abc");
    CHECK(a.readable().empty());  // NOLINT(bugprone-use-after-move): moved-from is empty, on purpose
}
