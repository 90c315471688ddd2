#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

// Slow and plain text functions for the fuzz targets' own opinion of an input. They share nothing with lib/.

namespace oai::fuzz {

inline bool holds_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < 32 && c != '\t') || c == 127; });
}

inline bool all_of(std::string_view text, std::string_view alphabet) {
    return text.find_first_not_of(alphabet) == std::string_view::npos;
}

inline constexpr std::string_view kDigits = "0123456789";
inline constexpr std::string_view kHex = "0123456789abcdefABCDEF";
inline constexpr std::string_view kToken =
    "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

inline bool all_hex(std::string_view text) {
    return all_of(text, kHex);
}

inline bool is_token(std::string_view text) {
    return !text.empty() && all_of(text, kToken);
}

inline std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    return out;
}

inline std::string trimmed(std::string_view text) {
    std::string out(text);
    while (!out.empty() && (out.front() == ' ' || out.front() == '\t')) out.erase(0, 1);
    while (!out.empty() && (out.back() == ' ' || out.back() == '\t')) out.pop_back();
    return out;
}

inline std::vector<std::string> split(std::string_view text, std::string_view separator) {
    std::vector<std::string> parts;
    for (;;) {
        const std::size_t end = text.find(separator);
        parts.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + separator.size());
    }
}

/// Members of a comma-separated list, trimmed, lower case, empty ones left out.
inline std::vector<std::string> members(std::string_view list) {
    std::vector<std::string> out;
    for (const std::string& part : split(list, ",")) {
        if (std::string member = lower(trimmed(part)); !member.empty()) out.push_back(std::move(member));
    }
    return out;
}

inline bool holds(const std::vector<std::string>& list, std::string_view member) {
    return std::find(list.begin(), list.end(), member) != list.end();
}

/// Whether it is UTF-8, by the value of each character. A character cut off by the end counts as good unless `whole`.
inline bool plainly_utf8(std::string_view text, bool whole) {
    for (std::size_t at = 0; at < text.size();) {
        const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
        const unsigned first = byte(at);
        const std::size_t more = first < 0x80       ? 0
                                 : first >> 5 == 6  ? 1
                                 : first >> 4 == 14 ? 2
                                 : first >> 3 == 30 ? 3
                                                    : 9;
        if (more == 9) return false;
        const std::size_t here = std::min(more, text.size() - at - 1);
        for (std::size_t i = 1; i <= here; ++i) {
            if (byte(at + i) >> 6 != 2) return false;
        }
        // What is cut off is judged by the least and by the greatest character that it may become.
        unsigned least = more == 0 ? first : first & (0x3FU >> more), most = least;
        for (std::size_t i = 1; i <= more; ++i) {
            least = least << 6 | (i <= here ? byte(at + i) & 0x3FU : 0U);
            most = most << 6 | (i <= here ? byte(at + i) & 0x3FU : 0x3FU);
        }
        constexpr unsigned floor[] = {0, 0x80, 0x800, 0x10000};
        if (most < floor[more] || least > 0x10FFFF || (least >= 0xD800 && most <= 0xDFFF)) return false;
        if (here < more) return !whole;
        at += more + 1;
    }
    return true;
}

}  // namespace oai::fuzz
