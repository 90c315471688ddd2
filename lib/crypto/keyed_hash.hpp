#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "crypto/hash.hpp"

namespace oai::crypto {

/// HMAC-SHA256 under one key: what is stored of a client key instead of the key, and what it is looked up by.
/// The key is absorbed once, here; a digest of a 50-byte text then costs two runs of the compression function and does
/// not allocate. Const use from several threads at once is safe. The key's traces are wiped on destruction. Source: RFC
/// 2104, FIPS 198-1.
class KeyedHash {
public:
    /// Any length; 32 random bytes are right.
    explicit KeyedHash(std::string_view key) noexcept;
    KeyedHash(const KeyedHash&) = default;
    KeyedHash& operator=(const KeyedHash&) = default;
    ~KeyedHash();

    Digest digest(std::string_view text) const noexcept;

private:
    /// OpenSSL's SHA256_CTX, kept as bytes so that no user of this header sees OpenSSL; keyed_hash.cpp asserts the
    /// size.
    using State = std::array<std::byte, 112>;

    alignas(8) State inner_;  ///< after the key xor ipad
    alignas(8) State outer_;  ///< after the key xor opad
};

}  // namespace oai::crypto
