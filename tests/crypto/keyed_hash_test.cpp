#include "crypto/keyed_hash.hpp"

#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "core/ids.hpp"

using oai::core::from_hex;
using oai::crypto::Digest;
using oai::crypto::KeyedHash;
using oai::crypto::to_hex;

TEST_CASE("the keyed hash is HMAC-SHA256 of RFC 4231") {
    struct Row {
        const char* name;
        std::string key;
        std::string text;
        const char* want;
    };
    const Row rows[] = {
        {"case 1", std::string(20, '\x0b'), "Hi There",
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"case 2, a short key", "Jefe", "what do ya want for nothing?",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {"case 3, text and key beyond a block together", std::string(20, '\xaa'), std::string(50, '\xdd'),
         "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        {"case 4", from_hex("0102030405060708090a0b0c0d0e0f10111213141516171819"), std::string(50, '\xcd'),
         "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
        {"case 6, a key longer than a block", std::string(131, '\xaa'),
         "Test Using Larger Than Block-Size Key - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {"case 7, key and text longer than a block", std::string(131, '\xaa'),
         "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be "
         "hashed "
         "before being used by the HMAC algorithm.",
         "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
        {"nothing under no key", "", "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const KeyedHash hash(row.key);
        CHECK(to_hex(hash.digest(row.text)) == row.want);
        CHECK(to_hex(hash.digest(row.text)) == row.want);  // a digest leaves the state as it was
    }
}

TEST_CASE("a copy hashes like its origin, after the origin is gone") {
    const auto copied = [] {
        const KeyedHash origin("Jefe");
        return KeyedHash(origin);
    }();
    CHECK(copied.digest("x") == KeyedHash("Jefe").digest("x"));
    CHECK(copied.digest("x") != KeyedHash("jefe").digest("x"));
}

TEST_CASE("several threads share one keyed hash") {
    const KeyedHash hash("secret");
    const Digest want = hash.digest("sk-oai-1");
    std::vector<int> wrong(4, 0);
    {
        std::vector<std::jthread> threads;
        for (int& count : wrong)
            threads.emplace_back([&hash, &want, &count] {
                for (int i = 0; i < 2000; ++i) count += hash.digest("sk-oai-1") == want ? 0 : 1;
            });
    }
    CHECK(wrong == std::vector<int>(4, 0));
}
