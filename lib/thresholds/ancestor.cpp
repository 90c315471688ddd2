#include "thresholds/ancestor.hpp"

#include <array>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include "core/units.hpp"

namespace oai::thresholds {
namespace {

using core::Error;
using core::Result;
using metrics::Duration;
using metrics::Rate;

/// In the order of the ancestor's object, which is that of the limit table in MEASUREMENT 4 as well.
struct Field {
    std::string_view name;
    std::variant<Duration, Rate> metric;
    bool is_minimum;
};
constexpr std::array<Field, 4> kFields = {{
    {"sla_percent_min", Rate::sla, true},
    {"ttft_p99_ms_max", Duration::ttft, false},
    {"request_error_rate_percent_max", Rate::error_rate, false},
    {"upstream_error_rate_percent_max", Rate::upstream_error_rate, false},
}};

Error bad(std::string detail) {
    return Error{.code = core::Code::invalid_request, .source = core::Source::downstream, .detail = std::move(detail)};
}

/// `number` * `scale` when that is an integer but for the error of the double: 99.55 * 100 is 9955.
std::optional<std::int64_t> scaled(double number, int scale) {
    const double product = number * scale;
    const double nearest = std::round(product);
    if (std::abs(product - nearest) > 1e-6) return std::nullopt;
    return static_cast<std::int64_t>(nearest);
}

Result<std::int64_t> limit_value(const Field& field, const json::Value& value) {
    const std::string name(field.name);
    const std::optional<double> number = value.as_double();
    if (!number) return bad(name + " must be a number");
    std::optional<std::int64_t> amount;
    if (std::holds_alternative<Duration>(field.metric)) {
        if (*number < 0) return bad(name + " must be >= 0");
        if (*number > 3'600'000) return bad(name + " must be at most 3600000 (1 h)");
        amount = scaled(*number, 1000);
        if (!amount) return bad(name + " must have at most three decimals");
    } else {
        if (*number < 0 || *number > 100) return bad(name + " must be between 0 and 100");
        amount = scaled(*number, 100);
        if (!amount) return bad(name + " must have at most two decimals");
    }
    return *amount;
}

Limit make_limit(const Field& field, std::int64_t value, Purpose purpose) {
    Limit limit{.metric = field.metric, .value = value};
    if (limit.is_duration()) limit.statistic = metrics::p99;
    if (purpose == Purpose::target) {
        limit.comparison = field.is_minimum ? Comparison::at_least : Comparison::at_most;
    } else {
        limit.comparison = field.is_minimum ? Comparison::below : Comparison::above;
        limit.sustained_for = std::chrono::minutes{3};
    }
    return limit;
}

/// Basis points as percent, microseconds as milliseconds: the shortest decimal.
std::string ancestor_number(const Limit& limit) {
    if (!limit.is_duration()) return core::format_basis_points(limit.value);
    std::string ms = core::format_ms(limit.value);
    ms.erase(ms.find_last_not_of('0') + 1);
    if (ms.ends_with('.')) ms.pop_back();
    return ms;
}

}  // namespace

Result<LimitSet> read_ancestor_limits(const json::Value& document, std::string name, Purpose purpose) {
    for (const auto& [member, value] : document.members()) {
        bool known = false;
        for (const Field& field : kFields) known = known || field.name == member;
        if (known) continue;
        std::string detail = "unknown threshold \"" + member + "\"; known:";
        for (const Field& field : kFields) detail += " " + std::string(field.name);
        return bad(std::move(detail));
    }
    LimitSet set{std::move(name), {}};
    for (const Field& field : kFields) {
        const json::Value* value = document.find(field.name);
        if (value == nullptr || value->is_null()) continue;
        const Result<std::int64_t> amount = limit_value(field, *value);
        if (!amount) return amount.error();
        set.rules.push_back({.limit = make_limit(field, *amount, purpose)});
    }
    return set;
}

Result<void> write_ancestor_limits(json::Writer& out, const LimitSet& set) {
    std::array<std::optional<std::string>, kFields.size()> numbers;
    for (const Rule& rule : set.rules) {
        const Limit& limit = rule.limit;
        bool written = false;
        for (std::size_t i = 0; i < kFields.size(); ++i) {
            const bool fits = limit.metric == kFields[i].metric && !limit.stream && !numbers[i] &&
                              (!limit.is_duration() || limit.statistic == metrics::p99);
            if (!fits) continue;
            numbers[i] = ancestor_number(limit);
            written = true;
        }
        if (!written) return bad("limit \"" + limit.text() + "\" has no field in the ancestor's form");
    }
    out.begin_object();
    for (std::size_t i = 0; i < kFields.size(); ++i) {
        if (numbers[i]) out.key(kFields[i].name).raw(*numbers[i]);
    }
    out.end_object();
    return {};
}

}  // namespace oai::thresholds
