#include "gateway/caller.hpp"

#include <doctest/doctest.h>

using namespace oai::gateway;

TEST_CASE("a caller is recalled by the same credential under the same tables, and by nothing else") {
    Tables first, second;
    first.generation = 1;
    second.generation = 2;
    const ClientKey key{.id = "k1", .name = "dev", .group = {}, .active = true, .expires_at = {}};
    Caller caller;
    CHECK(caller.recall(first, "sk-a") == nullptr);
    CHECK(caller.recall(first, "") == nullptr);
    caller.remember(first, "sk-a", key);
    CHECK(caller.recall(first, "sk-a") == &key);
    CHECK(caller.recall(first, "sk-b") == nullptr);
    CHECK(caller.recall(first, "sk-aa") == nullptr);
    CHECK(caller.recall(first, "") == nullptr);
    CHECK(caller.recall(second, "sk-a") == nullptr);  // a reload may have taken the key away
    const ClientKey other{.id = "k2", .name = "ops", .group = {}, .active = true, .expires_at = {}};
    caller.remember(second, "sk-b", other);
    CHECK(caller.recall(second, "sk-b") == &other);
    CHECK(caller.recall(first, "sk-a") == nullptr);
}
