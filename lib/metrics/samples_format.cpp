#include "metrics/samples_format.hpp"

#include <zlib.h>

namespace oai::metrics::format {
namespace {

enum Flag : unsigned {
    stream_flag = 1 << 0,
    token_limited_flag = 1 << 1,
    business_limited_flag = 1 << 2,
    upstream_failed_flag = 1 << 3,
    upstream_throttled_flag = 1 << 4,
    late_flag = 1 << 5,
    all_flags = (1 << 6) - 1,
};

void append_le(std::string& out, std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xFF);
}

std::uint64_t read_le(std::string_view bytes, std::size_t at, int width) noexcept {
    std::uint64_t value = 0;
    for (int i = width - 1; i >= 0; --i)
        value = value << 8 | static_cast<unsigned char>(bytes[at + static_cast<std::size_t>(i)]);
    return value;
}

std::int64_t read_i64(std::string_view bytes, std::size_t at) noexcept {
    return static_cast<std::int64_t>(read_le(bytes, at, 8));
}

/// In the order of the record, from byte 0.
constexpr std::int64_t Sample::*kTimes[] = {
    &Sample::start_us, &Sample::response_us, &Sample::service_us, &Sample::ttfb_us,     &Sample::ttfe_us,
    &Sample::ttft_us,  &Sample::tpot_us,     &Sample::queue_us,   &Sample::overhead_us,
};

}  // namespace

void append_u32(std::string& out, std::uint32_t value) {
    append_le(out, value, 4);
}

std::uint32_t read_u32(std::string_view bytes, std::size_t at) noexcept {
    return static_cast<std::uint32_t>(read_le(bytes, at, 4));
}

void append(std::string& out, const Sample& s) {
    for (const auto time : kTimes) append_le(out, static_cast<std::uint64_t>(s.*time), 8);
    append_u32(out, s.stream_id);
    append_u32(out, s.input_tokens);
    append_u32(out, s.output_tokens);
    append_le(out, s.http_status, 2);
    append_le(out, static_cast<std::uint64_t>(s.outcome), 1);
    append_le(out, static_cast<std::uint64_t>(s.owner), 1);
    const unsigned flags = (s.stream ? stream_flag : 0u) | (s.token_limited ? token_limited_flag : 0u) |
                           (s.business_limited ? business_limited_flag : 0u) |
                           (s.upstream_failed ? upstream_failed_flag : 0u) |
                           (s.upstream_throttled ? upstream_throttled_flag : 0u) | (s.late ? late_flag : 0u);
    append_le(out, flags, 4);
    append_le(out, 0, 4);
}

bool parse(std::string_view record, Sample& s) noexcept {
    std::size_t at = 0;
    for (const auto time : kTimes) {
        s.*time = read_i64(record, at);
        if (time != &Sample::start_us && s.*time < -1) return false;
        at += 8;
    }
    s.stream_id = read_u32(record, 72);
    s.input_tokens = read_u32(record, 76);
    s.output_tokens = read_u32(record, 80);
    s.http_status = static_cast<std::uint16_t>(read_le(record, 84, 2));
    const auto outcome = static_cast<unsigned char>(record[86]);
    const auto owner = static_cast<unsigned char>(record[87]);
    const std::uint32_t flags = read_u32(record, 88);
    if (outcome >= kOutcomes || owner > static_cast<unsigned char>(Owner::upstream) || (flags & ~all_flags) != 0)
        return false;
    s.outcome = static_cast<Outcome>(outcome);
    s.owner = static_cast<Owner>(owner);
    s.stream = (flags & stream_flag) != 0;
    s.token_limited = (flags & token_limited_flag) != 0;
    s.business_limited = (flags & business_limited_flag) != 0;
    s.upstream_failed = (flags & upstream_failed_flag) != 0;
    s.upstream_throttled = (flags & upstream_throttled_flag) != 0;
    s.late = (flags & late_flag) != 0;
    return true;
}

void append(std::string& out, const Gap& gap) {
    append_le(out, static_cast<std::uint64_t>(gap.at_us), 8);
    append_le(out, static_cast<std::uint64_t>(gap.gap_us), 8);
    append_u32(out, gap.stream_id);
    append_u32(out, 0);
}

bool parse(std::string_view record, Gap& gap) noexcept {
    gap.at_us = read_i64(record, 0);
    gap.gap_us = read_i64(record, 8);
    gap.stream_id = read_u32(record, 16);
    return gap.gap_us >= 0;
}

std::uint32_t crc(std::string_view bytes) noexcept {
    return static_cast<std::uint32_t>(
        ::crc32(0, reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<unsigned>(bytes.size())));
}

}  // namespace oai::metrics::format
