#include "rollout/overview.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "core/units.hpp"
#include "metrics/block.hpp"

namespace oai::rollout {
namespace {

using core::Error;
using core::Result;
using json::Value;
using metrics::Ratio;
using std::chrono::seconds;

constexpr std::pair<std::string_view, seconds> kTimeRanges[] = {
    {"5m", seconds{300}},    {"30m", seconds{1800}},     {"1h", seconds{3600}},       {"6h", seconds{21600}},
    {"24h", seconds{86400}}, {"7d", seconds{7 * 86400}}, {"30d", seconds{30 * 86400}}};

Error bad(std::string detail) {
    return Error{.code = core::Code::parse_failed, .source = core::Source::upstream, .detail = std::move(detail)};
}

std::string percent_encoded(std::string_view text) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (kPlain.find(c) != std::string_view::npos) {
            out += c;
        } else {
            out += {'%', kHex[byte >> 4], kHex[byte & 15]};
        }
    }
    return out;
}

/// The member unless it is missing or null.
const Value* given(const Value& object, std::string_view path) {
    const Value* value = object.find_path(path);
    return value != nullptr && !value->is_null() ? value : nullptr;
}

// ---- is it an answer to what was asked?

Result<void> check_echo(const Value& data, std::string_view name, const std::string& asked) {
    const Value* echo = data.find(name);
    if (echo == nullptr || asked.empty()) return {};
    std::string got = "none";
    if (const auto number = echo->as_int()) got = std::to_string(*number);
    if (const auto text = echo->as_string()) got = text->empty() ? "all" : std::string(*text);
    if (core::equals_ignore_case(got, asked)) return {};
    return bad("the answer is about " + std::string(name) + " " + got + ", asked for was " + asked);
}

/// The ancestor ignores parameters it does not know and answers for everything.
Result<void> refuse_unknown_filters(const OverviewQuery& query) {
    const std::pair<std::string_view, const std::string*> filters[] = {
        {"provider", &query.provider}, {"version", &query.version}, {"model", &query.model}};
    for (const auto& [name, value] : filters) {
        if (!value->empty())
            return bad("this server cannot tell traffic apart by " + std::string(name) +
                       " (its answer has no metric block): --" + std::string(name) + " needs an oaigw gateway");
    }
    return {};
}

std::optional<core::WallTime> read_time(const Value& data, std::string_view nested, std::string_view plain) {
    const Value* value = given(data, nested);
    if (value == nullptr) value = given(data, plain);
    if (value == nullptr) return std::nullopt;
    const Result<core::WallTime> at = core::parse_rfc3339(value->as_string().value_or(""));
    return at ? std::optional(*at) : std::nullopt;
}

std::optional<seconds> asked_length(const OverviewQuery& query) {
    if (query.start_time.empty() && query.end_time.empty()) return time_range_length(query.time_range);
    const Result<core::WallTime> start = core::parse_rfc3339(query.start_time);
    const Result<core::WallTime> end = core::parse_rfc3339(query.end_time);
    if (!start || !end) return std::nullopt;  // the open end is the server's clock
    return std::chrono::duration_cast<seconds>(*end - *start);
}

/// A window that is longer than asked for hides in an hour what happened in five minutes.
Result<void> read_window(const Value& data, const OverviewQuery& query, WindowMetrics& out) {
    out.start = read_time(data, "window.start", "start_time");
    out.end = read_time(data, "window.end", "end_time");
    if (const Value* open = given(data, "window.open_requests"); open != nullptr && open->as_int().value_or(-1) >= 0)
        out.open_requests = static_cast<std::uint64_t>(*open->as_int());
    const std::optional<seconds> asked = asked_length(query);
    if (!asked || !out.start || !out.end) return {};
    seconds slot{10};
    if (const Value* width = given(data, "window.slot_seconds"); width != nullptr)
        slot = seconds{std::clamp<std::int64_t>(width->as_int().value_or(10), 1, 3600)};
    const auto used = std::chrono::duration_cast<seconds>(*out.end - *out.start);
    const std::string lengths = "the window is " + core::format_duration(std::max(used, seconds{0})) +
                                " long, asked for was " + core::format_duration(*asked);
    if (used > *asked + std::max(2 * slot, seconds{60})) return bad(lengths);
    if (used < *asked - 2 * slot) out.notes.push_back(lengths);
    return {};
}

