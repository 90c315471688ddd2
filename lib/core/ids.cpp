#include "core/ids.hpp"

#include <array>
#include <cstring>
#include <random>

namespace oai::core {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

/// Both digits of each byte: an id is made per request.
constexpr std::array<char, 512> kHexPairs = [] {
    std::array<char, 512> pairs{};
    for (std::size_t byte = 0; byte < 256; ++byte) {
        pairs[2 * byte] = kHex[byte >> 4];
        pairs[2 * byte + 1] = kHex[byte & 0xF];
    }
    return pairs;
}();

char* put_hex(char* out, std::uint64_t value, int digits) noexcept {
    for (int shift = digits * 4 - 8; shift >= 0; shift -= 8, out += 2)
        std::memcpy(out, &kHexPairs[2 * ((value >> shift) & 0xFF)], 2);
    return out;
}

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

IdSource::IdSource() : state_(0) {
    std::random_device device;
    state_ = (std::uint64_t{device()} << 32) | device();
}

std::uint64_t IdSource::next() noexcept {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
}

RequestId::RequestId(IdSource& source) noexcept {
    std::memcpy(text_.data(), "req_", 4);
    put_hex(put_hex(text_.data() + 4, source.next(), 16), source.next(), 8);
}

std::string to_hex(std::string_view bytes) {
    std::string hex;
    hex.reserve(bytes.size() * 2);
    for (const char c : bytes) {
        hex += kHex[static_cast<unsigned char>(c) >> 4];
        hex += kHex[static_cast<unsigned char>(c) & 0xF];
    }
    return hex;
}

std::string from_hex(std::string_view hex) {
    if (hex.size() % 2 != 0) return {};
    std::string bytes;
    bytes.reserve(hex.size() / 2);
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        const int high = hex_digit(hex[i]), low = hex_digit(hex[i + 1]);
        if (high < 0 || low < 0) return {};
        bytes += static_cast<char>(high * 16 + low);
    }
    return bytes;
}

}  // namespace oai::core
