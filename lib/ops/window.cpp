#include "ops/window.hpp"

#include <array>
#include <string>

#include "core/units.hpp"

namespace oai::ops {

using core::Result;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

core::Error bad(std::string detail, std::string_view param) {
    return core::Error{.code = core::Code::invalid_request,
                       .source = core::Source::downstream,
                       .detail = std::move(detail),
                       .param = std::string(param)};
}

}  // namespace

Result<seconds> parse_time_range(std::string_view text) {
    struct Named {
        std::string_view name;
        seconds length;
    };
    static constexpr std::array<Named, 7> known{{{"5m", minutes{5}},
                                                 {"30m", minutes{30}},
                                                 {"1h", hours{1}},
                                                 {"6h", hours{6}},
                                                 {"24h", hours{24}},
                                                 {"7d", hours{24 * 7}},
                                                 {"30d", hours{24 * 30}}}};
    for (const Named& one : known) {
        if (one.name == text) return one.length;
    }
    return bad("time_range must be one of 5m 30m 1h 6h 24h 7d 30d, got \"" + std::string(text) + "\"", "time_range");
}

Result<TimeRange> resolve_range(std::optional<std::string_view> time_range, std::optional<std::string_view> start_time,
                                std::optional<std::string_view> end_time, core::WallTime now) {
    const Result<seconds> length = parse_time_range(time_range.value_or("1h"));
    if (!length) return length.error();
    TimeRange range{.start = now - *length, .end = now};
    if (!start_time && !end_time) return range;
    if (end_time) {
        const Result<core::WallTime> end = core::parse_rfc3339(*end_time);
        if (!end) return bad("end_time: " + end.error().detail, "end_time");
        range.end = *end;
        range.start = *end - *length;
    }
    if (start_time) {
        const Result<core::WallTime> start = core::parse_rfc3339(*start_time);
        if (!start) return bad("start_time: " + start.error().detail, "start_time");
        range.start = *start;
    }
    if (range.start > range.end) return bad("invalid time range: start_time must be <= end_time", "start_time");
    if (range.end - range.start > hours{24 * 30}) return bad("invalid time range: at most 30 days", "start_time");
    return range;
}

}  // namespace oai::ops
