#include "report/text.hpp"

#include <cstdint>
#include <initializer_list>
#include <utility>

namespace oai::report {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::string_view kEllipsis = "\xE2\x80\xA6";

struct Decoded {
    char32_t code = 0;
    std::size_t length = 0;  ///< 0: not UTF-8 (RFC 3629: no surrogates, no overlong forms)
};

/// Precondition: `text` is not empty.
Decoded decode(std::string_view text) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return {lead, 1};
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return {};
    char32_t code = lead & (0xFFU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0) != 0x80) return {};
        code = (code << 6) | (byte(i) & 0x3FU);
    }
    constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool valid = code >= smallest[length] && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
    return valid ? Decoded{code, length} : Decoded{};
}

bool is_blank(char32_t code) noexcept {
    return code == '\n' || code == '\r' || code == '\t' || code == 0x2028 || code == 0x2029;
}

bool is_forbidden(char32_t code) noexcept {
    const bool control = code < 0x20 || (code >= 0x7F && code <= 0x9F);
    const bool bidirectional =
        (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) || code == 0x200E || code == 0x200F;
    return control || bidirectional || (code & 0xFFFE) == 0xFFFE;
}

bool is_wide(char32_t code) noexcept {
    return (code >= 0x1100 && code <= 0x115F) || (code >= 0x2E80 && code <= 0xA4CF) ||
           (code >= 0xAC00 && code <= 0xD7A3) || (code >= 0xF900 && code <= 0xFAFF) ||
           (code >= 0xFE30 && code <= 0xFE6F) || (code >= 0xFF00 && code <= 0xFF60) ||
           (code >= 0xFFE0 && code <= 0xFFE6) || (code >= 0x1F300 && code <= 0x1FAFF) ||
           (code >= 0x20000 && code <= 0x3FFFD);
}

using Escape = std::pair<char, std::string_view>;

std::string replace(std::string_view text, std::initializer_list<Escape> escapes) {
    std::string out;
    out.reserve(text.size() + text.size() / 8);
    for (const char c : text) {
        const Escape* found = nullptr;
        for (const Escape& escape : escapes) {
            if (escape.first == c) found = &escape;
        }
        if (found != nullptr) {
            out += found->second;
        } else {
            out += c;
        }
    }
    return out;
}

}  // namespace

std::string clean(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const Decoded at = decode(text);
        if (at.length == 0 || (is_forbidden(at.code) && !is_blank(at.code))) {
            out += kReplacement;
        } else if (is_blank(at.code)) {
            out += ' ';
        } else {
            out += text.substr(0, at.length);
        }
        text.remove_prefix(at.length == 0 ? 1 : at.length);
    }
    return out;
}

std::string cut(std::string_view text, std::size_t max) {
    std::size_t seen = 0, keep = 0;
    for (std::size_t i = 0; i < text.size(); ++seen) {
        if (seen + 1 == max) keep = i;
        if (seen == max) return std::string(text.substr(0, keep)) + std::string(kEllipsis);
        const std::size_t length = decode(text.substr(i)).length;
        i += length == 0 ? 1 : length;
    }
    return std::string(text);
}

std::size_t display_width(std::string_view text) noexcept {
    std::size_t width = 0;
    while (!text.empty()) {
        const Decoded at = decode(text);
        width += is_wide(at.code) ? 2 : 1;
        text.remove_prefix(at.length == 0 ? 1 : at.length);
    }
    return width;
}

std::string escape_markup(std::string_view text) {
    return replace(clean(text), {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}});
}

std::string escape_markdown(std::string_view text) {
    // The zero-width space keeps `@team` from calling a team: GitHub looks for mentions after rendering.
    return replace(clean(text), {{'\\', "\\\\"},
                                 {'`', "\\`"},
                                 {'*', "\\*"},
                                 {'_', "\\_"},
                                 {'~', "\\~"},
                                 {'[', "\\["},
                                 {']', "\\]"},
                                 {'|', "\\|"},
                                 {'#', "\\#"},
                                 {'&', "&amp;"},
                                 {'<', "&lt;"},
                                 {'>', "&gt;"},
                                 {'@', "@\xE2\x80\x8B"}});
}

std::string markdown_code(std::string_view text) {
    if (text.empty()) return {};
    std::string out = "`";
    for (const char c : clean(text)) {
        if (c == '|') {
            // A table ends its cell at `\\|`, in a code span too; the blank keeps the two apart.
            if (out.back() == '\\') out += ' ';
            out += "\\|";
        } else {
            out += c == '`' ? '\'' : c;
        }
    }
    return out + '`';
}

std::string escape_command(std::string_view text) {
    return replace(text, {{'%', "%25"}, {'\r', "%0D"}, {'\n', "%0A"}});
}

std::string escape_command_property(std::string_view text) {
    return replace(text, {{'%', "%25"}, {'\r', "%0D"}, {'\n', "%0A"}, {':', "%3A"}, {',', "%2C"}});
}

std::string without_credentials(std::string_view url) {
    const std::size_t scheme = url.find("://");
    if (scheme == std::string_view::npos) return std::string(url);
    url = url.substr(0, url.find_first_of("?#"));
    const std::size_t host = scheme + 3;
    if (host > url.size()) return std::string(url);
    const std::string_view authority = url.substr(host, url.find('/', host) - host);
    const std::size_t at = authority.rfind('@');
    const std::size_t skip = at == std::string_view::npos ? 0 : at + 1;
    return std::string(url.substr(0, host)) + std::string(url.substr(host + skip));
}

}  // namespace oai::report
