#include "thresholds/limit.hpp"

#include <vector>

#include "core/units.hpp"

namespace oai::thresholds {
namespace {

using core::Error;
using core::Result;
using metrics::Duration;
using metrics::Rate;

constexpr std::int64_t kMaxUs = 3'600'000'000;  // as far as histograms tell values apart

constexpr std::string_view kComparisons[] = {"<=", ">=", ">", "<"};  // in the order of the enum

std::string_view symbol(Comparison comparison) {
    return kComparisons[static_cast<std::size_t>(comparison)];
}

std::string name_of(const std::variant<Duration, Rate>& metric) {
    return std::string(std::visit([](auto m) { return metrics::name_of(m); }, metric));
}

bool lower_is_better(const std::variant<Duration, Rate>& metric) {
    const Rate* rate = std::get_if<Rate>(&metric);
    return rate == nullptr || metrics::better_of(*rate) == metrics::Better::lower;
}

std::string quoted(std::string_view text) {
    return "\"" + std::string(text) + "\"";
}

std::string known_metrics() {
    std::string list;
    for (const Duration metric : metrics::kDurations) list += std::string(metrics::name_of(metric)) + ", ";
    for (const Rate metric : metrics::kRates) list += std::string(metrics::name_of(metric)) + ", ";
    list.resize(list.size() - 2);
    return list;
}

/// Reads a limit from left to right. Every step returns what is wrong, in words, or nothing.
class LimitParser {
public:
    explicit LimitParser(std::string_view text) : text_(text), rest_(core::trim(text)) {}

    Result<Limit> parse() {
        std::string wrong;
        for (const auto step : {&LimitParser::metric, &LimitParser::statistic, &LimitParser::labels,
                                &LimitParser::comparison, &LimitParser::value, &LimitParser::sustained_for}) {
            wrong = (this->*step)();
            if (!wrong.empty())
                return Error{.code = core::Code::invalid_argument, .detail = "limit " + quoted(text_) + ": " + wrong};
        }
        return limit_;
    }

private:
    std::string metric() {
        const std::string_view name = take("abcdefghijklmnopqrstuvwxyz_0123456789");
        if (const auto duration = metrics::find_duration(name)) {
            limit_.metric = *duration;
        } else if (const auto rate = metrics::find_rate(name)) {
            limit_.metric = *rate;
        } else {
            return "unknown metric " + quoted(name) + "; known: " + known_metrics();
        }
        return {};
    }

    std::string statistic() {
        const std::string name = name_of(limit_.metric);
        const bool given = take_char('.');
        if (!limit_.is_duration()) return given ? name + " is a rate and has no statistic" : "";
        if (!given) return name + " needs a statistic, such as " + name + ".p99 or " + name + ".max";
        const std::string_view text = take("abcdefghijklmnopqrstuvwxyz_0123456789.");
        const auto percentile = metrics::parse_percentile(text);
        if (!percentile)
            return "unknown statistic " + quoted(text) + "; known: p50, p90, p95, p99, p99.9 (any up to p99.999), max";
        limit_.statistic = *percentile;
        return {};
    }

    std::string labels() {
        if (!take_char('{')) return {};
        const std::size_t end = rest_.find('}');
        if (end == std::string_view::npos) return "a label needs its closing brace, as in {stream=true}";
        const std::string_view label = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        const std::string_view name = core::trim(label.substr(0, label.find('=')));
        if (name != "stream") return "unknown label " + quoted(name) + "; known: stream";
        const std::string_view state =
            label.find('=') < label.size() ? core::trim(label.substr(label.find('=') + 1)) : "";
        if (state != "true" && state != "false") return "label stream must be true or false, got " + quoted(state);
        limit_.stream = state == "true";
        return {};
    }

