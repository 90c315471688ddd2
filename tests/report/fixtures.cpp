#include "fixtures.hpp"

#include "core/units.hpp"
#include "json/writer.hpp"
#include "metrics/block.hpp"
#include "thresholds/evaluate.hpp"

namespace oai::report::fixtures {
namespace {

using metrics::Outcome;
using metrics::Owner;
using metrics::Sample;
using std::chrono::microseconds;
using thresholds::Observation;
using thresholds::Rule;

core::WallTime at(const char* text) {
    return *core::parse_rfc3339(text);
}

/// A request of the seed's mix: every third is a stream. Few different values keep the golden files short.
Sample request(int i) {
    Sample sample{.start_us = i * std::int64_t{83'333}, .http_status = 200};
    sample.stream = i % 3 == 0;
    sample.stream_id = sample.stream ? 1 : 0;
    sample.service_us = 640'000 + 20'000 * (i % 7);
    sample.response_us = sample.service_us + 150;
    sample.ttfb_us = sample.stream ? 90'150 : sample.response_us - 40;
    sample.input_tokens = 12;
    sample.output_tokens = 32;
    if (sample.stream) {
        sample.ttfe_us = 95'150;
        sample.ttft_us = 310'000 + 10'000 * (i % 5);
        sample.tpot_us = 11'000 + 500 * (i % 4);
    }
    return sample;
}

Sample failed(int i, Outcome outcome, Owner owner, std::uint16_t status) {
    Sample sample = request(i);
    sample.outcome = outcome;
    sample.owner = owner;
    sample.http_status = status;
    sample.ttft_us = sample.ttfe_us = sample.tpot_us = -1;
    sample.output_tokens = 0;
    if (owner == Owner::upstream) {
        sample.upstream_failed = status != 429;
        sample.upstream_throttled = status == 429;
    }
    if (outcome == Outcome::timeout) sample.response_us = 15'000'150;
    return sample;
}

struct Recorded {
    BaselineReport& report;
    ExactPercentiles exact;

    void add(const Sample& sample) {
        report.tally.add(sample);
        exact.add(sample);
        if (sample.tpot_us < 0) return;
        for (int k = 0; k < 3; ++k) {
            const metrics::Gap gap{.at_us = sample.start_us, .gap_us = 10'000 + 1'000 * k, .stream_id = 1};
            report.tally.add_gap(microseconds{gap.gap_us});
            exact.add(gap);
        }
    }
    void finish() {
        report.exact = exact.rows();
        report.judgement = thresholds::evaluate(thresholds::target_set(), report.tally);
    }
};

BaselineReport common() {
    BaselineReport report;
    report.run_id = "run_5f1d3c2b";
    report.started = at("2026-02-12T09:00:00Z");
    report.planned = std::chrono::minutes{3};
    report.real = microseconds{180'012'345};
    report.build = {.version = "0.1.0", .type = "Release", .compiler = "GNU 12.2.0"};
    report.machine = {.kernel = "Linux 6.1.0", .cpu_model = "Example CPU @ 2.40GHz", .cpus = 4};
    report.scenario = {.name = "baseline",
                       .streams = {{.name = "non_stream",
                                    .arrival = "constant",
                                    .rate = {8, 1},
                                    .stream = false,
                                    .endpoint = "/v1/responses",
                                    .model = "gpt-5"},
                                   {.name = "stream",
                                    .arrival = "constant",
                                    .rate = {9, 2},
                                    .stream = true,
                                    .endpoint = "/v1/responses",
                                    .model = "gpt-5"}},
                       .seed = 42};
    report.config_hash = "sha256:6d1f0c";
    report.target = "http://127.0.0.1:5231";
    report.generator = {.lag_p50 = microseconds{41},
                        .lag_p99 = microseconds{212},
                        .lag_max = microseconds{948},
                        .cpu_bp = 620,
                        .rss_bytes = 25'690'112,
                        .involuntary_switches = 12,
                        .offered = 2160,
                        .dropped = 0,
                        .achieved = metrics::Ratio{2160, 2160},
                        .valid = true,
                        .reasons = {}};
    return report;
}

GuardReport common_guard() {
    GuardReport report;
    report.judged_at = at("2026-02-12T09:30:05Z");
    report.tool_version = "0.1.0";
    report.config_hash = "sha256:0a1b2c";
    report.source = {.kind = SourceKind::gateway, .location = "http://127.0.0.1:5231"};
    report.window = {
        .asked = "30m", .start = at("2026-02-12T09:00:00Z"), .end = at("2026-02-12T09:30:00Z"), .open_requests = 3};
    report.filters = {{"platform", "openai"}, {"version", "v2"}};
    report.limits_from = "built in";
    return report;
}

Rule rule(const char* limit, bool required = true) {
    return Rule{.limit = *thresholds::parse_limit(limit), .required = required};
}

}  // namespace

std::string hostile() {
    using namespace std::string_literals;
    return "<script>alert('x')</script> a|b \\|c `d` *e* @team %25 ::error::\n## head\r\x1b[31m \xff\xc0\xaf --> ]]> \"q\" "s +
           "\xE2\x80\xAEolleh\0end"s;
}

BaselineReport passing_baseline() {
    BaselineReport report = common();
    Recorded recorded{report, {}};
    for (int i = 0; i < 2160; ++i) recorded.add(request(i));
    recorded.finish();
    return report;
}

BaselineReport breached_baseline() {
    BaselineReport report = common();
    report.run_id = hostile();
    report.target = "https://user:secret@gateway.example:8443/base?key=secret#secret";
    report.embedded = true;
    report.sla_max = microseconds{6'000'000};
    Recorded recorded{report, {}};
    for (int i = 0; i < 300; ++i) {
        Sample sample = request(i);
        if (i % 10 == 0) sample = failed(i, Outcome::http_5xx, Owner::upstream, 503);
        if (i % 75 == 1) sample = failed(i, Outcome::timeout, Owner::upstream, 0);
        if (i % 100 == 2) sample = failed(i, Outcome::http_429, Owner::upstream, 429);
        if (i % 150 == 4) sample = failed(i, Outcome::http_4xx, Owner::client, 400);
        if (i == 7) sample = failed(i, Outcome::truncated, Owner::upstream, 200);
        if (sample.ttft_us >= 0 && i % 6 == 0) sample.ttft_us = 1'244'000;
        if (i == 9) sample.response_us = sample.service_us = 3'700'000'000;
        recorded.add(sample);
    }
    recorded.finish();
    report.generator.offered = 300;
    report.generator.achieved = metrics::Ratio{300, 300};
    report.errors = {{.outcome = Outcome::http_5xx,
                      .count = 30,
                      .examples = {{.message = hostile(), .count = 24, .http_status = 503},
                                   {.message = std::string(400, 'x'), .count = 1, .http_status = 503},
                                   {.message = "third", .count = 1, .http_status = 503},
                                   {.message = "fourth", .count = 1, .http_status = 503},
                                   {.message = "fifth", .count = 1, .http_status = 503},
                                   {.message = "sixth", .count = 2, .http_status = 503}}},
                     {.outcome = Outcome::timeout,
                      .count = 4,
                      .examples = {{.message = "no answer within 15s", .count = 4, .http_status = 0}}},
                     {.outcome = Outcome::truncated, .count = 1, .examples = {}}};
    report.warnings = {{.name = "no_done", .count = 2, .text = "chat streams that ended without [DONE]"}};
    report.notes = {"merged from 2 files", hostile()};
    return report;
}

BaselineReport invalid_baseline() {
    BaselineReport report = common();
    Recorded recorded{report, {}};
    for (int i = 0; i < 40; ++i) {
        Sample sample{.start_us = i * std::int64_t{83'333}};
        sample.outcome = Outcome::dropped;
        sample.stream = i % 3 == 0;
        recorded.add(sample);
    }
    recorded.finish();
    report.real = microseconds{3'400'000};
    report.machine = {};
    report.generator = {.lag_p50 = {},
                        .lag_p99 = {},
                        .lag_max = {},
                        .cpu_bp = 9'940,
                        .rss_bytes = {},
                        .involuntary_switches = {},
                        .offered = 40,
                        .dropped = 40,
                        .achieved = metrics::Ratio{0, 40},
                        .valid = false,
                        .reasons = {"40 arrivals were dropped, 0 are allowed", "CPU 99.4 % of a core is above 80 %"}};
    return report;
}

std::vector<std::pair<std::string, BaselineReport>> baselines() {
    std::vector<std::pair<std::string, BaselineReport>> all;
    all.emplace_back("pass", passing_baseline());
    all.emplace_back("breach", breached_baseline());
    all.emplace_back("invalid", invalid_baseline());
    return all;
}

GuardReport passing_guard() {
    GuardReport report = common_guard();
    const metrics::Tally tally = passing_baseline().tally;
    report.judgement = thresholds::evaluate(thresholds::target_set(), tally);
    json::Writer block;
    metrics::write_block(block, tally);
    report.metrics_block = block.take();
    return report;
}

GuardReport breached_guard() {
    GuardReport report = common_guard();
    report.source = {.kind = SourceKind::ancestor, .location = "https://admin:secret@sub2api.example/?token=secret"};
    report.filters = {{"group", hostile()}};
    report.limits_from = "server";
    report.notes = {"rates computed from counts", hostile()};
    const std::pair<Rule, Observation> seen[] = {
        {rule("ttft.p99 <= 900ms"), {.n = 812, .value_us = 1'244'000, .at_or_below = 790}},
        {rule("error_rate <= 2%"), {.n = 1000, .ratio = metrics::Ratio{31, 1000}}},
        {rule("sla >= 99.5%"), {.ratio = metrics::Ratio{9981, 10000}}},
        {rule("response.p95{stream=true} <= 3s"), {.n = 25, .value_us = 2'100'000, .at_or_below = 25, .approx = true}},
        {rule("goodput >= 90%", false), {.n = 1000, .ratio = metrics::Ratio{850, 1000}}},
    };
    report.judgement.set = "target";
    for (const auto& [r, observed] : seen) report.judgement.rules.push_back(thresholds::judge(r, observed));
    report.judgement.verdict = thresholds::overall(report.judgement.rules);
    return report;
}

GuardReport undecided_guard() {
    GuardReport report = common_guard();
    report.source = {.kind = SourceKind::report, .location = "reports/20260212T090000Z-baseline/report.json"};
    report.window = {};
    report.filters = {};
    report.config_hash = {};
    const std::pair<Rule, Observation> seen[] = {
        {rule("ttft.p99 <= 900ms"), {.n = 0}},
        {rule("error_rate <= 2%"), {.n = 7, .ratio = metrics::Ratio{0, 7}}},
        {rule("sla >= 99.5%"), {.n = 1000, .ratio = metrics::Ratio{1000, 1000}, .stale = true}},
        {rule("gap.p50 <= 50ms", false), {.error = "the source has no gaps: " + hostile()}},
    };
    report.judgement.set = "target";
    for (const auto& [r, observed] : seen) report.judgement.rules.push_back(thresholds::judge(r, observed));
    report.judgement.verdict = thresholds::overall(report.judgement.rules);
    report.remapped_exit = 0;
    return report;
}

std::vector<std::pair<std::string, GuardReport>> guards() {
    std::vector<std::pair<std::string, GuardReport>> all;
    all.emplace_back("pass", passing_guard());
    all.emplace_back("breach", breached_guard());
    all.emplace_back("undecided", undecided_guard());
    return all;
}

}  // namespace oai::report::fixtures