// ---- a server without a metric block

/// Rates from the four counts. False when they are not all there.
Result<bool> read_counts(const Value& data, BareValues& out) {
    constexpr std::array<std::string_view, 4> kNames = {"success_count", "error_count_sla", "request_count_sla",
                                                        "upstream_error_count_excl_429_529"};
    std::array<std::uint64_t, kNames.size()> counts{};
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        const Value* value = given(data, kNames[i]);
        if (value == nullptr) return false;
        const std::optional<std::int64_t> count = value->as_int();
        if (!count || *count < 0 || *count > std::int64_t{1} << 50)
            return bad(std::string(kNames[i]) + " must be a whole number, not negative");
        counts[i] = static_cast<std::uint64_t>(*count);
    }
    const auto [successes, errors, requests, upstream_errors] = counts;
    if (successes + errors != requests)
        return bad("the counts contradict each other: success_count " + std::to_string(successes) +
                   " + error_count_sla " + std::to_string(errors) + " is not request_count_sla " +
                   std::to_string(requests));
    out.counted = true;
    out.successes = successes;
    out.sla = Ratio{successes, requests};
    out.error_rate = Ratio{errors, requests};
    out.upstream_error_rate = Ratio{upstream_errors, requests};
    for (const std::string_view name : {"upstream_429_count", "upstream_529_count"}) {
        const Value* value = given(data, name);
        const std::int64_t count = value != nullptr ? value->as_int().value_or(0) : 0;
        if (count > 0) out.upstream_throttled += static_cast<std::uint64_t>(count);
    }
    return true;
}

struct RateField {
    std::string_view name;
    std::optional<Ratio> BareValues::*into;
};
constexpr RateField kRates[] = {{"sla", &BareValues::sla},
                                {"error_rate", &BareValues::error_rate},
                                {"upstream_error_rate", &BareValues::upstream_error_rate}};

Result<void> read_rates(const Value& data, std::string_view suffix, RateScale scale, BareValues& out) {
    const bool percent = scale == RateScale::percent;
    for (const RateField& field : kRates) {
        const std::string name = std::string(field.name) + std::string(suffix);
        const Value* value = given(data, name);
        if (value == nullptr) continue;
        std::optional<Ratio> ratio = decimal_ratio(*value, percent ? 100 : 1);
        if (!ratio) return bad(name + " must be a number from 0 to " + (percent ? "100 (percent)" : "1 (fraction)"));
        if (percent) ratio->den *= 100;
        out.*field.into = ratio;
    }
    return {};
}

/// No counts. The fields of ours say their unit; of the others a value above 1 tells, or the caller does.
Result<void> read_bare_rates(const Value& data, RateScale scale, BareValues& out, std::vector<std::string>& notes) {
    for (const RateField& field : kRates) {
        if (given(data, std::string(field.name) + "_percent") != nullptr)
            return read_rates(data, "_percent", RateScale::percent, out);
    }
    bool any = false, all_zero = true;
    for (const RateField& field : kRates) {
        const Value* value = given(data, field.name);
        if (value == nullptr) continue;
        any = true;
        all_zero = all_zero && value->as_double() == 0.0;
    }
    if (!any) return {};
    if (all_zero && given(data, "sla") != nullptr && given(data, "error_rate") != nullptr) {
        notes.emplace_back("sla and error_rate are both 0: taken as no traffic");
        return {};
    }
    const Value* sla = given(data, "sla");
    const bool must_be_percent = sla != nullptr && sla->as_double().value_or(0) > 1;
    if (scale == RateScale::unknown && must_be_percent) {
        notes.emplace_back("the server gives no counts; its sla is above 1, so its rates were read as percents");
        scale = RateScale::percent;
    }
    if (scale == RateScale::unknown) {
        out.rates_unclear =
            "the server gives rates without counts, and they could be fractions or percents: say --rates fraction or "
            "--rates percent";
        return {};
    }
    return read_rates(data, "", scale, out);
}