    std::string comparison() {
        rest_ = core::trim(rest_);
        const std::string_view written = take("<>=!");
        bool known = false;
        for (const Comparison c : {Comparison::at_most, Comparison::at_least, Comparison::above, Comparison::below}) {
            if (written != symbol(c)) continue;
            limit_.comparison = c;
            known = true;
        }
        const bool lower = lower_is_better(limit_.metric);
        const std::string right = lower ? "<= (must hold) or > (is a breach)" : ">= (must hold) or < (is a breach)";
        if (!known) return "after " + quoted(limit_.subject()) + " must come " + right + ", got " + quoted(written);
        if (limit_.lower_is_better() != lower)
            return "of " + name_of(limit_.metric) + (lower ? " less" : " more") + " is better: its limit is " + right +
                   ", not " + std::string(written);
        return {};
    }

    std::string value() {
        const std::string_view text = take_word();
        if (text.empty())
            return "the value is missing; it must be like " + std::string(limit_.is_duration() ? "900ms" : "2%");
        return limit_.is_duration() ? duration_value(text) : rate_value(text);
    }

    std::string duration_value(std::string_view text) {
        const std::string name = name_of(limit_.metric);
        if (text.ends_with('%'))
            return name + " is a duration: its limit must be like 900ms or 3s, got " + quoted(text);
        if (text.find_first_not_of("0123456789.") == std::string_view::npos)
            return "the unit is missing: write " + std::string(text) + "ms or " + std::string(text) + "s";
        const Result<core::nanoseconds> parsed = core::parse_duration(text);
        if (!parsed) return parsed.error().detail;
        if (parsed->count() % 1000 != 0) return quoted(text) + " is finer than a microsecond";
        limit_.value = parsed->count() / 1000;
        if (limit_.value > kMaxUs) return quoted(text) + " is above 1h, the longest duration that is told apart";
        return {};
    }

    std::string rate_value(std::string_view text) {
        const std::string name = name_of(limit_.metric);
        if (text.find_first_not_of("0123456789.") == std::string_view::npos)
            return "the unit is missing: " + name + " is compared with a percentage, such as 2% (0.02 is written 2%)";
        if (!text.ends_with('%'))
            return name + " is a rate: its limit must be a percentage such as 2%, got " + quoted(text);
        const Result<std::int64_t> parsed = core::parse_percent(text);
        if (!parsed) return parsed.error().detail;
        limit_.value = *parsed;
        return {};
    }

    std::string sustained_for() {
        if (rest_.empty()) return {};
        const std::string_view word = take_word();
        if (word != "for") return "after the value may come \"for\" and a duration, got " + quoted(word);
        const std::string_view text = take_word();
        const Result<core::nanoseconds> parsed = core::parse_duration(text);
        if (!parsed) return parsed.error().detail;
        if (parsed->count() == 0) return "\"for\" needs a duration above zero, such as 3m";
        if (!rest_.empty()) return "nothing may follow after " + quoted(text) + ", got " + quoted(rest_);
        limit_.sustained_for = *parsed;
        return {};
    }

    std::string_view take(std::string_view allowed) {
        const std::string_view taken = rest_.substr(0, rest_.find_first_not_of(allowed));
        rest_.remove_prefix(taken.size());
        return taken;
    }
    bool take_char(char c) {
        if (!rest_.starts_with(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }
    std::string_view take_word() {
        rest_ = core::trim(rest_);
        const std::string_view word = rest_.substr(0, rest_.find_first_of(" \t"));
        rest_ = core::trim(rest_.substr(word.size()));
        return word;
    }

    std::string_view text_, rest_;
    Limit limit_;
};

}  // namespace

std::string Limit::subject() const {
    std::string text = name_of(metric);
    if (is_duration()) text += "." + metrics::name_of(statistic);
    if (stream) text += *stream ? "{stream=true}" : "{stream=false}";
    return text;
}

std::string Limit::bound() const {
    std::string amount = core::format_basis_points(value) + "%";
    if (is_duration()) amount = value == 0 ? "0ms" : core::format_duration(std::chrono::microseconds{value});
    return std::string(symbol(comparison)) + " " + amount;
}

std::string Limit::text() const {
    const bool sustained = sustained_for.count() != 0;
    return subject() + " " + bound() + (sustained ? " for " + core::format_duration(sustained_for) : "");
}

Result<Limit> parse_limit(std::string_view text) {
    return LimitParser(text).parse();
}

}  // namespace oai::thresholds
