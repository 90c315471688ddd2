// OpenSSL 3 marks SHA256_Init and its kin as deprecated in favour of EVP. EVP allocates contexts and looks providers
// up: 1 to 2 us and several mallocs for one short HMAC, on every request. The low-level functions are the same code
// (SHA-NI where the machine has it) without that, and only they let a state be copied as plain bytes. They will stay:
// libcrypto's ABI 3 has them.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/keyed_hash.hpp"

#include <algorithm>
#include <cstring>

#include <openssl/crypto.h>
#include <openssl/sha.h>

namespace oai::crypto {
namespace {

constexpr std::size_t kBlock = SHA256_CBLOCK;

template <class State>
void absorb(State& state, const std::array<unsigned char, kBlock>& key, unsigned char pad) noexcept {
    static_assert(sizeof(SHA256_CTX) == sizeof(State) && alignof(SHA256_CTX) <= 8);
    std::array<unsigned char, kBlock> block;
    for (std::size_t i = 0; i < kBlock; ++i) block[i] = static_cast<unsigned char>(key[i] ^ pad);
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, block.data(), block.size());
    std::memcpy(state.data(), &context, sizeof context);
    OPENSSL_cleanse(&context, sizeof context);
    OPENSSL_cleanse(block.data(), block.size());
}

}  // namespace

KeyedHash::KeyedHash(std::string_view key) noexcept {
    std::array<unsigned char, kBlock> block{};
    if (key.size() > kBlock) {
        const Digest shorter = sha256(key);
        std::copy(shorter.begin(), shorter.end(), block.begin());
    } else {
        std::copy(key.begin(), key.end(), block.begin());
    }
    absorb(inner_, block, 0x36);
    absorb(outer_, block, 0x5C);
    OPENSSL_cleanse(block.data(), block.size());
}

KeyedHash::~KeyedHash() {
    OPENSSL_cleanse(inner_.data(), inner_.size());
    OPENSSL_cleanse(outer_.data(), outer_.size());
}

Digest KeyedHash::digest(std::string_view text) const noexcept {
    Digest digest;
    SHA256_CTX context;
    std::memcpy(&context, inner_.data(), sizeof context);
    SHA256_Update(&context, text.data(), text.size());
    SHA256_Final(digest.data(), &context);
    std::memcpy(&context, outer_.data(), sizeof context);
    SHA256_Update(&context, digest.data(), digest.size());
    SHA256_Final(digest.data(), &context);  // wipes what it used of the context
    return digest;
}

}  // namespace oai::crypto
