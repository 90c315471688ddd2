#include "http/utf8.hpp"

#include <cstring>

namespace oai::http {

bool Utf8Checker::feed(std::string_view bytes) noexcept {
    const char* at = bytes.data();
    const char* const end = at + bytes.size();
    while (good_ && at != end) {
        // Most text is ASCII most of the time: eight bytes are asked at once.
        std::uint64_t word = 0;
        while (left_ == 0 && end - at >= 8) {
            std::memcpy(&word, at, sizeof word);
            if ((word & 0x8080808080808080ULL) != 0) break;
            at += 8;
        }
        if (at != end) good_ = take(static_cast<unsigned char>(*at++));
    }
    return good_;
}

bool Utf8Checker::take(unsigned char byte) noexcept {
    if (left_ != 0) {
        const bool fits = byte >= low_ && byte <= high_;
        --left_;
        low_ = 0x80;
        high_ = 0xBF;
        return fits;
    }
    if (byte < 0x80) return true;
    if (byte < 0xC2 || byte > 0xF4) return false;  // C0 and C1 would be overlong, F5 and up beyond U+10FFFF
    left_ = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
    low_ = byte == 0xE0 ? 0xA0 : byte == 0xF0 ? 0x90 : 0x80;   // overlong forms lie below
    high_ = byte == 0xED ? 0x9F : byte == 0xF4 ? 0x8F : 0xBF;  // surrogates lie above, and what is beyond U+10FFFF
    return true;
}

bool is_utf8(std::string_view text) noexcept {
    Utf8Checker checker;
    return checker.feed(text) && checker.complete();
}

}  // namespace oai::http
