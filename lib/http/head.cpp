#include "http/head.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>

#include "core/units.hpp"
#include "http/chars.hpp"

namespace oai::http {
namespace {

using core::Code;
using core::equals_ignore_case;
using detail::FramingFacts;

/// Empty when a line is good, else what is wrong with it: constant text, so a detail cannot leak what a peer sent.
using Complaint = std::string_view;
constexpr Complaint kFine{};
constexpr Complaint kBareLf = "ends with a bare LF; lines end with CRLF";

/// Precondition: `name` is a token and `lower` lower-case letters and dashes; then setting bit 5 is an exact
/// comparison.
bool is_name(std::string_view name, std::string_view lower) noexcept {
    for (std::size_t i = 0; i < lower.size(); ++i) {
        if ((name[i] | 0x20) != lower[i]) return false;
    }
    return true;
}

/// Control characters are rare: eight bytes are asked at once, and only a hit is looked at closely (it may be HTAB).
/// Ending with one word that overlaps the last instead of single bytes was tried: 30 ns slower for a head of 11 fields.
bool has_control(const char* at, const char* end) noexcept {
    constexpr std::uint64_t ones = 0x0101010101010101ULL;
    constexpr std::uint64_t high = ones * 0x80;
    for (; end - at >= 8; at += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, sizeof word);
        const std::uint64_t below_blank = (word - ones * 0x20) & ~word;
        const std::uint64_t flipped = word ^ (ones * 0x7F);
        const std::uint64_t is_delete = (flipped - ones) & ~flipped;
        if (((below_blank | is_delete) & high) == 0) continue;
        if (std::any_of(at, at + 8, [](char c) { return is_char(c, kControl); })) return true;
    }
    return std::any_of(at, end, [](char c) { return is_char(c, kControl); });
}

bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t';
}

std::string_view trim_blanks(const char* begin, const char* end) noexcept {
    while (begin != end && is_blank(*begin)) ++begin;
    while (begin != end && is_blank(end[-1])) --end;
    return {begin, static_cast<std::size_t>(end - begin)};
}

