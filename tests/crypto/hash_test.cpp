#include "crypto/hash.hpp"

#include <string>

#include <doctest/doctest.h>

#include "core/ids.hpp"

using namespace oai::crypto;

TEST_CASE("sha256 is that of FIPS 180-4") {
    CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(sha256_hex(std::string(1'000'000, 'a')) ==
          "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    CHECK(to_hex(sha256("abc")) == sha256_hex("abc"));
}

TEST_CASE("sha1 is that of FIPS 180-4") {
    const std::array<char, 20> digest = sha1("abc");
    CHECK(oai::core::to_hex({digest.data(), digest.size()}) == "a9993e364706816aba3e25717850c26c9cd0d89d");
}

TEST_CASE("the hash of pieces is the hash of the whole") {
    Sha256 hash;
    hash.update("a");
    hash.update("");
    hash.update("bc");
    CHECK(hash.finish() == sha256("abc"));
    CHECK(Sha256().finish() == sha256(""));
}

TEST_CASE("equality in constant time is equality") {
    struct Row {
        std::string a, b;
        bool want;
    };
    const Row rows[] = {
        {"", "", true},      {"a", "a", true},     {"a", "b", false},
        {"a", "", false},    {"", "a", false},     {"ab", "aa", false},
        {"ba", "aa", false}, {"aa", "aaa", false}, {{"\0a", 2}, {"\0b", 2}, false},
    };
    for (const Row& row : rows) {
        CAPTURE(row.a);
        CAPTURE(row.b);
        CHECK(constant_time_equal(row.a, row.b) == row.want);
    }
    Digest a = sha256("x"), b = a;
    CHECK(constant_time_equal(a, b));
    b.back() ^= 1;
    CHECK_FALSE(constant_time_equal(a, b));
}
