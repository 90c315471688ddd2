#include "store/key_check.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "store/open.hpp"
#include "store/temporary_folder.hpp"

using namespace oai::store;
using oai::core::Code;
using oai::core::Result;
using oai::crypto::Key;
using oai::crypto::key_id_of;
using oai::crypto::Sealer;

namespace {

Key key_of(std::uint8_t byte) {
    Key key;
    key.fill(byte);
    return key;
}

std::unique_ptr<Store> opened(const std::string& url) {
    Result<std::unique_ptr<Store>> store = open(url);
    REQUIRE(store);
    return *std::move(store);
}

}  // namespace

TEST_CASE("a wrong encryption key is named at start, the right one opens the check at every start") {
    const TemporaryFolder folder;
    const std::string url = "sqlite:" + (folder / "a.db");
    for (int start = 0; start < 3; ++start) {
        const auto store = opened(url);
        CHECK(check_encryption_key(store->settings(), Sealer(key_of(1)), "data/encryption.key"));
    }
    const auto store = opened(url);
    const Result<void> wrong = check_encryption_key(store->settings(), Sealer(key_of(2)), "OAIGW_ENCRYPTION_KEY");
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().code == Code::invalid_argument);
    const std::string& detail = wrong.error().detail;
    CHECK(detail.find("OAIGW_ENCRYPTION_KEY: is not the encryption key this store was made with") == 0);
    CHECK(detail.find(key_id_of(key_of(1))) != std::string::npos);
    CHECK(detail.find(key_id_of(key_of(2))) != std::string::npos);
    CHECK(store->settings().get("encryption_key_check")->value().version == 1);  // a look changes nothing
    CHECK(check_encryption_key(store->settings(), Sealer(key_of(1)), "data/encryption.key"));
}

TEST_CASE("with the old key beside the new one the check is sealed again, and the old key can go") {
    const auto store = opened("memory:");
    REQUIRE(check_encryption_key(store->settings(), Sealer(key_of(1)), "x"));
    CHECK(check_encryption_key(store->settings(), Sealer(key_of(2), std::vector{key_of(1)}), "x"));
    CHECK(check_encryption_key(store->settings(), Sealer(key_of(2)), "x"));
    CHECK_FALSE(check_encryption_key(store->settings(), Sealer(key_of(1)), "x"));
}

TEST_CASE("a check value that nobody sealed is no key check") {
    const auto store = opened("memory:");
    const Sealer sealer(key_of(1));
    for (const std::string& value : {std::string(), std::string("oaigw"), sealer.seal("other", "encryption_key_check"),
                                     sealer.seal("oaigw", "x")}) {
        REQUIRE(store->settings().put("encryption_key_check", value));
        CHECK_FALSE(check_encryption_key(store->settings(), sealer, "x"));
    }
}