/// Calls `use` with each member of a comma-separated list; empty members are no members (RFC 9110 5.6.1.2).
template <class Use>
void for_each_member(std::string_view list, Use use) {
    while (!list.empty()) {
        const std::size_t comma = std::min(list.find(','), list.size());
        const std::string_view member = trim_blanks(list.data(), list.data() + comma);
        if (!member.empty()) use(member);
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
}

Complaint read_version(std::string_view text, Head& out) {
    if (text == "HTTP/1.1") {
        out.minor_version = 1;
        return kFine;
    }
    if (text == "HTTP/1.0") {
        out.minor_version = 0;
        return kFine;
    }
    if (text.substr(0, 6) == "HTTP/2" || text.substr(0, 6) == "HTTP/3")
        return "asks for a version that is not spoken here; use HTTP/1.1";
    return "must end with HTTP/1.1 or HTTP/1.0 after one blank";
}

Complaint check_host(std::string_view host) {
    constexpr Complaint wrong = "holds a Host that is not name, name:port or [IPv6]:port";
    std::size_t port = 0;
    if (host.substr(0, 1) == "[") {
        const std::size_t close = host.find(']');
        if (close == std::string_view::npos || close < 3) return wrong;
        for (const char c : host.substr(1, close - 1)) {
            if (!is_char(c, kHexDigit) && c != ':' && c != '.') return wrong;
        }
        port = close + 1;
    } else {
        port = std::min(host.find(':'), host.size());
        if (!all_chars(host.substr(0, port), kHost) || (port == 0 && !host.empty())) return wrong;
    }
    if (port == host.size()) return kFine;
    const std::string_view digits = host.substr(port + 1);
    const bool fits = host[port] == ':' && !digits.empty() && digits.size() <= 5;
    return fits && std::all_of(digits.begin(), digits.end(), is_digit) ? kFine : wrong;
}

/// Origin form, absolute form, or "*" for OPTIONS. Precondition: all of `out.target` is kTarget.
Complaint read_target(RequestHead& out) {
    std::string_view rest = out.target;
    out.host = {};
    if (rest == "*") {
        out.path = rest;
        out.query = {};
        return out.method == "OPTIONS" ? kFine : "has the target *, which only OPTIONS may have";
    }
    if (rest.front() != '/') {
        if (out.method == "CONNECT") return "is a CONNECT, and this server is no proxy";
        const std::size_t scheme = rest.find("://");
        if (scheme == std::string_view::npos || !(equals_ignore_case(rest.substr(0, scheme), "http") ||
                                                  equals_ignore_case(rest.substr(0, scheme), "https")))
            return "has a target that does not begin with / or http://";
        rest.remove_prefix(scheme + 3);
        const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
        out.host = rest.substr(0, end);
        if (out.host.empty() || !check_host(out.host).empty())
            return "has an absolute target whose host is not name, name:port or [IPv6]:port";
        rest.remove_prefix(end);
    }
    const std::size_t mark = rest.find('?');
    out.path = rest.substr(0, mark);
    out.query = mark == std::string_view::npos ? std::string_view{} : rest.substr(mark + 1);
    if (out.path.empty()) out.path = "/";  // http://host?query
    return kFine;
}

Complaint read_start_line(std::string_view line, RequestHead& out) {
    const char* at = line.data();
    const char* const end = at + line.size();
    while (at != end && is_char(*at, kToken)) ++at;
    out.method = {line.data(), static_cast<std::size_t>(at - line.data())};
    if (at == end) return "has no target and no version";
    if (*at != ' ' || out.method.empty()) return "does not begin with a method and one blank";
    const char* const target = ++at;
    while (at != end && is_char(*at, kTarget)) ++at;
    out.target = {target, static_cast<std::size_t>(at - target)};
    if (at == end) return "has no version; HTTP/0.9 is not spoken here";
    if (*at != ' ') return "has a character in its target that must be percent-encoded";
    if (out.target.empty()) return "has more than one blank after its method";
    const Complaint version = read_version({at + 1, static_cast<std::size_t>(end - at - 1)}, out);
    return version.empty() ? read_target(out) : version;
}

Complaint read_start_line(std::string_view line, ResponseHead& out) {
    const Complaint version = read_version(line.substr(0, 8), out);
    if (!version.empty()) return "does not begin with HTTP/1.1 or HTTP/1.0";
    // Some servers leave out the reason phrase together with its blank.
    const bool shaped = line.size() >= 12 && line[8] == ' ' && is_digit(line[9]) && is_digit(line[10]) &&
                        is_digit(line[11]) && (line.size() == 12 || line[12] == ' ');
    if (!shaped) return "does not hold a status of three digits after one blank";
    out.status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
    if (out.status < 100 || out.status > 599) return "holds a status that is not between 100 and 599";
    out.reason = line.substr(std::min<std::size_t>(13, line.size()));
    return has_control(out.reason.data(), out.reason.data() + out.reason.size())
               ? "holds a bare CR, a NUL or another control character"
               : kFine;
}

/// Digits only. Below 2^63, so that sums with it do not overflow in anybody's signed type.
bool read_length(std::string_view digits, std::uint64_t& out) noexcept {
    std::uint64_t value = 0;
    if (digits.empty() || digits.size() > 19) return false;  // 19 digits always fit
    for (const char c : digits) {
        if (!is_digit(c)) return false;
        value = value * 10 + static_cast<std::uint64_t>(c - '0');
    }
    out = value;
    return value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
}

Complaint read_content_length(std::string_view value, RequestHead& out, FramingFacts& facts) {
    if (facts.has_length) return "is a second Content-Length";
    facts.has_length = true;
    return read_length(value, out.content_length) ? kFine
                                                  : "holds a Content-Length that is not a whole number below 2^63";
}

/// Equal values are one (RFC 9110 8.6): front ends of providers do send them.
Complaint read_content_length(std::string_view value, ResponseHead& out, FramingFacts& facts) {
    while (true) {
        const std::size_t comma = std::min(value.find(','), value.size());
        std::uint64_t length = 0;
        if (!read_length(trim_blanks(value.data(), value.data() + comma), length))
            return "holds a Content-Length that is not a whole number below 2^63";
        if (facts.has_length && length != out.content_length) return "holds a Content-Length that contradicts another";
        facts.has_length = true;
        out.content_length = length;
        if (comma == value.size()) return kFine;
        value.remove_prefix(comma + 1);
    }
}

Complaint read_transfer_encoding(std::string_view value, FramingFacts& facts) {
    if (facts.has_chunked) return "is a second Transfer-Encoding";
    facts.has_chunked = true;
    return equals_ignore_case(value, "chunked") ? kFine : "holds a Transfer-Encoding that is not just chunked";
}

Complaint read_host(std::string_view value, RequestHead& out, FramingFacts& facts) {
    if (facts.has_host) return "is a second Host";
    facts.has_host = true;
    if (out.host.empty()) out.host = value;
    // A proxy would let an absolute target win. Nothing honest sends two names, so two names are refused.
    if (!equals_ignore_case(out.host, value)) return "holds a Host that differs from the one in the target";
    return check_host(value);
}

Complaint read_host(std::string_view, ResponseHead&, FramingFacts&) {
    return kFine;
}

void read_expect(std::string_view value, RequestHead& out) {
    if (equals_ignore_case(value, "100-continue")) out.expect_continue = true;
}

void read_expect(std::string_view, ResponseHead&) {}

void read_connection(std::string_view value, FramingFacts& facts) {
    for_each_member(value, [&](std::string_view member) {
        if (equals_ignore_case(member, "close")) facts.close = true;
        if (equals_ignore_case(member, "keep-alive")) facts.keep_alive = true;
        if (equals_ignore_case(member, "upgrade")) facts.lists_upgrade = true;
    });
}

template <class H>
Complaint read_known_field(const Field& field, H& out, FramingFacts& facts) {
    switch (field.name.size()) {
        case 4:
            if (is_name(field.name, "host")) return read_host(field.value, out, facts);
            break;
        case 6:
            if (is_name(field.name, "expect")) read_expect(field.value, out);
            break;
        case 7:
            if (is_name(field.name, "upgrade")) facts.has_upgrade = true;
            break;
        case 10:
            if (is_name(field.name, "connection")) read_connection(field.value, facts);
            break;
        case 14:
            if (is_name(field.name, "content-length")) return read_content_length(field.value, out, facts);
            break;
        case 17:
            if (is_name(field.name, "transfer-encoding")) return read_transfer_encoding(field.value, facts);
            break;
        default: break;
    }
    return kFine;
}

Complaint complaint_about_name(const char* at, const char* end) {
    const bool colon = std::memchr(at, ':', static_cast<std::size_t>(end - at)) != nullptr;
    if (!colon) return "has no colon";
    if (*at == ':') return "has no name before its colon";
    return "has a name that is not a token: letters, digits and -, and no blank before the colon";
}

/// Precondition: the line is not empty.
template <class H>
Complaint read_field_line(const char* begin, const char* end, H& out, FramingFacts& facts) {
    if (is_blank(*begin)) return "begins with a blank: folded lines are not accepted, join it with the line before";
    const char* at = begin;
    while (at != end && is_char(*at, kToken)) ++at;
    if (at == end || *at != ':' || at == begin) return complaint_about_name(begin, end);
    if (has_control(at, end)) return "holds a bare CR, a NUL or another control character";
    const Field field{{begin, static_cast<std::size_t>(at - begin)}, trim_blanks(at + 1, end)};
    const Complaint complaint = read_known_field(field, out, facts);
    if (complaint.empty()) out.fields.push_back(field);
    return complaint;
}

Complaint check_framing(Head& out, const FramingFacts& facts) {
    if (facts.has_chunked && facts.has_length) return "has both Content-Length and Transfer-Encoding";
    if (facts.has_chunked && out.minor_version == 0) return "has a Transfer-Encoding, which HTTP/1.0 does not know";
    out.keep_alive = !facts.close && (out.minor_version == 1 || facts.keep_alive);
    if (!facts.has_length) out.content_length = 0;
    return kFine;
}

Complaint finish(RequestHead& out, const FramingFacts& facts, bool) {
    if (!facts.has_host && out.minor_version == 1) return "has no Host, which HTTP/1.1 demands";
    const Complaint complaint = check_framing(out, facts);
    out.body = facts.has_chunked ? BodyFraming::chunked : facts.has_length ? BodyFraming::length : BodyFraming::none;
    out.upgrade = facts.lists_upgrade && facts.has_upgrade && out.minor_version == 1;
    out.expect_continue = out.expect_continue && out.minor_version == 1;
    return complaint;
}

Complaint finish(ResponseHead& out, const FramingFacts& facts, bool answers_head) {
    const Complaint complaint = check_framing(out, facts);
    out.upgrade = out.status == 101;
    const bool never_a_body = out.status < 200 || out.status == 204;
    if (never_a_body || answers_head || out.status == 304) {
        out.body = BodyFraming::none;
        // A body that must not be there may come all the same, and would be read as the next answer.
        if (never_a_body && (facts.has_chunked || out.content_length != 0)) out.keep_alive = false;
    } else if (facts.has_chunked) {
        out.body = BodyFraming::chunked;
    } else if (facts.has_length) {
        out.body = BodyFraming::length;
    } else {
        out.body = BodyFraming::until_close;
        out.keep_alive = false;
    }
    return complaint;
}

/// Asked before the first line is whole: who speaks another protocol may never send an LF.
Complaint check_first_byte(char c, const RequestHead&) {
    if (c == 0x16) return "begins like a TLS handshake; this port speaks plain HTTP";
    return is_char(c, kToken) || c == '\r' || c == '\n' ? kFine : "does not begin with a method";
}

Complaint check_first_byte(char c, const ResponseHead&) {
    return c == 'H' ? kFine : "does not begin with HTTP/1.1 or HTTP/1.0";
}

constexpr std::string_view start_line_name(const RequestHead&) {
    return "the request line ";
}

constexpr std::string_view start_line_name(const ResponseHead&) {
    return "the status line ";
}

/// Most names differ in length or in the first letter, which an inlined look can tell.
bool same_name(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size() || a.empty() || ((a[0] ^ b[0]) & ~0x20) != 0) return false;
    return equals_ignore_case(a, b);
}