Result<void> read_durations(const Value& data, BareValues& out) {
    constexpr std::pair<std::string_view, metrics::Duration> kMetrics[] = {{"ttft", metrics::Duration::ttft},
                                                                           {"duration", metrics::Duration::response}};
    constexpr std::pair<std::string_view, metrics::Percentile> kStatistics[] = {{"p50_ms", metrics::p50},
                                                                                {"p90_ms", metrics::p90},
                                                                                {"p95_ms", metrics::p95},
                                                                                {"p99_ms", metrics::p99},
                                                                                {"max_ms", metrics::kMaximum}};
    for (const auto& [object, metric] : kMetrics) {
        for (const auto& [statistic, percentile] : kStatistics) {
            const std::string path = std::string(object) + "." + std::string(statistic);
            const Value* value = given(data, path);
            if (value == nullptr) continue;
            const std::optional<std::int64_t> us = ms_to_us(*value);
            if (!us) return bad(path + " must be a number of milliseconds, or null");
            out.durations.push_back({metric, percentile, *us});
        }
    }
    return {};
}

Result<BareValues> read_bare_values(const Value& data, RateScale scale, std::vector<std::string>& notes) {
    BareValues values;
    const Result<bool> counted = read_counts(data, values);
    if (!counted) return counted.error();
    Result<void> read;
    if (*counted) {
        if (values.sla->den != 0) notes.emplace_back("rates were computed from the server's counts");
    } else {
        read = read_bare_rates(data, scale, values, notes);
    }
    if (read) read = read_durations(data, values);
    if (!read) return read.error();
    return values;
}

}  // namespace

std::optional<seconds> time_range_length(std::string_view text) noexcept {
    for (const auto& [name, length] : kTimeRanges) {
        if (name == text) return length;
    }
    return std::nullopt;
}

std::string overview_target(const OverviewQuery& query) {
    const bool bounded = !query.start_time.empty() || !query.end_time.empty();
    const std::string none;
    const std::pair<std::string_view, const std::string*> parameters[] = {
        {"platform", &query.platform},     {"time_range", bounded ? &none : &query.time_range},
        {"start_time", &query.start_time}, {"end_time", &query.end_time},
        {"group_id", &query.group_id},     {"provider", &query.provider},
        {"version", &query.version},       {"model", &query.model}};
    std::string target = "/dashboard/overview";
    char separator = '?';
    for (const auto& [name, value] : parameters) {
        if (value->empty()) continue;
        target += separator + std::string(name) + "=" + percent_encoded(*value);
        separator = '&';
    }
    return target;
}

Result<WindowMetrics> read_overview(const Value& data, const OverviewQuery& query, RateScale scale) {
    WindowMetrics window{.kind = report::SourceKind::ancestor};
    const Value* block = given(data, "metrics");
    Result<void> fits = block == nullptr ? refuse_unknown_filters(query) : Result<void>{};
    if (fits) fits = check_echo(data, "platform", query.platform);
    if (fits) fits = check_echo(data, "group_id", query.group_id);
    if (fits) fits = check_echo(data, "provider", query.provider);
    if (fits) fits = check_echo(data, "version", query.version);
    if (fits) fits = check_echo(data, "model", query.model);
    if (fits) fits = read_window(data, query, window);
    if (!fits) return fits.error();
    if (block != nullptr) {
        Result<metrics::Tally> tally = metrics::read_block(*block);
        if (!tally) return tally.error();
        window.kind = report::SourceKind::gateway;
        window.values = std::move(*tally);
        return window;
    }
    Result<BareValues> values = read_bare_values(data, scale, window.notes);
    if (!values) return values.error();
    window.values = std::move(*values);
    return window;
}

}  // namespace oai::rollout
