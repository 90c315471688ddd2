#include "http/head.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>

#include "core/units.hpp"
#include "http/chars.hpp"
#include "http/stop_scan.hpp"

namespace oai::http {
namespace detail {

enum class Ending : std::uint8_t { crlf, lf, control };

/// A line as the scan finds it, and how far it came.
struct Line {
    const char* begin;
    const char* colon = nullptr;  ///< the first one; null when there is none
    const char* end;  ///< how far it came; then its CR, bare LF, or the control character that may not be there
    Ending ending = Ending::crlf;

    std::string_view up_to(const char* at) const noexcept { return {begin, static_cast<std::size_t>(at - begin)}; }
    bool is_empty() const noexcept { return end == begin && ending == Ending::crlf; }
    /// The line behind this one. Precondition: this one ends with CRLF.
    Line next() const noexcept { return {.begin = end + 2, .end = end + 2}; }

    /// Goes on to where the line ends. False when that is not here yet: then `end` is where to look again.
    /// Inlined by force, so that the scan lives in registers: a tenth of the time.
    [[gnu::always_inline]] bool find_end(StopScan& scan) noexcept {
        for (end = scan.next(); end != scan.end() && (*end == ':' || *end == '\t'); end = scan.next()) {
            if (colon == nullptr && *end == ':') colon = end;
        }
        if (end == scan.end()) return false;
        if (*end != '\r') {
            ending = *end == '\n' ? Ending::lf : Ending::control;
            return true;
        }
        if (end + 1 == scan.end()) return false;
        ending = end[1] == '\n' ? Ending::crlf : Ending::control;
        if (ending == Ending::crlf) scan.skip();
        return true;
    }
};

}  // namespace detail

namespace {

using core::Code;
using core::equals_ignore_case;
using detail::Ending;
using detail::FramingFacts;
using detail::Line;

/// Empty when a line is good, else what is wrong with it: constant text, so a detail cannot leak what a peer sent.
using Complaint = std::string_view;
constexpr Complaint kFine{};
constexpr Complaint kBareLf = "ends with a bare LF; lines end with CRLF";
constexpr Complaint kControlInside = "holds a bare CR, a NUL or another control character";

bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t';
}

inline std::string_view trim_blanks(const char* begin, const char* end) noexcept {
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
    return kFine;
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

Complaint read_content_length(std::string_view value, RequestHead& out) {
    if (out.fields.has(KnownField::content_length)) return "is a second Content-Length";
    return read_length(value, out.content_length) ? kFine
                                                  : "holds a Content-Length that is not a whole number below 2^63";
}

/// Equal values are one (RFC 9110 8.6): front ends of providers do send them.
Complaint read_content_length(std::string_view value, ResponseHead& out) {
    for (bool first = !out.fields.has(KnownField::content_length); true; first = false) {
        const std::size_t comma = std::min(value.find(','), value.size());
        std::uint64_t length = 0;
        if (!read_length(trim_blanks(value.data(), value.data() + comma), length))
            return "holds a Content-Length that is not a whole number below 2^63";
        if (!first && length != out.content_length) return "holds a Content-Length that contradicts another";
        out.content_length = length;
        if (comma == value.size()) return kFine;
        value.remove_prefix(comma + 1);
    }
}

Complaint read_transfer_encoding(std::string_view value, const Head& out) {
    if (out.fields.has(KnownField::transfer_encoding)) return "is a second Transfer-Encoding";
    return equals_ignore_case(value, "chunked") ? kFine : "holds a Transfer-Encoding that is not just chunked";
}

Complaint read_host(std::string_view value, RequestHead& out) {
    if (out.fields.has(KnownField::host)) return "is a second Host";
    // A proxy would let an absolute target win. Nothing honest sends two names, so two names are refused.
    if (!out.host.empty() && !equals_ignore_case(out.host, value))
        return "holds a Host that differs from the one in the target";
    if (out.host.empty()) out.host = value;
    return check_host(value);
}

Complaint read_host(std::string_view, ResponseHead&) {
    return kFine;
}

void read_expect(std::string_view value, RequestHead& out) {
    if (equals_ignore_case(value, "100-continue")) out.expect_continue = true;
}

void read_expect(std::string_view, ResponseHead&) {}

void read_connection(std::string_view value, Head& out, FramingFacts& facts) {
    for_each_member(value, [&](std::string_view member) {
        switch (known_field(member)) {
            case KnownField::keep_alive: facts.keep_alive = true; break;
            case KnownField::upgrade: facts.lists_upgrade = true; break;
            default:
                if (equals_ignore_case(member, "close")) {
                    facts.close = true;
                } else {
                    out.lists_fields = true;
                }
        }
    });
}

template <class H>
Complaint read_known_field(KnownField known, std::string_view value, H& out, FramingFacts& facts) {
    switch (known) {
        case KnownField::connection: read_connection(value, out, facts); return kFine;
        case KnownField::content_length: return read_content_length(value, out);
        case KnownField::expect: read_expect(value, out); return kFine;
        case KnownField::host: return read_host(value, out);
        case KnownField::transfer_encoding: return read_transfer_encoding(value, out);
        default: return kFine;
    }
}

Complaint complaint_about_name(const Line& line) {
    if (is_blank(*line.begin))
        return "begins with a blank: folded lines are not accepted, join it with the line before";
    if (line.colon == nullptr && line.ending == Ending::crlf) return "has no colon";
    if (line.colon == line.begin) return "has no name before its colon";
    return "has a name that is not a token: letters, digits and -, and no blank before the colon";
}

/// Precondition: the line is not empty.
template <class H>
Complaint read_field_line(const Line& line, H& out, FramingFacts& facts) {
    if (line.ending == Ending::lf) return kBareLf;
    if (line.colon == nullptr || line.colon == line.begin) return complaint_about_name(line);
    const std::string_view name = line.up_to(line.colon);
    const KnownField known = known_field(name);
    if (known == KnownField::other && !all_chars(name, kToken)) return complaint_about_name(line);
    if (line.ending == Ending::control) return kControlInside;
    const std::string_view value = trim_blanks(line.colon + 1, line.end);
    const Complaint complaint = read_known_field(known, value, out, facts);
    if (complaint.empty()) out.fields.push_back({name, value, known, line.up_to(line.end).size() + 2});
    return complaint;
}

Complaint check_framing(Head& out, const FramingFacts& facts) {
    const bool has_length = out.fields.has(KnownField::content_length);
    const bool chunked = out.fields.has(KnownField::transfer_encoding);
    if (chunked && has_length) return "has both Content-Length and Transfer-Encoding";
    if (chunked && out.minor_version == 0) return "has a Transfer-Encoding, which HTTP/1.0 does not know";
    out.keep_alive = !facts.close && (out.minor_version == 1 || facts.keep_alive);
    if (!has_length) out.content_length = 0;
    out.body = chunked ? BodyFraming::chunked : has_length ? BodyFraming::length : BodyFraming::none;
    return kFine;
}

Complaint finish(RequestHead& out, const FramingFacts& facts, bool) {
    if (!out.fields.has(KnownField::host) && out.minor_version == 1) return "has no Host, which HTTP/1.1 demands";
    const Complaint complaint = check_framing(out, facts);
    out.upgrade = facts.lists_upgrade && out.fields.has(KnownField::upgrade) && out.minor_version == 1;
    out.expect_continue = out.expect_continue && out.minor_version == 1;
    return complaint;
}

Complaint finish(ResponseHead& out, const FramingFacts& facts, bool answers_head) {
    const Complaint complaint = check_framing(out, facts);
    out.upgrade = out.status == 101;
    const bool never_a_body = out.status < 200 || out.status == 204;
    if (never_a_body || answers_head || out.status == 304) {
        // A body that must not be there may come all the same, and would be read as the next answer.
        if (never_a_body && (out.body == BodyFraming::chunked || out.content_length != 0)) out.keep_alive = false;
        out.body = BodyFraming::none;
    } else if (out.body == BodyFraming::none) {
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

void clear(RequestHead& out) {
    out.fields.clear();
    out.lists_fields = false;
    out.expect_continue = false;
}

void clear(ResponseHead& out) {
    out.fields.clear();
    out.lists_fields = false;
}

}  // namespace

const Field* Fields::find(std::string_view name) const noexcept {
    const KnownField known = known_field(name);
    if (known != KnownField::other) return find(known);
    const Field* const found = std::find_if(begin(), end(), [name](const Field& field) {
        return field.known == KnownField::other && equals_ignore_case(field.name, name);
    });
    return found == end() ? nullptr : found;
}

std::string_view Fields::value(std::string_view name, std::string_view otherwise) const noexcept {
    const Field* const field = find(name);
    return field == nullptr ? otherwise : field->value;
}

std::size_t Fields::count(std::string_view name) const noexcept {
    const KnownField known = known_field(name);
    return static_cast<std::size_t>(std::count_if(begin(), end(), [name, known](const Field& field) {
        return field.known == known && (known != KnownField::other || equals_ignore_case(field.name, name));
    }));
}

HeadStatus HeadReader::read_request(std::string_view input, RequestHead& out) {
    return read(input, out, false);
}

HeadStatus HeadReader::read_response(std::string_view input, std::string_view request_method, ResponseHead& out) {
    return read(input, out, request_method == "HEAD");
}

template <class H>
HeadStatus HeadReader::read(std::string_view input, H& out, bool answers_head) {
    if (stage_ == Stage::malformed) return HeadStatus::malformed;
    if (stage_ == Stage::complete || input.data() != base_ || input.size() < scanned_) {
        begin(input);
        clear(out);
    }
    StopScan scan(base_, base_ + scanned_, base_ + std::min(input.size(), limits_.max_bytes));
    Line line{.begin = base_ + line_start_, .colon = colon_ == 0 ? nullptr : base_ + colon_, .end = base_ + scanned_};
    HeadStatus status = stage_ == Stage::start_line ? read_first_line(scan, line, out) : HeadStatus::complete;
    if (status == HeadStatus::complete) status = read_fields(scan, line, out, answers_head);
    if (status != HeadStatus::incomplete || input.size() < limits_.max_bytes) return status;
    return refuse_size("bytes", limits_.max_bytes, std::is_same_v<H, ResponseHead>);
}

/// The request line or the status line, once it is here; then `line` is the next one.
template <class H>
HeadStatus HeadReader::read_first_line(StopScan& scan, Line& line, H& out) {
    constexpr bool response = std::is_same_v<H, ResponseHead>;
    while (line.begin != scan.end()) {
        if (const Complaint bad = check_first_byte(*line.begin, out); !bad.empty())
            return refuse(start_line_name(out), bad, response);
        if (!line.find_end(scan)) break;
        Complaint bad;
        if (line.is_empty()) {
            if (skipped_empty_) bad = "follows more than one empty line";
            skipped_empty_ = true;
        } else if (line.ending == Ending::lf) {
            bad = kBareLf;
        } else {
            const bool whole = line.ending == Ending::crlf;
            bad = read_start_line(line.up_to(whole ? line.end : line.end + 1), out);
            if (bad.empty() && !whole) bad = kControlInside;
            stage_ = Stage::fields;
        }
        if (!bad.empty()) return refuse(start_line_name(out), bad, response);
        line = line.next();
        if (stage_ == Stage::fields) return HeadStatus::complete;
    }
    remember(line);
    return HeadStatus::incomplete;
}

/// The header lines, as far as they are here. Both by value: what only lives here can live in registers.
template <class H>
HeadStatus HeadReader::read_fields(StopScan scan, Line line, H& out, bool answers_head) {
    constexpr bool response = std::is_same_v<H, ResponseHead>;
    const std::size_t most = std::min(limits_.max_fields, Fields::kCapacity);
    for (; line.find_end(scan); line = line.next()) {
        if (line.is_empty()) {
            if (const Complaint bad = finish(out, facts_, answers_head); !bad.empty())
                return refuse("the head ", bad, response);
            stage_ = Stage::complete;
            remember(line.next());
            return HeadStatus::complete;
        }
        if (out.fields.size() == most) return refuse_size("fields", most, response);
        if (const Complaint bad = read_field_line(line, out, facts_); !bad.empty())
            return refuse("header line " + std::to_string(out.fields.size() + 1) + ' ', bad, response);
    }
    remember(line);
    return HeadStatus::incomplete;
}

void HeadReader::remember(const Line& line) noexcept {
    const auto end = static_cast<std::size_t>(line.end - base_);
    total_scanned_ += end - scanned_;
    scanned_ = end;
    line_start_ = static_cast<std::size_t>(line.begin - base_);
    colon_ = line.colon == nullptr ? 0 : static_cast<std::size_t>(line.colon - base_);
}

void HeadReader::begin(std::string_view input) noexcept {
    base_ = input.data();
    line_start_ = 0;
    scanned_ = 0;
    colon_ = 0;
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
    const bool in_start_line = stage_ == Stage::start_line;
    refuse(in_start_line && !response ? "the request line has more than " : "the head has more than ",
           std::to_string(limit).append(" ").append(what), response);
    if (!response) error_.code = in_start_line ? Code::target_too_long : Code::head_too_large;
    return HeadStatus::malformed;
}

void HeadReader::reset() noexcept {
    begin({});
    error_ = {};
    total_scanned_ = 0;
}

bool list_has(std::string_view list, std::string_view token) noexcept {
    bool found = false;
    for_each_member(list, [&](std::string_view member) { found = found || equals_ignore_case(member, token); });
    return found;
}

bool connection_lists(const Fields& fields, std::string_view name) noexcept {
    return std::any_of(fields.begin(), fields.end(), [name](const Field& field) {
        return field.known == KnownField::connection && list_has(field.value, name);
    });
}

}  // namespace oai::http