void clear(RequestHead& out) {
    out.fields.clear();
    out.expect_continue = false;
}

void clear(ResponseHead& out) {
    out.fields.clear();
}

}  // namespace

const Field* Fields::find(std::string_view name) const noexcept {
    const Field* const found =
        std::find_if(begin(), end(), [name](const Field& field) { return same_name(field.name, name); });
    return found == end() ? nullptr : found;
}

std::string_view Fields::value(std::string_view name, std::string_view otherwise) const noexcept {
    const Field* const field = find(name);
    return field == nullptr ? otherwise : field->value;
}

std::size_t Fields::count(std::string_view name) const noexcept {
    return static_cast<std::size_t>(
        std::count_if(begin(), end(), [name](const Field& field) { return same_name(field.name, name); }));
}

HeadStatus HeadReader::read_request(std::string_view input, RequestHead& out) {
    return read(input, out, false);
}

HeadStatus HeadReader::read_response(std::string_view input, std::string_view request_method, ResponseHead& out) {
    return read(input, out, request_method == "HEAD");
}

template <class H>
HeadStatus HeadReader::read(std::string_view input, H& out, bool answers_head) {
    constexpr bool response = std::is_same_v<H, ResponseHead>;
    if (stage_ == Stage::malformed) return HeadStatus::malformed;
    if (stage_ == Stage::complete || input.data() != base_ || input.size() < scanned_) {
        begin(input);
        clear(out);
    }
    const std::size_t window = std::min(input.size(), limits_.max_bytes);
    while (scanned_ < window) {
        const char* const line = base_ + line_start_;
        if (stage_ == Stage::start_line) {
            if (const Complaint bad = check_first_byte(*line, out); !bad.empty())
                return refuse(start_line_name(out), bad, response);
        }
        const auto* const lf = static_cast<const char*>(std::memchr(base_ + scanned_, '\n', window - scanned_));
        const std::size_t next = lf == nullptr ? window : static_cast<std::size_t>(lf - base_) + 1;
        total_scanned_ += next - scanned_;
        scanned_ = next;
        if (lf == nullptr) break;

        const bool crlf = lf != line && lf[-1] == '\r';
        const char* const end = crlf ? lf - 1 : lf;
        if (stage_ == Stage::start_line) {
            Complaint bad = crlf ? kFine : kBareLf;
            if (crlf && end == line) {
                if (skipped_empty_) bad = "follows more than one empty line";
                skipped_empty_ = true;
            } else if (crlf) {
                bad = read_start_line({line, static_cast<std::size_t>(end - line)}, out);
                stage_ = Stage::fields;
            }
            if (!bad.empty()) return refuse(start_line_name(out), bad, response);
        } else if (crlf && end == line) {
            if (const Complaint bad = finish(out, facts_, answers_head); !bad.empty())
                return refuse("the head ", bad, response);
            stage_ = Stage::complete;
            line_start_ = next;
            return HeadStatus::complete;
        } else {
            const std::size_t number = out.fields.size() + 1;
            if (number > std::min(limits_.max_fields, Fields::kCapacity))
                return refuse_size("fields", std::min(limits_.max_fields, Fields::kCapacity), response);
            if (const Complaint bad = crlf ? read_field_line(line, end, out, facts_) : kBareLf; !bad.empty())
                return refuse("header line " + std::to_string(number) + ' ', bad, response);
        }
        line_start_ = next;
    }
    return input.size() < limits_.max_bytes ? HeadStatus::incomplete
                                            : refuse_size("bytes", limits_.max_bytes, response);
}

