#include "http.hpp"

#include <charconv>
#include <cstring>

namespace oai::bench {
namespace {

/// `lower` is in lower case.
bool is_name(std::string_view name, std::string_view lower) noexcept {
    for (std::size_t i = 0; i < lower.size(); ++i)
        if ((name[i] | 0x20) != lower[i]) return false;
    return true;
}

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// Up to the line's end, which is taken off `bytes`; a null view when there is none.
std::string_view take_line(std::string_view& bytes) noexcept {
    const void* const found = bytes.empty() ? nullptr : std::memchr(bytes.data(), '\n', bytes.size());
    if (found == nullptr) return {};
    const auto length = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
    std::string_view line = bytes.substr(0, length);
    bytes.remove_prefix(length + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

bool read_first_line(std::string_view line, Head& head) noexcept {
    const std::size_t space = line.find(' ');
    if (space == line.npos) return false;
    const std::string_view rest = line.substr(space + 1);
    if (line.starts_with("HTTP/")) {
        const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), head.status);
        return error == std::errc{} && end == rest.data() + 3;
    }
    head.target = rest.substr(0, rest.find(' '));
    return rest.ends_with("HTTP/1.1");
}

bool read_field(std::string_view line, Head& head) noexcept {
    const std::size_t colon = line.find(':');
    if (colon == line.npos) return false;
    const std::string_view name = line.substr(0, colon);
    std::string_view value = line.substr(colon + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    switch (name.size()) {  // a length tells most names apart, so that few are compared
        case 12:
            if (is_name(name, "content-type")) head.content_type = value;
            return true;
        case 13:
            if (is_name(name, "authorization")) head.authorization = value;
            return true;
        case 14:
            if (!is_name(name, "content-length")) return true;
            return std::from_chars(value.data(), value.data() + value.size(), head.content_length).ec == std::errc{};
        case 17:
            if (is_name(name, "transfer-encoding")) head.chunked = true;
            return true;
        default: return true;
    }
}

}  // namespace

Scan scan_head(std::string_view bytes, Head& head) noexcept {
    head = {};
    std::string_view rest = bytes;
    const std::string_view first = take_line(rest);
    if (first.data() == nullptr) return Scan::incomplete;
    if (!read_first_line(first, head)) return Scan::broken;
    for (;;) {
        const std::string_view line = take_line(rest);
        if (line.data() == nullptr) return Scan::incomplete;
        if (line.empty()) break;
        if (!read_field(line, head)) return Scan::broken;
    }
    head.size = bytes.size() - rest.size();
    return Scan::done;
}

void BodyReader::begin(const Head& head) noexcept {
    left_ = head.chunked ? 0 : head.content_length;
    if (head.chunked) {
        state_ = State::chunk_size;
    } else {
        state_ = left_ == 0 ? State::ended : State::plain;
    }
}

void BodyReader::read_framing(char c) noexcept {
    if (state_ == State::chunk_size && c != '\n') {
        if (const int digit = hex_digit(c); digit >= 0) left_ = left_ * 16 + static_cast<std::size_t>(digit);
        return;
    }
    if (c != '\n') return;
    switch (state_) {
        case State::chunk_size: state_ = left_ == 0 ? State::last_line : State::chunk; return;
        case State::chunk_end: state_ = State::chunk_size; return;
        default: state_ = State::ended; return;
    }
}

}  // namespace oai::bench
