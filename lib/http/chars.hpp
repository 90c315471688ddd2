#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace oai::http {

/// Which bytes may stand where (RFC 9110 5.6.2, RFC 3986), as bits of one table.
enum CharClass : std::uint8_t {
    kToken = 1,    ///< methods and field names
    kTarget = 2,   ///< a request target: visible ASCII but " # < > \ and `
    kHost = 4,     ///< a registered name. Sub-delimiters and escapes are legal there, and no host has them
    kControl = 8,  ///< not in a field value: below 0x20 but HTAB, and 0x7F
    kHexDigit = 16,
    kStop = 32,  ///< where a scan for lines and names stops: all below 0x20, 0x7F and the colon
};

namespace detail {
constexpr std::array<std::uint8_t, 256> make_char_classes() {
    std::array<std::uint8_t, 256> classes{};
    const auto add = [&](std::string_view chars, std::uint8_t bits) {
        for (const char c : chars) classes[static_cast<unsigned char>(c)] |= bits;
    };
    for (unsigned c = 0; c < 0x20; ++c) classes[c] |= c == '\t' ? kStop : kControl | kStop;
    classes[0x7F] |= kControl | kStop;
    for (unsigned c = 0x21; c < 0x7F; ++c) classes[c] |= kTarget;
    for (const char c : std::string_view("\"#<>\\`")) classes[static_cast<unsigned char>(c)] = 0;
    add("0123456789", kToken | kHost | kHexDigit);
    add("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", kToken | kHost);
    add("abcdefABCDEF", kHexDigit);
    add("!#$%&'*+-.^_`|~", kToken);
    add("-._~", kHost);
    add(":", kStop);
    return classes;
}
inline constexpr std::array<std::uint8_t, 256> kCharClasses = make_char_classes();
}  // namespace detail

constexpr bool is_char(char c, CharClass wanted) noexcept {
    return (detail::kCharClasses[static_cast<unsigned char>(c)] & wanted) != 0;
}

constexpr bool all_chars(std::string_view text, CharClass wanted) noexcept {
    for (const char c : text) {
        if (!is_char(c, wanted)) return false;
    }
    return true;
}

constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

/// -1 when it is none.
constexpr int hex_value(char c) noexcept {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace oai::http