void HeadReader::begin(std::string_view input) noexcept {
    base_ = input.data();
    line_start_ = 0;
    scanned_ = 0;
    stage_ = Stage::start_line;
    skipped_empty_ = false;
    facts_ = {};
}

HeadStatus HeadReader::refuse(std::string_view where, std::string_view what, bool response) {
    stage_ = Stage::malformed;
    error_.code = response ? Code::upstream_malformed : Code::malformed_http;
    error_.source = response ? core::Source::upstream : core::Source::downstream;
    error_.detail.assign(where).append(what);
    return HeadStatus::malformed;
}

HeadStatus HeadReader::refuse_size(std::string_view what, std::size_t limit, bool response) {
    refuse("the head has more than ", std::to_string(limit).append(" ").append(what), response);
    if (!response) error_.code = Code::head_too_large;
    return HeadStatus::malformed;
}

void HeadReader::reset() noexcept {
    begin({});
    error_ = {};
    total_scanned_ = 0;
}

bool is_hop_by_hop(std::string_view name) noexcept {
    switch (name.size()) {
        case 2: return equals_ignore_case(name, "te");
        case 7: return equals_ignore_case(name, "upgrade") || equals_ignore_case(name, "trailer");
        case 8: return equals_ignore_case(name, "trailers");  // RFC 2616 said so, and software believed it
        case 10: return equals_ignore_case(name, "connection") || equals_ignore_case(name, "keep-alive");
        case 14: return equals_ignore_case(name, "http2-settings");
        case 16: return equals_ignore_case(name, "proxy-connection");
        case 17: return equals_ignore_case(name, "transfer-encoding");
        case 18: return equals_ignore_case(name, "proxy-authenticate");
        case 19: return equals_ignore_case(name, "proxy-authorization");
        default: return false;
    }
}

bool list_has(std::string_view list, std::string_view token) noexcept {
    bool found = false;
    for_each_member(list, [&](std::string_view member) { found = found || equals_ignore_case(member, token); });
    return found;
}

bool connection_lists(const Fields& fields, std::string_view name) noexcept {
    return std::any_of(fields.begin(), fields.end(), [name](const Field& field) {
        return equals_ignore_case(field.name, "connection") && list_has(field.value, name);
    });
}

}  // namespace oai::http
