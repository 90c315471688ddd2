#include "crypto/seal.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "core/ids.hpp"

using namespace oai::crypto;
using oai::core::Code;
using oai::core::Result;

namespace {

constexpr std::string_view kContext = "account:llm/openai/a1:refresh_token";

Key key_of(std::uint8_t byte) {
    Key key;
    key.fill(byte);
    return key;
}

std::string changed_at(std::string text, std::size_t at) {
    text[at] = text[at] == 'a' ? 'b' : 'a';
    return text;
}

}  // namespace

TEST_CASE("what was sealed opens again, in its context and in no other") {
    const Sealer sealer(key_of(1));
    for (const std::string& text :
         {std::string(), std::string("rt-1"), std::string("a\0b", 3), std::string(5000, 'x')}) {
        const std::string sealed = sealer.seal(text, kContext);
        CHECK(sealed.size() == 20 + 2 * (12 + text.size() + 16));
        if (text.size() > 1) CHECK(sealed.find(oai::core::to_hex(text)) == std::string::npos);
        const Result<std::string> opened = sealer.open(sealed, kContext);
        REQUIRE(opened);
        CHECK(*opened == text);
        for (const char* other : {"account:llm/openai/a2:refresh_token", ""}) {
            const Result<std::string> moved = sealer.open(sealed, other);
            REQUIRE_FALSE(moved);
            CHECK(moved.error().code == Code::invalid_argument);
        }
    }
    CHECK(*sealer.open(sealer.seal("x", ""), "") == "x");
}

TEST_CASE("texts sealed by an earlier program open for good") {
    // Made once: a change of the format, of the label or of the cipher would lose every stored credential.
    const Result<std::string> opened = Sealer(key_of(7)).open(
        "v1.4bb06f8e4e3a7715.000102030405060708090a0bf6de5a2459513048b430f5b880b36557e78cf6fd26c46328cc2c3a10", "ctx");
    REQUIRE(opened);
    CHECK(*opened == "known answer");
}

TEST_CASE("the same text is never sealed alike") {
    const Sealer sealer(key_of(1));
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) seen.insert(sealer.seal("x", kContext));
    CHECK(seen.size() == 1000);
}

TEST_CASE("every changed character is noticed") {
    const Sealer sealer(key_of(1));
    const std::string sealed = sealer.seal("secret", kContext);
    for (std::size_t at = 0; at < sealed.size(); ++at) {
        CAPTURE(at);
        const Result<std::string> opened = sealer.open(changed_at(sealed, at), kContext);
        REQUIRE_FALSE(opened);
        const Code want = at < 3 || at == 19 ? Code::parse_failed : at < 19 ? Code::not_found : Code::invalid_argument;
        CHECK(opened.error().code == want);
        CHECK(opened.error().detail.find(kContext) == 0);
        CHECK(opened.error().detail.find("secret") == std::string::npos);
    }
}

TEST_CASE("what is no sealed text is called so") {
    const Sealer sealer(key_of(1));
    const std::string sealed = sealer.seal("", kContext);
    const std::string head = sealed.substr(0, 20);
    struct Row {
        const char* name;
        std::string text;
    };
    const Row rows[] = {
        {"nothing", ""},
        {"a plain secret", "sk-1234567890123456789012345678901234567890"},
        {"head only", head},
        {"cut by one digit", sealed.substr(0, sealed.size() - 1)},
        {"cut into the tag", sealed.substr(0, sealed.size() - 2)},
        {"no hex", head + std::string(2 * 28, 'z')},
        {"newer format", "v2" + sealed.substr(2)},
        {"short key id", "v1.12." + sealed.substr(20)},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const Result<std::string> opened = sealer.open(row.text, kContext);
        REQUIRE_FALSE(opened);
        CHECK(opened.error().code == Code::parse_failed);
        CHECK(sealer.needs_resealing(row.text) == (row.text.substr(0, 20) != head));
    }
    CHECK_FALSE(sealer.open(sealed.substr(0, sealed.size() - 2) + "!!", kContext));
}

TEST_CASE("keys change while old texts are still opened") {
    const Key first = key_of(1), second = key_of(2), third = key_of(3);
    const std::string old = Sealer(first).seal("rt-1", kContext);

    const Sealer both(second, std::array{first, third});
    CHECK(both.key_id() == key_id_of(second));
    CHECK(both.needs_resealing(old));
    REQUIRE(both.open(old, kContext));
    const std::string resealed = both.seal(*both.open(old, kContext), kContext);
    CHECK_FALSE(both.needs_resealing(resealed));
    CHECK(*Sealer(second).open(resealed, kContext) == "rt-1");

    const Result<std::string> missing = Sealer(second).open(old, kContext);
    REQUIRE_FALSE(missing);
    CHECK(missing.error().code == Code::not_found);
    CHECK(missing.error().detail == std::string(kContext) + ": sealed with the encryption key of id " +
                                        key_id_of(first) + ", and that key is missing here; the current one is " +
                                        key_id_of(second));
}

TEST_CASE("derived keys differ by label and by key, and from the key they come from") {
    std::set<Key> keys{key_of(1), key_of(2)};
    for (const Key& key : {key_of(1), key_of(2)}) {
        for (const char* label : {"oaigw sealing v1", "oaigw client key hash v1", ""})
            keys.insert(derive_key(key, label));
    }
    CHECK(keys.size() == 8);
    CHECK(key_id_of(key_of(0)) == "66687aadf862bd77");  // of SHA-256 over 32 zero bytes
}
