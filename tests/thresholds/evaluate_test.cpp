#include "thresholds/evaluate.hpp"

#include <doctest/doctest.h>

using namespace oai::thresholds;
using oai::metrics::Outcome;
using oai::metrics::Owner;
using oai::metrics::Percentile;
using oai::metrics::Ratio;
using oai::metrics::Sample;
using oai::metrics::Tally;

namespace {

Rule rule(const char* limit) {
    return {.limit = parse_limit(limit).value()};
}

void add(Tally& tally, int n, Sample sample) {
    for (int i = 0; i < n; ++i) tally.add(sample);
}

Sample stream_with_ttft(std::int64_t us) {
    return {.response_us = us + 1, .ttft_us = us, .stream = true};
}

const Sample kFailed{.outcome = Outcome::http_5xx, .owner = Owner::upstream, .upstream_failed = true};

}  // namespace

TEST_CASE("a rate is decided by integer products; equality is on the good side") {
    struct Row {
        const char* limit;
        Ratio ratio;
        RuleState want;
    };
    const Row rows[] = {
        {"error_rate <= 2%", {2, 100}, RuleState::ok},
        {"error_rate <= 2%", {3, 149}, RuleState::breach},
        {"error_rate <= 2%", {20'001, 1'000'000}, RuleState::breach},
        {"error_rate > 5%", {5, 100}, RuleState::ok},
        {"error_rate > 5%", {501, 10'000}, RuleState::breach},
        {"sla >= 99.5%", {199, 200}, RuleState::ok},
        {"sla >= 99.5%", {198, 200}, RuleState::breach},
        {"sla < 99.5%", {995, 1000}, RuleState::ok},
        {"sla < 99.5%", {994, 1000}, RuleState::breach},
        {"error_rate <= 0%", {0, 20}, RuleState::ok},
        {"error_rate <= 0%", {1, 1'000'000'000'000'000}, RuleState::breach},
        {"upstream_error_rate <= 100%", {~0ULL, ~0ULL}, RuleState::ok},  // wide products
        {"error_rate <= 2%", {~0ULL / 10, ~0ULL}, RuleState::breach},
        {"error_rate <= 2%", {0, 0}, RuleState::nodata},
    };
    for (const Row& row : rows) {
        CAPTURE(row.limit);
        CAPTURE(row.ratio.num);
        CHECK(judge(rule(row.limit), {.n = row.ratio.den, .ratio = row.ratio}).state == row.want);
    }
}

TEST_CASE("a percentile is decided by counting, and by its value only where there are no counts") {
    struct Row {
        const char* name;
        Observation observed;
        RuleState want;
        bool low_n;
    };
    const Row rows[] = {
        {"99 of 100 within", {.n = 100, .value_us = 900'095, .at_or_below = 99}, RuleState::ok, true},
        {"98 of 100 within", {.n = 100, .value_us = 900'000, .at_or_below = 98}, RuleState::breach, true},
        {"299 bound a p99", {.n = 299, .value_us = 1, .at_or_below = 299}, RuleState::ok, false},
        {"298 do not", {.n = 298, .value_us = 1, .at_or_below = 298}, RuleState::ok, true},
        {"19 are too few", {.n = 19, .value_us = 1, .at_or_below = 19}, RuleState::thin, true},
        {"too few to breach as well", {.n = 19, .value_us = 9'000'000, .at_or_below = 0}, RuleState::thin, true},
        {"20 are enough", {.n = 20, .value_us = 1, .at_or_below = 20}, RuleState::ok, true},
        {"none", {.n = 0}, RuleState::nodata, true},
        {"null from a source without counts", {}, RuleState::nodata, false},
        {"a value without counts, equal", {.value_us = 900'000}, RuleState::ok, false},
        {"a value without counts, above", {.value_us = 900'001}, RuleState::breach, false},
        {"a value and its N", {.n = 500, .value_us = 900'001}, RuleState::breach, false},
        {"old", {.n = 500, .value_us = 1, .at_or_below = 500, .stale = true}, RuleState::stale, false},
        {"unreadable", {.error = "HTTP 502"}, RuleState::error, false},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const RuleResult result = judge(rule("ttft.p99 <= 900ms"), row.observed);
        CHECK(result.state == row.want);
        CHECK(result.low_n == row.low_n);
    }
}

TEST_CASE("low_n ends where the largest sample bounds the percentile with 95 % confidence") {
    CHECK(low_n_below(oai::metrics::p50) == 5);
    CHECK(low_n_below(oai::metrics::p90) == 29);
    CHECK(low_n_below(oai::metrics::p95) == 59);
    CHECK(low_n_below(oai::metrics::p99) == 299);
    CHECK(low_n_below(oai::metrics::p999) == 2995);
    CHECK(low_n_below(oai::metrics::kMaximum) == 0);
}

TEST_CASE("a healthy window passes the target set") {
    Tally tally;
    add(tally, 990, stream_with_ttft(300'000));
    add(tally, 10, stream_with_ttft(1'100'000));
    add(tally, 1000, {.response_us = 5});
    add(tally, 10, kFailed);
    const Judgement judgement = evaluate(target_set(), tally);
    CHECK(verdict_line(judgement) == "verdict=PASS exit=0 rules=4");
    CHECK(judgement.set == "target");
    CHECK(judgement.rules[0].observed.ratio == Ratio{2000, 2010});
    CHECK(judgement.rules[0].observed.n == 2010u);
    CHECK(judgement.rules[1].observed.n == 1000u);
    CHECK(judgement.rules[1].observed.value_us == 300'031);  // the top of the bucket: shown, and never what decides
    CHECK(judgement.rules[1].observed.at_or_below == 990u);
    CHECK_FALSE(judgement.rules[1].approx);
    CHECK_FALSE(judgement.rules[1].low_n);
}

TEST_CASE("each limit of the target set is breached on its own") {
    const auto line = [](const Tally& tally) { return verdict_line(evaluate(target_set(), tally)); };
    Tally slow;
    add(slow, 989, stream_with_ttft(300'000));
    add(slow, 11, stream_with_ttft(900'001));
    CHECK(line(slow) == "verdict=BREACH exit=2 rules=4 breached=ttft.p99");

    Tally late;
    add(late, 994, stream_with_ttft(1));
    add(late, 6, {.response_us = 9, .late = true});
    CHECK(line(late) == "verdict=BREACH exit=2 rules=4 breached=sla");

    Tally failing;
    add(failing, 979, stream_with_ttft(1));
    add(failing, 21, {.outcome = Outcome::http_5xx, .owner = Owner::gateway});
    CHECK(line(failing) == "verdict=BREACH exit=2 rules=4 breached=sla,error_rate");

    Tally recovered;
    add(recovered, 979, stream_with_ttft(1));
    add(recovered, 21, {.response_us = 9, .upstream_failed = true});
    CHECK(line(recovered) == "verdict=BREACH exit=2 rules=4 breached=upstream_error_rate");
}

TEST_CASE("throttled attempts count where the option says so") {
    Tally tally;
    add(tally, 90, {.response_us = 1});
    add(tally, 10, {.response_us = 1, .upstream_throttled = true});
    const LimitSet set{"t", {rule("upstream_error_rate <= 2%")}};
    CHECK(evaluate(set, tally).verdict == Verdict::pass);
    CHECK(evaluate(set, tally, {.upstream_with_throttled = true}).verdict == Verdict::breach);
}

TEST_CASE("without streams the TTFT rule has no data, and that is no pass") {
    Tally tally;
    add(tally, 1000, {.response_us = 5});
    CHECK(verdict_line(evaluate(target_set(), tally)) == "verdict=INCONCLUSIVE exit=3 rules=4 undecided=ttft.p99");
    CHECK(verdict_line(evaluate(target_set(), Tally{})) ==
          "verdict=INCONCLUSIVE exit=3 rules=4 undecided=sla,ttft.p99,error_rate,upstream_error_rate");
}

TEST_CASE("a limit of requests that the run was to make none of is off; data that is there all the same is judged") {
    struct Row {
        const char* limit;
        EvaluateOptions options;
        RuleState without;  ///< with no such requests
        RuleState with;     ///< with them
    };
    const EvaluateOptions none_streams{.streams = false}, all_stream{.others = false};
    const Row rows[] = {
        {"ttft.p99 <= 900ms", none_streams, RuleState::off, RuleState::ok},
        {"gap.p99 <= 900ms", none_streams, RuleState::off, RuleState::off},
        {"response.p95{stream=true} <= 3s", none_streams, RuleState::off, RuleState::ok},
        {"error_rate{stream=true} <= 2%", none_streams, RuleState::off, RuleState::ok},
        {"response.p95{stream=false} <= 3s", none_streams, RuleState::ok, RuleState::ok},
        {"response.p95 <= 3s", none_streams, RuleState::ok, RuleState::ok},
        {"ttft.p99{stream=false} <= 900ms", none_streams, RuleState::nodata, RuleState::nodata},
        {"ttft.p99 <= 900ms", {}, RuleState::nodata, RuleState::ok},
        {"ttft.p99 <= 900ms", all_stream, RuleState::nodata, RuleState::ok},
    };
    for (const Row& row : rows) {
        CAPTURE(row.limit);
        Tally tally;
        add(tally, 100, {.response_us = 5});
        const LimitSet set{"t", {rule(row.limit)}};
        CHECK(evaluate(set, tally, row.options).rules[0].state == row.without);
        add(tally, 100, stream_with_ttft(5));
        CHECK(evaluate(set, tally, row.options).rules[0].state == row.with);
    }
    Tally streams;
    add(streams, 100, stream_with_ttft(5));
    CHECK(evaluate({"t", {rule("response.p95{stream=false} <= 3s")}}, streams, all_stream).rules[0].state ==
          RuleState::off);
    CHECK(evaluate(target_set(), streams, all_stream).verdict == Verdict::pass);
}

TEST_CASE("a complete hang breaches, however the requests ended") {
    for (const Outcome outcome : {Outcome::timeout, Outcome::censored}) {
        Tally tally;
        add(tally, 100, {.response_us = 180'000'000, .outcome = outcome, .owner = Owner::upstream, .stream = true});
        const LimitSet set{"t", {rule("error_rate <= 2%"), rule("response_penalised.p99 <= 6s")}};
        CHECK(verdict_line(evaluate(set, tally)) ==
              "verdict=BREACH exit=2 rules=2 breached=error_rate,response_penalised.p99");
    }
}

TEST_CASE("a label judges its part only") {
    Tally tally;
    add(tally, 100, {.response_us = 5'000'000});
    add(tally, 100, {.response_us = 1'000'000, .stream = true});
    const auto verdict = [&](const char* limit) { return evaluate({"t", {rule(limit)}}, tally).verdict; };
    CHECK(verdict("response.p95{stream=true} <= 3s") == Verdict::pass);
    CHECK(verdict("response.p95{stream=false} <= 3s") == Verdict::breach);
    CHECK(verdict("response.p95 <= 3s") == Verdict::breach);
    CHECK(verdict("response.p50 <= 3s") == Verdict::pass);
}

TEST_CASE("a limit set after the data came in is judged on buckets and says so") {
    Tally tally;
    add(tally, 100, stream_with_ttft(899'900));
    add(tally, 100, stream_with_ttft(2'000'000));
    const auto approx = [&](const char* limit) {
        const Judgement judgement = evaluate({"t", {rule(limit)}}, tally);
        return judgement.rules[0].approx;
    };
    CHECK_FALSE(approx("ttft.p50 <= 900ms"));   // pinned
    CHECK(approx("ttft.p50 <= 899950us"));      // cuts the bucket of the samples
    CHECK_FALSE(approx("ttft.p50 <= 1500ms"));  // between them
}

TEST_CASE("a tally that lost samples is an error, not a number") {
    Tally tally;
    add(tally, 100, stream_with_ttft(1));
    tally.claim(true, 101, 101);
    const Judgement judgement = evaluate(target_set(), tally);
    CHECK(judgement.verdict == Verdict::error);
    CHECK(judgement.rules[0].observed.error ==
          "the accounting identity is broken: offered 101, sent 101, dropped 0, ended 100");
}

TEST_CASE("a source without counts goes through the same judge") {
    // An ancestor's overview: fractions of four decimals and milliseconds, N unknown.
    const auto overview = [](const Rule& judged) -> Observation {
        const Limit& limit = judged.limit;
        if (limit.subject() == "ttft.p99") return {.value_us = 780'000};
        if (limit.subject() == "sla") return {.ratio = Ratio{9949, 10'000}};
        return {.ratio = Ratio{51, 10'000}};
    };
    const Judgement judgement = evaluate(target_set(), overview);
    CHECK(verdict_line(judgement) == "verdict=BREACH exit=2 rules=4 breached=sla");
    CHECK_FALSE(judgement.rules[1].observed.n);
    CHECK_FALSE(judgement.rules[1].low_n);
}
