#include "json/writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace oai::json {
namespace {

/// Length of the valid UTF-8 sequence at the start of `text`, 0 when there is none (RFC 3629: no surrogates, no
/// overlong forms).
std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto tail = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xC0) == 0x80; };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead <= 0xDF) return tail(1) ? 2 : 0;
    if (lead >= 0xE0 && lead <= 0xEF) {
        if (!tail(1) || !tail(2)) return 0;
        if (lead == 0xE0 && byte(1) < 0xA0) return 0;
        if (lead == 0xED && byte(1) > 0x9F) return 0;
        return 3;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        if (!tail(1) || !tail(2) || !tail(3)) return 0;
        if (lead == 0xF0 && byte(1) < 0x90) return 0;
        if (lead == 0xF4 && byte(1) > 0x8F) return 0;
        return 4;
    }
    return 0;
}

/// ASCII that needs no escape.
bool is_plain(char c) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte < 0x7F && c != '"' && c != '\\';
}

template <class Number>
void append_number(std::string& out, Number number) {
    std::array<char, 24> digits{};
    const auto [end, ec] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    out.append(digits.data(), end);
}

}  // namespace

void append_quoted(std::string& out, std::string_view text) {
    constexpr std::string_view hex = "0123456789abcdef";
    out += '"';
    while (!text.empty()) {
        // What stands as it is goes in one piece: nearly always all of it.
        const auto plain = static_cast<std::size_t>(std::ranges::find_if_not(text, is_plain) - text.begin());
        out.append(text.substr(0, plain));
        text.remove_prefix(plain);
        if (text.empty()) break;
        const char c = text.front();
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x80) {
            const std::size_t length = utf8_length(text);
            out.append(length == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(0, length));
            text.remove_prefix(length == 0 ? 1 : length);
            continue;
        }
        switch (c) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\n': out += "\\n"; break;
            case '\r': out += "\\r"; break;
            case '\t': out += "\\t"; break;
            default:
                out += "\\u00";
                out += hex[byte >> 4];
                out += hex[byte & 0xF];
        }
        text.remove_prefix(1);
    }
    out += '"';
}

void Writer::line_break() {
    if (!pretty_) return;
    out_ += '\n';
    out_.append(static_cast<std::size_t>(depth_) * 2, ' ');
}

void Writer::before_value() {
    if (after_key_) {
        after_key_ = false;
        return;
    }
    if (depth_ == 0) return;
    if (!first_) out_ += ',';
    first_ = false;
    line_break();
}

Writer& Writer::begin_object() {
    before_value();
    out_ += '{';
    ++depth_;
    first_ = true;
    return *this;
}

Writer& Writer::begin_array() {
    before_value();
    out_ += '[';
    ++depth_;
    first_ = true;
    return *this;
}

Writer& Writer::close(char bracket) {
    --depth_;
    if (!first_) line_break();
    out_ += bracket;
    first_ = false;
    return *this;
}

Writer& Writer::end_object() {
    return close('}');
}

Writer& Writer::end_array() {
    return close(']');
}

Writer& Writer::key(std::string_view name) {
    before_value();
    append_quoted(out_, name);
    out_ += pretty_ ? std::string_view(": ") : std::string_view(":");
    after_key_ = true;
    return *this;
}

Writer& Writer::value(std::string_view text) {
    before_value();
    append_quoted(out_, text);
    return *this;
}

Writer& Writer::value(bool flag) {
    before_value();
    out_ += flag ? "true" : "false";
    return *this;
}

Writer& Writer::value(std::nullptr_t) {
    before_value();
    out_ += "null";
    return *this;
}

Writer& Writer::integer(std::int64_t number) {
    before_value();
    append_number(out_, number);
    return *this;
}

Writer& Writer::unsigned_integer(std::uint64_t number) {
    before_value();
    append_number(out_, number);
    return *this;
}

Writer& Writer::decimal(std::int64_t scaled, int decimals) {
    before_value();
    std::string digits = std::to_string(scaled < 0 ? -scaled : scaled);
    const auto places = static_cast<std::size_t>(decimals);
    if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
    if (places != 0) digits.insert(digits.size() - places, 1, '.');
    if (scaled < 0) out_ += '-';
    out_ += digits;
    return *this;
}

Writer& Writer::raw(std::string_view json) {
    if (!pretty_) {
        before_value();
        out_ += json;
        return *this;
    }
    // Lays the tokens out by the same rules; strings are copied whole, white space outside of them is dropped.
    for (std::size_t i = 0; i < json.size();) {
        const char c = json[i];
        if (c == '{') {
            begin_object();
        } else if (c == '[') {
            begin_array();
        } else if (c == '}' || c == ']') {
            close(c);
        } else if (c == ':') {
            out_ += ": ";
            after_key_ = true;
        } else if (c != ',' && c != ' ' && c != '\n' && c != '\t' && c != '\r') {
            std::size_t end = i + 1;
            if (c == '"') {
                while (end < json.size() && json[end] != '"') end += json[end] == '\\' ? 2 : 1;
                ++end;
            } else {
                while (end < json.size() && std::string_view(",]} \n\t\r").find(json[end]) == std::string_view::npos)
                    ++end;
            }
            before_value();
            out_ += json.substr(i, end - i);
            i = end;
            continue;
        }
        ++i;
    }
    return *this;
}

}  // namespace oai::json
