#include "store/key_rules.hpp"

#include <doctest/doctest.h>

using namespace oai::store;

TEST_CASE("the words of a key's status are those in databases, both ways") {
    CHECK(to_string(KeyStatus::active) == "active");
    CHECK(to_string(KeyStatus::disabled) == "disabled");
    CHECK(to_string(KeyStatus::revoked) == "revoked");
    for (const KeyStatus status : {KeyStatus::active, KeyStatus::disabled, KeyStatus::revoked})
        CHECK(parse_key_status(to_string(status)) == status);
    for (const char* text : {"", "Active", "actives", "?"}) CHECK_FALSE(parse_key_status(text));
}
