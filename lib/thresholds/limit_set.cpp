#include "thresholds/limit_set.hpp"

#include <initializer_list>
#include <optional>
#include <utility>

#include "thresholds/ancestor.hpp"

namespace oai::thresholds {
namespace {

using core::Error;
using core::Result;

constexpr std::string_view kSchema = "oai.limits/1";

Error bad(std::string detail) {
    return Error{.code = core::Code::parse_failed, .detail = std::move(detail)};
}

/// Limits written in this program; a mistake in one shows in the first test that runs.
LimitSet built_in(std::string name, std::initializer_list<std::string_view> limits) {
    LimitSet set{std::move(name), {}};
    for (const std::string_view text : limits) set.rules.push_back({.limit = parse_limit(text).value()});
    return set;
}

Result<Rule> read_rule(const json::Value& entry) {
    Rule rule;
    std::optional<std::string_view> text = entry.as_string();
    for (const auto& [name, value] : entry.members()) {
        if (name == "limit" && value.is_string()) {
            text = value.as_string();
        } else if (name == "required" && value.as_bool()) {
            rule.required = *value.as_bool();
        } else if (name == "min_samples" && value.as_int().value_or(0) >= 1) {
            rule.min_samples = static_cast<std::uint64_t>(*value.as_int());
        } else {
            return bad("\"" + name +
                       "\" must be one of \"limit\" (text), \"required\" (true or false), \"min_samples\" (1 or more)");
        }
    }
    if (!text) return bad("a limit must be text such as \"ttft.p99 <= 900ms\", or an object with \"limit\"");
    Result<Limit> limit = parse_limit(*text);
    if (!limit) return limit.error();
    rule.limit = *limit;
    return rule;
}

Result<LimitSet> read_own_form(const json::Value& document, std::string name) {
    LimitSet set{std::move(name), {}};
    for (const auto& [member, value] : document.members()) {
        if (member != "schema" && member != "limits")
            return bad("unknown member \"" + member + "\"; " + std::string(kSchema) + " has \"schema\" and \"limits\"");
    }
    const json::Value* limits = document.find("limits");
    if (limits == nullptr || !limits->is_array()) return bad("\"limits\" must be an array of limits");
    for (const json::Value& entry : limits->items()) {
        Result<Rule> rule = read_rule(entry);
        if (!rule) return rule.error();
        for (const Rule& other : set.rules) {
            if (other.limit == rule->limit) return bad("limit \"" + rule->limit.text() + "\" stands twice");
        }
        set.rules.push_back(std::move(*rule));
    }
    return set;
}

}  // namespace

const LimitSet& target_set() {
    static const LimitSet set =
        built_in("target", {"sla >= 99.5%", "ttft.p99 <= 900ms", "error_rate <= 2%", "upstream_error_rate <= 2%"});
    return set;
}

const LimitSet& rollback_set() {
    static const LimitSet set =
        built_in("rollback", {"ttft.p99 > 1200ms for 3m", "error_rate > 5% for 3m", "upstream_error_rate > 5% for 3m"});
    return set;
}

Result<LimitSet> read_limits(const json::Value& document, std::string name, Purpose purpose) {
    if (!document.is_object()) return bad("limits must be a JSON object");
    const json::Value* schema = document.find("schema");
    if (schema == nullptr) return read_ancestor_limits(document, std::move(name), purpose);
    if (schema->as_string() != kSchema) return bad("\"schema\" must be \"" + std::string(kSchema) + "\"");
    return read_own_form(document, std::move(name));
}

Result<LimitSet> read_limits(std::string_view text, std::string name, Purpose purpose) {
    Result<json::Value> document = json::Value::parse(text);
    if (!document) return document.error();
    return read_limits(*document, std::move(name), purpose);
}

void write_limits(json::Writer& out, const LimitSet& set) {
    out.begin_object().member("schema", kSchema).key("limits").begin_array();
    for (const Rule& rule : set.rules) {
        if (rule.required && rule.min_samples == kMinSamples) {
            out.value(rule.limit.text());
            continue;
        }
        out.begin_object().member("limit", rule.limit.text()).member("required", rule.required);
        out.member("min_samples", rule.min_samples).end_object();
    }
    out.end_array().end_object();
}

void pin_limits(metrics::Bounds& bounds, const LimitSet& set) {
    for (const Rule& rule : set.rules) {
        if (const auto* metric = std::get_if<metrics::Duration>(&rule.limit.metric))
            bounds.pin(*metric, std::chrono::microseconds{rule.limit.value});
    }
}

}  // namespace oai::thresholds
