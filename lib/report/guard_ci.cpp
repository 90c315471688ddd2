#include <array>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "core/units.hpp"
#include "report/guard.hpp"
#include "report/guard_words.hpp"
#include "report/judgement.hpp"
#include "report/labels.hpp"
#include "report/text.hpp"

namespace oai::report {
namespace {

using thresholds::RuleResult;
using thresholds::RuleState;

/// What a CI system makes of a rule.
enum class Kind : std::uint8_t { passed, failure, error, skipped };

Kind kind_of(const RuleResult& result) noexcept {
    switch (result.state) {
        case RuleState::ok: return Kind::passed;
        // An advisory breach fails nothing, and must not look like a pass either.
        case RuleState::breach: return result.rule.required ? Kind::failure : Kind::skipped;
        case RuleState::thin:
        case RuleState::nodata:
        case RuleState::off:
        case RuleState::stale: return Kind::skipped;
        case RuleState::error: break;
    }
    return result.rule.required ? Kind::error : Kind::skipped;
}

std::string attribute(std::string_view name, std::string_view value) {
    return " " + std::string(name) + "=\"" + escape_markup(value) + "\"";
}

/// Length of the window in seconds with three decimals; 0 when the source does not tell it.
std::string window_seconds(const GuardWindow& window) {
    if (!window.start || !window.end || *window.end < *window.start) return "0.000";
    return core::format_ms(std::chrono::floor<std::chrono::milliseconds>(*window.end - *window.start).count());
}

std::string test_case(std::string_view set, std::string_view name, std::string_view time, Kind kind,
                      std::string_view type, std::string_view message) {
    std::string out = "    <testcase" + attribute("classname", "oaiguard." + std::string(set)) +
                      attribute("name", name) + attribute("time", time);
    switch (kind) {
        case Kind::passed: return out + "/>\n";
        case Kind::failure:
            return out + ">\n      <failure" + attribute("type", type) + attribute("message", message) +
                   "/>\n    </testcase>\n";
        case Kind::error:
            return out + ">\n      <error" + attribute("type", type) + attribute("message", message) +
                   "/>\n    </testcase>\n";
        case Kind::skipped: break;
    }
    return out + ">\n      <skipped" + attribute("message", std::string(type) + ": " + std::string(message)) +
           "/>\n    </testcase>\n";
}

}  // namespace

std::string write_junit(const GuardReport& report) {
    std::array<std::size_t, 4> counts{};
    std::string cases;
    const std::string time = window_seconds(report.window);
    const auto add = [&](std::string_view name, Kind kind, std::string_view type, std::string_view message) {
        ++counts[static_cast<std::size_t>(kind)];
        cases += test_case(report.judgement.set, name, time, kind, type, message);
    };
    if (!report.error.empty()) add(kEnglish.query, Kind::error, "error", report.error);
    for (const RuleResult& result : report.judgement.rules)
        add(result.rule.limit.text(), kind_of(result), name_of(result.state), rule_sentence(result));

    const auto count = [&](Kind kind) { return std::to_string(counts[static_cast<std::size_t>(kind)]); };
    const std::string totals = attribute("tests", std::to_string(counts[0] + counts[1] + counts[2] + counts[3])) +
                               attribute("failures", count(Kind::failure)) + attribute("errors", count(Kind::error)) +
                               attribute("skipped", count(Kind::skipped)) + attribute("time", time);
    std::string out =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites" + attribute("name", "oaiguard") + totals + ">\n";
    out += "  <testsuite" + attribute("name", "oaiguard check") + totals +
           attribute("timestamp", core::format_rfc3339(report.judged_at)) + ">\n    <properties>\n";
    const auto property = [&](std::string_view name, std::string_view value) {
        if (!value.empty()) out += "      <property" + attribute("name", name) + attribute("value", value) + "/>\n";
    };
    property("verdict", name_of(final_verdict(report)));
    property("exit", std::to_string(exit_code(report)));
    property("set", report.judgement.set);
    property("source", std::string(name_of(report.source.kind)) + " " + without_credentials(report.source.location));
    property("window", window_text(report.window));
    property("config_hash", report.config_hash);
    for (const auto& [name, value] : report.filters) property("filter." + name, value);
    return out + "    </properties>\n" + cases + "  </testsuite>\n</testsuites>\n";
}

std::string write_annotations(const GuardReport& report) {
    constexpr std::size_t kMost = 10;
    std::vector<std::pair<std::string, std::string>> errors, warnings;  // title, message
    if (!report.error.empty()) errors.emplace_back("oaiguard: error", report.error);
    for (const RuleResult& result : report.judgement.rules) {
        if (result.state == RuleState::ok) continue;
        const Kind kind = kind_of(result);
        auto& list = kind == Kind::failure || kind == Kind::error ? errors : warnings;
        list.emplace_back("oaiguard: " + std::string(name_of(result.state)) + " " + result.rule.limit.subject(),
                          rule_sentence(result));
    }
    if (report.remapped_exit) warnings.emplace_back("oaiguard: remapped", remapped_text(report));
    std::string out;
    const auto write = [&](std::string_view command, const auto& list) {
        for (std::size_t i = 0; i < list.size(); ++i) {
            const bool last = i + 1 == kMost && list.size() > kMost;
            const std::string more =
                last ? ", " + fill(kEnglish.more, {std::to_string(list.size() - kMost)}) : std::string();
            out += "::" + std::string(command) + " title=" + escape_command_property(clean(list[i].first)) +
                   "::" + escape_command(clean(list[i].second) + more) + "\n";
            if (last) break;
        }
    };
    write("error", errors);
    write("warning", warnings);
    if (errors.empty() && warnings.empty()) {
        const Banner banner = banner_of(report.judgement);
        out += "::notice title=" + escape_command_property("oaiguard: " + banner.word) +
               "::" + escape_command(banner.sentence) + "\n";
    }
    return out;
}

}  // namespace oai::report
