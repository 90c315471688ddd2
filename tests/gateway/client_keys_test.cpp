#include "gateway/client_keys.hpp"

#include <doctest/doctest.h>

using namespace oai;
using namespace oai::gateway;

TEST_CASE("a key is found by what the client shows, and by nothing else") {
    const crypto::KeyedHash hash("pepper");
    ClientKeys keys(hash);
    keys.add(hash.digest("sk-one"),
             ClientKey{.id = "1", .name = "one", .group = "a", .active = true, .expires_at = {}});
    keys.add(hash.digest("sk-two"),
             ClientKey{.id = "2", .name = "two", .group = "", .active = false, .expires_at = {}});
    REQUIRE(keys.find("sk-one") != nullptr);
    CHECK(keys.find("sk-one")->name == "one");
    CHECK_FALSE(keys.find("sk-two")->active);
    for (const char* wrong : {"", "sk-on", "sk-one ", "SK-ONE", "sk-three"}) {
        CAPTURE(wrong);
        CHECK(keys.find(wrong) == nullptr);
    }
    // The same keys under another pepper are other keys: a stolen table is of no use elsewhere.
    ClientKeys elsewhere(crypto::KeyedHash("salt"));
    elsewhere.add(hash.digest("sk-one"),
                  ClientKey{.id = "1", .name = "one", .group = "", .active = true, .expires_at = {}});
    CHECK(elsewhere.find("sk-one") == nullptr);
}
