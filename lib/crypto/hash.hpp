#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace oai::crypto {

/// 32 bytes: a SHA-256 or an HMAC-SHA256.
using Digest = std::array<std::uint8_t, 32>;

Digest sha256(std::string_view bytes) noexcept;
/// 64 lower-case hex digits.
std::string sha256_hex(std::string_view bytes);

/// 20 bytes. Broken as a hash: only for the WebSocket handshake, which demands it and does not rely on it.
std::array<char, 20> sha1(std::string_view bytes) noexcept;

/// The same of bytes that come piece by piece.
class Sha256 {
public:
    Sha256();
    ~Sha256();
    Sha256(const Sha256&) = delete;

    void update(std::string_view bytes) noexcept;
    /// Of all so far. Nothing can be added after it.
    Digest finish() noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Whether both are the same bytes, in a time that depends on the length only. A different length is told at once: hash
/// first when the length itself is a secret.
bool constant_time_equal(std::string_view a, std::string_view b) noexcept;
bool constant_time_equal(const Digest& a, const Digest& b) noexcept;

/// The digest as 64 hex digits.
std::string to_hex(const Digest& digest);

}  // namespace oai::crypto
