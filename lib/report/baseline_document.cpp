#include <algorithm>
#include <string>
#include <utility>

#include "core/units.hpp"
#include "report/baseline.hpp"
#include "report/bounds.hpp"
#include "report/document.hpp"
#include "report/format.hpp"
#include "report/judgement.hpp"
#include "report/labels.hpp"
#include "report/text.hpp"
#include "thresholds/evaluate.hpp"

namespace oai::report {
namespace {

using metrics::Duration;
using metrics::Part;
using metrics::Rate;

const Labels& t = kEnglish;

std::string text_of(std::string_view view) {
    return std::string(view);
}

Cell number(std::uint64_t value) {
    return Cell{.text = std::to_string(value)};
}

Cell code(std::string_view text) {
    return Cell{.text = text_of(text), .code = true};
}

std::string join(const std::vector<std::string>& texts, std::string_view between) {
    std::string out;
    for (const std::string& text : texts) out += (out.empty() ? "" : text_of(between)) + text;
    return out;
}

// ---- limits and totals

Banner banner(const BaselineReport& report) {
    if (report.generator.valid) return banner_of(report.judgement);
    return Banner{.tone = Tone::bad,
                  .word = text_of(t.invalid),
                  .sentence = fill(t.invalid_sentence, {name_of(report.judgement.verdict)}),
                  .reasons = report.generator.reasons};
}

bool judges(const thresholds::Judgement& judgement, Rate metric) {
    return std::any_of(judgement.rules.begin(), judgement.rules.end(), [&](const thresholds::RuleResult& result) {
        return result.rule.limit.metric == std::variant<Duration, Rate>(metric);
    });
}

Section limits(const BaselineReport& report) {
    Section section = limits_section(report.judgement);
    const bool both = judges(report.judgement, Rate::sla) && judges(report.judgement, Rate::error_rate);
    if (both && !report.sla_max) section.notes.push_back(text_of(t.sla_binds));
    return section;
}

Section totals(const BaselineReport& report) {
    const metrics::Counts counts = report.tally.counts();
    Section section{.title = text_of(t.totals), .lines = {}};
    if (!counts.identity_holds()) section.lines.push_back(text_of(t.identity_broken));
    section.lines.push_back(fill(t.total_line, {std::to_string(counts.offered), std::to_string(counts.sent),
                                                std::to_string(counts.counted - counts.failed),
                                                std::to_string(counts.failed), std::to_string(counts.client_errors),
                                                std::to_string(counts.dropped()), time_text(report.real)}));
    section.lines.push_back(fill(
        t.rate_line, {per_second_text(counts.sent, report.real), per_second_text(counts.output_tokens, report.real)}));
    return section;
}

// ---- latency

/// Always shown, with or without data: what a reader looks for first. The others only when there is something.
bool is_essential(Duration metric, Part part) {
    return metric == Duration::response || metric == Duration::service ||
           (metric == Duration::ttft && part == Part::stream);
}

Section latency(const BaselineReport& report, Part part) {
    Section section{.title = text_of(part == Part::stream ? t.latency_streams : t.latency_others), .lines = {}};
    Table table{.columns = {{text_of(t.metric)}, {text_of(t.n), true}}, .rows = {}};
    for (const metrics::Percentile p : metrics::kShownPercentiles) table.columns.push_back({metrics::name_of(p), true});
    table.columns.push_back({text_of(t.max), true});
    bool any_low_n = false;
    for (const Duration metric : metrics::kDurations) {
        const metrics::Histogram histogram = report.tally.histogram(metric, part);
        if (histogram.count() == 0 && !is_essential(metric, part)) continue;
        std::vector<Cell> row{code(name_of(metric)), number(histogram.count())};
        for (const metrics::Percentile p : metrics::kShownPercentiles) {
            const bool low_n = histogram.count() != 0 && histogram.count() < thresholds::low_n_below(p);
            any_low_n = any_low_n || low_n;
            row.push_back(Cell{.text = ms_text(histogram.percentile(p)) + (low_n ? "*" : "")});
        }
        row.push_back(Cell{.text = ms_text(histogram.max())});
        table.rows.push_back(std::move(row));
        if (histogram.saturated() != 0)
            section.notes.push_back(fill(t.saturated_note, {name_of(metric), std::to_string(histogram.saturated())}));
    }
    section.table = std::move(table);
    if (any_low_n)
        section.notes.push_back(fill(t.low_n_note, {std::to_string(thresholds::low_n_below(metrics::p99)),
                                                    std::to_string(thresholds::low_n_below(metrics::p999))}));
    return section;
}

Section exact(const BaselineReport& report) {
    Table table{.columns = {{text_of(t.part)}, {text_of(t.metric)}, {text_of(t.n), true}}, .rows = {}};
    for (const metrics::Percentile p : metrics::kShownPercentiles) table.columns.push_back({metrics::name_of(p), true});
    for (const ExactRow& row : report.exact) {
        // Streams and others pooled say nothing that either says better; the JSON has them.
        if (row.part == Part::whole) continue;
        std::vector<Cell> cells{{.text = text_of(row.part == Part::stream ? t.streams : t.others)},
                                code(name_of(row.metric)),
                                number(row.n)};
        for (const std::int64_t us : row.us) cells.push_back({.text = ms_text(microseconds{us})});
        table.rows.push_back(std::move(cells));
    }
    return Section{.title = text_of(t.exact),
                   .lines = {text_of(t.exact_note)},
                   .table = std::move(table),
                   .folded = true,
                   .on_terminal = false};
}

// ---- rates and counts

std::vector<Column> part_columns(std::string_view first) {
    return {{text_of(first)}, {text_of(t.all), true}, {text_of(t.streams), true}, {text_of(t.others), true}};
}

constexpr Part kColumns[] = {Part::whole, Part::stream, Part::non_stream};

Section rates(const BaselineReport& report) {
    Table table{.columns = part_columns(t.rate), .rows = {}};
    const auto add = [&](const std::string& name, Rate metric, bool with_throttled) {
        std::vector<Cell> row{code(name)};
        for (const Part part : kColumns)
            row.push_back({.text = rate_text(report.tally.rate(metric, part, with_throttled))});
        table.rows.push_back(std::move(row));
    };
    for (const Rate metric : metrics::kRates) {
        add(text_of(name_of(metric)), metric, false);
        if (metric == Rate::upstream_error_rate && report.tally.counts().upstream_throttled != 0)
            add(fill(t.with_throttled, {name_of(metric)}), metric, true);
    }
    Section section{.title = text_of(t.rates), .lines = {}, .table = std::move(table)};
    std::vector<std::string> good;
    if (const auto& goodput = report.tally.goodput_limits()) {
        for (const metrics::LatencyLimit& limit : *goodput)
            good.push_back(text_of(name_of(limit.metric)) + " <= " + core::format_duration(limit.limit));
    }
    if (!good.empty()) section.notes.push_back(fill(t.good_means, {join(good, ", ")}));
    return section;
}

Section requests(const BaselineReport& report) {
    Table table{.columns = part_columns(t.outcome), .rows = {}};
    const auto add = [&](Cell name, auto field) {
        std::vector<Cell> row{std::move(name)};
        for (const Part part : kColumns) row.push_back(number(field(report.tally.counts(part))));
        table.rows.push_back(std::move(row));
    };
    const metrics::Counts whole = report.tally.counts();
    const auto add_count = [&](std::string_view label, std::uint64_t metrics::Counts::*field, bool always) {
        if (always || whole.*field != 0)
            add({.text = text_of(label)}, [field](const metrics::Counts& counts) { return counts.*field; });
    };
    add_count(t.offered, &metrics::Counts::offered, true);
    add_count(t.sent, &metrics::Counts::sent, true);
    for (std::size_t i = 0; i < metrics::kOutcomes; ++i) {
        const auto outcome = static_cast<metrics::Outcome>(i);
        if (whole.outcome(outcome) == 0 && outcome != metrics::Outcome::ok) continue;
        add(code(name_of(outcome)), [outcome](const metrics::Counts& counts) { return counts.outcome(outcome); });
    }
    add_count(t.client_errors, &metrics::Counts::client_errors, false);
    add_count(t.business_limited, &metrics::Counts::business_limited, false);
    add_count(t.good, &metrics::Counts::good, true);
    add_count(t.input_tokens, &metrics::Counts::input_tokens, false);
    add_count(t.output_tokens, &metrics::Counts::output_tokens, false);
    return Section{.title = text_of(t.requests), .lines = {}, .table = std::move(table), .on_terminal = false};
}

// ---- errors and warnings

Section errors(const BaselineReport& report) {
    Table table{.columns = {{text_of(t.outcome)}, {text_of(t.count), true}, {text_of(t.status)}, {text_of(t.message)}},
                .rows = {}};
    for (const ErrorClass& error : report.errors) {
        if (error.examples.empty())
            table.rows.push_back({code(name_of(error.outcome)), number(error.count), {.text = kNone}, {.text = kNone}});
        for (std::size_t i = 0; i < std::min(error.examples.size(), kMaxExamples); ++i) {
            const ErrorExample& example = error.examples[i];
            table.rows.push_back({code(name_of(error.outcome)),
                                  number(example.count),
                                  {.text = example.http_status == 0 ? kNone : std::to_string(example.http_status)},
                                  code(cut(clean(example.message), kMaxShownLength))});
        }
        if (error.examples.size() > kMaxExamples)
            table.rows.push_back({code(name_of(error.outcome)),
                                  {},
                                  {},
                                  {.text = fill(t.more, {std::to_string(error.examples.size() - kMaxExamples)})}});
    }
    return Section{.title = text_of(t.errors), .lines = {}, .table = std::move(table)};
}

Section warnings(const BaselineReport& report) {
    Table table{.columns = {{text_of(t.warning)}, {text_of(t.count), true}, {text_of(t.meaning)}}, .rows = {}};
    for (const Warning& warning : report.warnings)
        table.rows.push_back({code(warning.name), number(warning.count), {.text = warning.text}});
    return Section{.title = text_of(t.warnings), .lines = {}, .table = std::move(table)};
}

// ---- generator and environment

Section generator(const BaselineReport& report) {
    const Generator& g = report.generator;
    const auto maybe = [](const std::optional<std::uint64_t>& value) { return value ? std::to_string(*value) : kNone; };
    Table table{.columns = {{text_of(t.lag_p50), true},
                            {text_of(t.lag_p99), true},
                            {text_of(t.lag_max), true},
                            {text_of(t.cpu), true},
                            {text_of(t.rss), true},
                            {text_of(t.switches), true},
                            {text_of(t.dropped), true},
                            {text_of(t.achieved), true}},
                .rows = {}};
    table.rows.push_back({{.text = ms_text(g.lag_p50)},
                          {.text = ms_text(g.lag_p99)},
                          {.text = ms_text(g.lag_max)},
                          {.text = g.cpu_bp ? core::format_basis_points(*g.cpu_bp) + " %" : kNone},
                          {.text = g.rss_bytes ? mib_text(*g.rss_bytes) : kNone},
                          {.text = maybe(g.involuntary_switches)},
                          number(g.dropped),
                          {.text = rate_text(g.achieved)}});
    return Section{.title = text_of(t.generator),
                   .lines = {g.valid ? text_of(t.generator_ok) : fill(t.generator_bad, {join(g.reasons, "; ")})},
                   .table = std::move(table)};
}

std::string target_text(const BaselineReport& report) {
    const std::string url = without_credentials(report.target);
    return report.embedded ? fill(t.embedded, {url}) : url;
}

Section run(const BaselineReport& report) {
    Table table{.columns = {{}, {}}, .rows = {}};
    const auto add = [&](std::string_view label, std::string text) {
        table.rows.push_back({{.text = text_of(label)}, code(std::move(text))});
    };
    add(t.run_id, report.run_id);
    add(t.target, target_text(report));
    add(t.scenario, fill(t.scenario_value, {report.scenario.name, std::to_string(report.scenario.seed)}));
    for (const ArrivalStream& stream : report.scenario.streams)
        add(fill(t.arrivals, {stream.name}),
            fill(t.arrivals_value, {stream.arrival, per_second_text(stream.rate),
                                    stream.stream ? t.stream_word : t.other_word, stream.endpoint, stream.model}));
    add(t.config_hash, report.config_hash);
    add(t.started, core::format_rfc3339(report.started));
    add(t.duration, fill(t.duration_value, {time_text(report.real), time_text(report.planned)}));
    add(t.tool, fill(t.tool_value, {report.build.version, report.build.type, report.build.compiler}));
    add(t.machine,
        fill(t.machine_value, {std::to_string(report.machine.cpus), report.machine.cpu_model, report.machine.kernel}));
    return Section{.title = text_of(t.run), .lines = {}, .table = std::move(table), .on_terminal = false};
}

Document document(const BaselineReport& report) {
    Document made{
        .title = report.kind == report.scenario.name ? report.kind : fill(t.title, {report.kind, report.scenario.name}),
        .subtitle = target_text(report) + ", " + core::format_rfc3339(report.started) + ", " +
                    fill(t.duration_value, {time_text(report.real), time_text(report.planned)}),
        .banner = banner(report),
        .sections = {}};
    const auto has = [&](Part part) { return report.tally.counts(part).offered != 0; };
    const bool any = has(Part::whole);
    made.sections.push_back(limits(report));
    made.sections.push_back(totals(report));
    if (has(Part::stream) || !any) made.sections.push_back(latency(report, Part::stream));
    if (has(Part::non_stream) || !any) made.sections.push_back(latency(report, Part::non_stream));
    made.sections.back().notes.push_back(text_of(t.latency_note));
    made.sections.back().notes.push_back(text_of(t.penalised_note));
    made.sections.push_back(rates(report));
    made.sections.push_back(requests(report));
    if (!report.errors.empty()) made.sections.push_back(errors(report));
    if (!report.warnings.empty()) made.sections.push_back(warnings(report));
    made.sections.push_back(generator(report));
    made.sections.push_back(run(report));
    if (!report.notes.empty()) made.sections.push_back({.title = text_of(t.notes), .lines = report.notes});
    if (!report.exact.empty()) made.sections.push_back(exact(report));
    return made;
}

}  // namespace

thresholds::Verdict final_verdict(const BaselineReport& report) noexcept {
    return report.generator.valid ? report.judgement.verdict : thresholds::Verdict::inconclusive;
}

int exit_code(const BaselineReport& report) noexcept {
    return thresholds::exit_code(final_verdict(report));
}

std::string verdict_line(const BaselineReport& report) {
    thresholds::Judgement judgement = report.judgement;
    judgement.verdict = final_verdict(report);
    return thresholds::verdict_line(judgement);
}

std::string write_markdown(const BaselineReport& report) {
    return render_markdown(document(report));
}

std::string write_html(const BaselineReport& report) {
    return render_html(document(report));
}

std::string write_terminal(const BaselineReport& report, Terminal terminal) {
    return render_text(document(report), terminal);
}

}  // namespace oai::report
