#include "net/address.hpp"

#include <doctest/doctest.h>

using namespace oai::net;

TEST_CASE("a listen address is an IP address and a port") {
    CHECK(parse_listen_address("127.0.0.1:5231")->text() == "127.0.0.1:5231");
    CHECK(parse_listen_address("[::1]:0")->text() == "[::1]:0");
    CHECK(parse_listen_address(":8080")->text() == "0.0.0.0:8080");
    CHECK(parse_listen_address("localhost:1")->is_loopback());
    CHECK_FALSE(parse_listen_address("0.0.0.0:1")->is_loopback());
    for (const char* text : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "example.com:80",
                             "[::1:80", "1.2.3.4:80x"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_listen_address(text));
    }
}
