#include "rollout/bare_values.hpp"

#include <array>
#include <charconv>
#include <string_view>

namespace oai::rollout {
namespace {

using metrics::Ratio;

constexpr int kDecimals = 12;

}  // namespace

thresholds::Observation observe(const thresholds::Rule& rule, const BareValues& values) {
    const thresholds::Limit& limit = rule.limit;
    thresholds::Observation seen;
    if (!limit.is_duration()) {
        if (limit.stream) return seen;
        switch (std::get<metrics::Rate>(limit.metric)) {
            case metrics::Rate::sla: seen.ratio = values.sla; break;
            case metrics::Rate::error_rate: seen.ratio = values.error_rate; break;
            case metrics::Rate::upstream_error_rate: seen.ratio = values.upstream_error_rate; break;
            case metrics::Rate::goodput: break;
        }
        if (values.counted && seen.ratio) seen.n = seen.ratio->den;
        return seen;
    }
    const auto metric = std::get<metrics::Duration>(limit.metric);
    // Only streams have a TTFT, so its label changes nothing; of other durations both kinds come as one.
    const bool told = !limit.stream || (metric == metrics::Duration::ttft && *limit.stream);
    for (const BareValues::DurationValue& value : values.durations) {
        if (told && value.metric == metric && value.statistic == limit.statistic) seen.value_us = value.us;
    }
    if (values.successes && *values.successes < rule.min_samples) seen.n = values.successes;
    return seen;
}

std::optional<Ratio> decimal_ratio(const json::Value& number, std::uint64_t most) {
    const std::optional<double> value = number.as_double();
    // Written so that a NaN would be refused as well.
    if (!value || !(*value >= 0 && *value <= static_cast<double>(most))) return std::nullopt;
    const double positive = *value + 0.0;  // -0.0 loses its sign
    std::array<char, 64> buffer{};
    const auto written =
        std::to_chars(buffer.data(), buffer.data() + buffer.size(), positive, std::chars_format::fixed, kDecimals);
    std::string_view text(buffer.data(), static_cast<std::size_t>(written.ptr - buffer.data()));
    const std::size_t point = text.find('.');
    text = text.substr(0, text.find_last_not_of('0') + 1);  // no further than the point, which is no zero
    Ratio ratio{0, 1};
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (i == point) continue;
        ratio.num = ratio.num * 10 + static_cast<std::uint64_t>(text[i] - '0');
        if (i > point) ratio.den *= 10;
    }
    return ratio;
}

std::optional<std::int64_t> ms_to_us(const json::Value& number) {
    constexpr std::uint64_t kFineMs = 10'000'000;  // with twelve decimals it fits 64 bits; limits end at 3,600,000
    const std::optional<double> value = number.as_double();
    if (value && *value > static_cast<double>(kFineMs) && *value < 1e12)
        return (static_cast<std::int64_t>(*value) + 1) * 1000;
    const std::optional<Ratio> ms = decimal_ratio(number, kFineMs);
    if (!ms) return std::nullopt;
    const std::uint64_t whole = ms->num / ms->den, rest = ms->num % ms->den;
    return static_cast<std::int64_t>(whole * 1000 + (rest * 1000 + ms->den - 1) / ms->den);
}

}  // namespace oai::rollout
