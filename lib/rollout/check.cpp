#include "rollout/check.hpp"

#include <algorithm>
#include <ostream>
#include <utility>
#include <variant>

#include "crypto/hash.hpp"
#include "json/writer.hpp"
#include "metrics/block.hpp"
#include "report/run_folder.hpp"
#include "rollout/check_plan.hpp"
#include "thresholds/evaluate.hpp"

namespace oai::rollout {
namespace {

using core::Error;
using core::Result;
using report::GuardReport;
using thresholds::LimitSet;
using thresholds::RuleState;
using thresholds::Verdict;

/// The limits in force: of the options, else of the source, else the target set.
Result<LimitSet> limits_of(const CheckPlan& plan, std::string& from) {
    LimitSet set = thresholds::target_set();
    from = plan.limits.from;
    if (plan.limits.base) {
        set = *plan.limits.base;
    } else {
        Result<std::optional<LimitSet>> kept = plan.source->limits();
        if (!kept) return kept.error();
        from = *kept ? "server" : "built in";
        if (*kept) set = std::move(**kept);
    }
    apply(set, plan.limits.single);
    if (!plan.limits.single.empty()) from += " and --limit";
    return set;
}

/// Limits that are known before the data is read are counted exactly; those of a server come after its data.
metrics::Bounds bounds_of(const LimitChoice& limits) {
    LimitSet known = limits.base.value_or(thresholds::target_set());
    apply(known, limits.single);
    metrics::Bounds bounds = metrics::Bounds::standard();
    thresholds::pin_limits(bounds, known);
    return bounds;
}

Result<thresholds::Judgement> judge(const LimitSet& set, const WindowMetrics& window, const std::string& where) {
    if (const auto* tally = std::get_if<metrics::Tally>(&window.values)) return thresholds::evaluate(set, *tally);
    const BareValues& values = std::get<BareValues>(window.values);
    thresholds::Judgement judgement{.set = set.name, .rules = {}, .verdict = Verdict::inconclusive};
    for (const thresholds::Rule& rule : set.rules) {
        if (!rule.limit.is_duration() && !values.rates_unclear.empty())
            return Error{.code = core::Code::parse_failed, .detail = where + ": " + values.rates_unclear};
        judgement.rules.push_back(thresholds::judge(rule, observe(rule, values)));
    }
    judgement.verdict = thresholds::overall(judgement.rules);
    return judgement;
}

/// Nothing that a source itself calls invalid may be shown as held or breached, not by a single rule either: a report
/// for machines is read rule by rule.
void disregard(thresholds::Judgement& judgement) {
    for (thresholds::RuleResult& result : judgement.rules) result.state = RuleState::nodata;
    judgement.verdict = Verdict::inconclusive;
}

/// What a reader must know to understand the verdict, from the counts of the window.
void add_traffic_notes(GuardReport& report, const LimitSet& set, const WindowMetrics& window) {
    std::optional<metrics::Ratio> sla, error_rate;
    std::uint64_t throttled = 0;
    if (const auto* tally = std::get_if<metrics::Tally>(&window.values)) {
        sla = tally->rate(metrics::Rate::sla).value_or(metrics::Ratio{});
        error_rate = tally->rate(metrics::Rate::error_rate).value_or(metrics::Ratio{});
        throttled = tally->counts().upstream_throttled;
    } else if (const auto& values = std::get<BareValues>(window.values); values.counted) {
        sla = values.sla;
        error_rate = values.error_rate;
        throttled = values.upstream_throttled;
    }
    if (sla && sla->den == 0)
        report.notes.emplace_back("no request of the window counts: there was no traffic to judge");
    if (throttled != 0)
        report.notes.push_back("answered 429 or 529 by the upstream, not in upstream_error_rate: " +
                               std::to_string(throttled));
    const auto has = [&](metrics::Rate rate) {
        return std::any_of(set.rules.begin(), set.rules.end(), [&](const thresholds::Rule& rule) {
            return rule.limit.metric == decltype(rule.limit.metric){rate};
        });
    };
    if (has(metrics::Rate::sla) && has(metrics::Rate::error_rate) && sla && error_rate && sla->den != 0 &&
        sla->num + error_rate->num == sla->den)
        report.notes.emplace_back(
            "no success was late, so sla is 1 - error_rate: the looser of their limits cannot bind");
}

void add_notes(GuardReport& report, const LimitSet& set, const WindowMetrics& window) {
    if (!window.invalid.empty()) report.notes.push_back(window.invalid);
    report.notes.insert(report.notes.end(), window.notes.begin(), window.notes.end());
    add_traffic_notes(report, set, window);
    const auto lasting = [](const thresholds::Rule& rule) { return rule.limit.sustained_for.count() != 0; };
    if (std::any_of(set.rules.begin(), set.rules.end(), lasting))
        report.notes.emplace_back("\"for\" was not looked at: a check judges its window once, as a whole");
}

std::string block_text(const WindowMetrics& window) {
    const auto* tally = std::get_if<metrics::Tally>(&window.values);
    if (tally == nullptr) return {};
    json::Writer out;
    metrics::write_block(out, *tally);
    return out.take();
}

/// Reads and judges; what is known goes into the report as it becomes known, so that an error is reported with it.
Result<void> judge_window(const CheckOptions& options, CheckPlan& plan) {
    GuardReport& report = plan.report;
    const Result<WindowMetrics> window = plan.source->fetch(bounds_of(plan.limits));
    if (!window) return window.error();
    report.source.kind = window->kind;
    report.window.start = window->start;
    report.window.end = window->end;
    report.window.open_requests = window->open_requests;
    if (options.json || options.metrics) report.metrics_block = block_text(*window);
    if (options.metrics && report.metrics_block.empty())
        return Error{.code = core::Code::invalid_argument,
                     .detail = "--metrics: this server gives values only, no metric block"};
    const Result<LimitSet> set = limits_of(plan, report.limits_from);
    if (!set) return set.error();
    json::Writer limits;
    thresholds::write_limits(limits, *set);
    report.config_hash = crypto::sha256_hex(limits.text());
    Result<thresholds::Judgement> judgement = judge(*set, *window, report.source.location);
    if (!judgement) return judgement.error();
    report.judgement = std::move(*judgement);
    if (!window->invalid.empty()) disregard(report.judgement);
    add_notes(report, *set, *window);
    if (plan.inconclusive_exit && report::final_verdict(report) == Verdict::inconclusive) {
        report.remapped_exit = plan.inconclusive_exit;
    }
    return {};
}

/// Why there is no verdict, in one line; empty when there is one.
std::string why_error(const GuardReport& report) {
    if (!report.error.empty()) return report.error;
    if (report::final_verdict(report) != Verdict::error) return {};
    for (const thresholds::RuleResult& result : report.judgement.rules) {
        if (result.state == RuleState::error) return result.rule.limit.subject() + ": " + result.observed.error;
    }
    return "the source contradicts itself";
}

bool write_files(const CheckOptions& options, const GuardReport& report, std::ostream& err) {
    bool written = true;
    const auto write = [&](std::string_view flag, const std::string& path, const std::string& text) {
        const Result<void> done = report::write_file(path, text);
        if (done) return;
        written = false;
        err << "oaiguard: " << flag << ": " << done.error().detail << '\n';
    };
    if (!options.markdown_file.empty()) write("--md", options.markdown_file, report::write_markdown(report));
    if (!options.junit_file.empty()) write("--junit", options.junit_file, report::write_junit(report));
    return written;
}

int publish(const CheckOptions& options, const GuardReport& report, std::ostream& out, std::ostream& err) {
    const bool document = options.json || options.metrics;
    if (const std::string why = why_error(report); !why.empty()) err << "oaiguard: " << why << '\n';
    if (report.remapped_exit)
        err << "oaiguard: inconclusive: exit 3 became " << *report.remapped_exit
            << " by --inconclusive=" << options.inconclusive << '\n';
    const bool written = write_files(options, report, err);
    if (options.github) (document ? err : out) << report::write_annotations(report);
    if (options.json) {
        out << report::write_json(report);
    } else if (options.metrics) {
        if (!report.metrics_block.empty()) out << report.metrics_block << '\n';
    } else if (!options.quiet && report.error.empty()) {
        out << report::write_terminal(report, options.terminal);
    }
    (document ? err : out) << report::verdict_line(report) << '\n';
    out.flush();
    const int code = report::exit_code(report);
    if (written && out) return code;
    if (!out) err << "oaiguard: the result could not be written to stdout\n";
    // A file somebody waits for is missing: no pass. A breach stays one.
    return code == thresholds::exit_code(Verdict::breach) ? code : thresholds::exit_code(Verdict::error);
}

}  // namespace

std::string refusal_line(const std::string& why) {
    GuardReport refused;
    refused.error = why;
    return report::verdict_line(refused);
}

int run_check(const CheckOptions& options, std::ostream& out, std::ostream& err) {
    Result<CheckPlan> plan = plan_check(options);
    if (!plan) {
        err << "oaiguard: " << plan.error().detail << '\n';
        (options.json || options.metrics ? err : out) << refusal_line(plan.error().detail) << '\n';
        return thresholds::exit_code(Verdict::error);
    }
    const Result<void> judged = judge_window(options, *plan);
    if (!judged) plan->report.error = judged.error().detail;
    return publish(options, plan->report, out, err);
}

}  // namespace oai::rollout
