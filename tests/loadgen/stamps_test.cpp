#include "metrics/stamps.hpp"

#include <doctest/doctest.h>

#include "loadgen/exchange.hpp"

using oai::core::TimePoint;
using oai::metrics::Outcome;
using oai::metrics::Sample;
using oai::metrics::Stamps;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

namespace {

TimePoint at(std::int64_t ns) {
    return TimePoint{std::chrono::hours{1}} + nanoseconds{ns};
}

}  // namespace

TEST_CASE("durations are floored once, and what has no stamps has no duration") {
    struct Row {
        const char* name;
        Stamps stamps;
        bool stream;
        std::optional<std::uint32_t> tokens;
        Sample want;
    };
    const auto durations = [](std::int64_t response, std::int64_t service, std::int64_t ttfb, std::int64_t ttfe,
                              std::int64_t ttft, std::int64_t tpot) {
        return Sample{.response_us = response,
                      .service_us = service,
                      .ttfb_us = ttfb,
                      .ttfe_us = ttfe,
                      .ttft_us = ttft,
                      .tpot_us = tpot};
    };
    Stamps whole{.scheduled = at(0),
                 .sent = at(1'999),
                 .first_byte = at(10'001),
                 .first_event = at(20'999),
                 .first_output = at(30'000),
                 .last_output = at(90'999),
                 .end = at(100'999)};
    Stamps no_output = whole;
    no_output.first_output = no_output.last_output = std::nullopt;
    Stamps never_sent{.scheduled = at(0), .end = at(5'500)};
    Stamps one_event = whole;
    one_event.last_output = one_event.first_output;
    const Row rows[] = {
        {"a whole stream", whole, true, 4, durations(100, 99, 10, 20, 30, 20)},
        {"the quotient is floored, not the sum: 60999 ns over 7", whole, true, 8, durations(100, 99, 10, 20, 30, 8)},
        {"service is end less sent in nanoseconds: 99000, not 100 less 1", whole, true, 2,
         durations(100, 99, 10, 20, 30, 60)},
        {"one token has no distance to the next", whole, true, 1, durations(100, 99, 10, 20, 30, -1)},
        {"unknown tokens, no tpot", whole, true, std::nullopt, durations(100, 99, 10, 20, 30, -1)},
        {"no output, no ttft and no tpot", no_output, true, 4, durations(100, 99, 10, 20, -1, -1)},
        {"all output in one read took no time", one_event, true, 4, durations(100, 99, 10, 20, 30, 0)},
        {"no stream has no ttft, whatever was stamped", whole, false, 4, durations(100, 99, 10, -1, -1, -1)},
        {"never sent", never_sent, true, std::nullopt, durations(5, -1, -1, -1, -1, -1)},
        {"nothing but a schedule", Stamps{}, true, 4, durations(-1, -1, -1, -1, -1, -1)},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        Sample sample;
        sample.stream = row.stream;
        oai::metrics::fill_durations(sample, row.stamps, row.tokens);
        CHECK(sample.response_us == row.want.response_us);
        CHECK(sample.service_us == row.want.service_us);
        CHECK(sample.ttfb_us == row.want.ttfb_us);
        CHECK(sample.ttfe_us == row.want.ttfe_us);
        CHECK(sample.ttft_us == row.want.ttft_us);
        CHECK(sample.tpot_us == row.want.tpot_us);
    }
}

TEST_CASE("what came after the deadline came too late, however late the sweep looked") {
    const TimePoint deadline = at(0) + milliseconds{100};
    Stamps stamps{.scheduled = at(0),
                  .sent = at(0),
                  .first_byte = at(0) + milliseconds{40},
                  .first_output = at(0) + milliseconds{110},
                  .last_output = at(0) + milliseconds{120},
                  .end = at(0) + milliseconds{130}};
    const oai::loadgen::Answered answered{.outcome = Outcome::ok, .token_limited = false, .http_status = 200};
    const Sample late = oai::loadgen::make_sample(stamps, answered, true, deadline);
    CHECK(late.outcome == Outcome::timeout);
    CHECK(late.response_us == 100'000);
    CHECK(late.ttfb_us == 40'000);
    CHECK(late.ttft_us == -1);
    CHECK(late.is_failure());
    stamps.end = deadline;
    stamps.first_output = stamps.last_output = deadline;
    const Sample just = oai::loadgen::make_sample(stamps, answered, true, deadline);
    CHECK(just.outcome == Outcome::ok);
    CHECK(just.ttft_us == 100'000);
}

TEST_CASE("the owner of a failure is the client for a request that is wrong, and the asked side otherwise") {
    using oai::metrics::Owner;
    struct Row {
        Outcome outcome;
        int status;
        Owner want;
        bool upstream_failed, throttled;
    };
    const Row rows[] = {
        {Outcome::ok, 200, Owner::none, false, false},
        {Outcome::http_4xx, 400, Owner::client, false, false},
        {Outcome::http_4xx, 404, Owner::client, false, false},
        {Outcome::http_4xx, 413, Owner::client, false, false},
        {Outcome::http_4xx, 422, Owner::client, false, false},
        {Outcome::http_4xx, 401, Owner::upstream, true, false},
        {Outcome::http_429, 429, Owner::upstream, false, true},
        {Outcome::http_5xx, 529, Owner::upstream, false, true},
        {Outcome::http_5xx, 502, Owner::upstream, true, false},
        {Outcome::connect_error, 0, Owner::upstream, true, false},
        {Outcome::truncated, 200, Owner::upstream, true, false},
        {Outcome::censored, 0, Owner::none, false, false},
    };
    for (const Row& row : rows) {
        CAPTURE(row.status);
        CAPTURE(oai::metrics::name_of(row.outcome));
        const oai::loadgen::Answered answered{
            .outcome = row.outcome, .token_limited = false, .http_status = static_cast<std::uint16_t>(row.status)};
        const Stamps stamps{.scheduled = at(0), .end = at(1)};
        const Sample sample = oai::loadgen::make_sample(stamps, answered, false, at(1'000'000));
        CHECK(sample.owner == row.want);
        CHECK(sample.upstream_failed == row.upstream_failed);
        CHECK(sample.upstream_throttled == row.throttled);
    }
}
