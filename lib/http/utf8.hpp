#pragma once

#include <cstdint>
#include <string_view>

namespace oai::http {

/// Checks UTF-8 that arrives in pieces (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF. A wrong
/// byte is found when it arrives, not at the end.
class Utf8Checker {
public:
    /// False once a byte was wrong, and from then on.
    [[nodiscard]] bool feed(std::string_view bytes) noexcept;
    /// No character is cut: the text may end here.
    bool complete() const noexcept { return good_ && left_ == 0; }
    void reset() noexcept { *this = {}; }

private:
    bool take(unsigned char byte) noexcept;

    bool good_ = true;
    std::uint8_t left_ = 0;  ///< continuation bytes still to come
    std::uint8_t low_ = 0;   ///< bounds of the next one; narrower than 80 to BF only after some first bytes
    std::uint8_t high_ = 0;
};

bool is_utf8(std::string_view text) noexcept;

}  // namespace oai::http
