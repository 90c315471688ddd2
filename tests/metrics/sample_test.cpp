#include "metrics/sample.hpp"

#include <string>

#include <doctest/doctest.h>

using namespace oai::metrics;

TEST_CASE("outcomes and owners keep their names") {
    std::string names;
    for (std::size_t i = 0; i < kOutcomes; ++i) {
        const auto outcome = static_cast<Outcome>(i);
        names += std::string(name_of(outcome)) + " ";
        CHECK(find_outcome(name_of(outcome)) == outcome);
    }
    CHECK(names ==
          "ok http_4xx http_429 http_5xx connect_error tls_error timeout stream_error incomplete truncated malformed "
          "cancelled censored dropped ");
    CHECK_FALSE(find_outcome("OK"));
    CHECK(name_of(Owner::none) == "none");
    CHECK(name_of(Owner::upstream) == "upstream");
}

TEST_CASE("a request that was sent is exactly one of success, failure, client error, business-limited") {
    enum Class { success, failure, client_error, limited, none };
    struct Row {
        const char* name;
        Sample sample;
        Class want;
    };
    const Row rows[] = {
        {"ok", {.outcome = Outcome::ok}, success},
        {"the caller's own token limit", {.outcome = Outcome::incomplete, .token_limited = true}, success},
        {"incomplete for another reason", {.outcome = Outcome::incomplete, .owner = Owner::upstream}, failure},
        {"429 of the upstream", {.outcome = Outcome::http_429, .owner = Owner::upstream}, failure},
        {"429 of ours", {.outcome = Outcome::http_429, .owner = Owner::gateway, .business_limited = true}, limited},
        {"bad key, though the client's fault",
         {.outcome = Outcome::http_4xx, .owner = Owner::client, .business_limited = true},
         limited},
        {"400", {.outcome = Outcome::http_4xx, .owner = Owner::client}, client_error},
        {"cancelled by the caller", {.outcome = Outcome::cancelled, .owner = Owner::client}, client_error},
        {"cancelled by us", {.outcome = Outcome::cancelled, .owner = Owner::gateway}, failure},
        {"timeout", {.outcome = Outcome::timeout, .owner = Owner::upstream}, failure},
        {"truncated", {.outcome = Outcome::truncated, .owner = Owner::upstream}, failure},
        {"never answered", {.outcome = Outcome::censored}, failure},
        {"never sent", {.outcome = Outcome::dropped}, none},
        {"recovered after a failed attempt", {.outcome = Outcome::ok, .upstream_failed = true}, success},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const Sample& s = row.sample;
        CHECK(s.is_success() == (row.want == success));
        CHECK(s.is_failure() == (row.want == failure));
        CHECK(s.is_client_error() == (row.want == client_error));
        CHECK(s.is_business_limited() == (row.want == limited));
        CHECK(s.was_sent() == (row.want != none));
        CHECK(s.counts_in_rates() == (row.want == success || row.want == failure));
    }
}

TEST_CASE("each distribution takes the requests of its population only") {
    // Every duration is known and different, so what comes out tells which field was taken.
    const auto sample = [](Outcome outcome, bool stream, Owner owner = Owner::none, std::uint16_t status = 200) {
        return Sample{.response_us = 1,
                      .service_us = 2,
                      .ttfb_us = 3,
                      .ttfe_us = 4,
                      .ttft_us = 5,
                      .tpot_us = 6,
                      .queue_us = 7,
                      .overhead_us = 8,
                      .http_status = status,
                      .outcome = outcome,
                      .owner = owner,
                      .stream = stream};
    };
    struct Row {
        const char* name;
        Sample sample;
        std::array<std::int64_t, kDurations.size()> want;  // in the order of the catalog
    };
    const Row rows[] = {
        {"stream", sample(Outcome::ok, true), {1, 1, 2, 3, 4, 5, 6, -1, 7, 8}},
        {"non-stream has no TTFT", sample(Outcome::ok, false), {1, 1, 2, 3, -1, -1, -1, -1, 7, 8}},
        {"timeout counts at its time",
         sample(Outcome::timeout, false, Owner::upstream, 0),
         {-1, 1, -1, -1, -1, -1, -1, -1, 7, 8}},
        {"so does one told by a 504",
         sample(Outcome::http_5xx, false, Owner::upstream, 504),
         {-1, 1, -1, -1, -1, -1, -1, -1, 7, 8}},
        {"a fast error is not a fast answer",
         sample(Outcome::http_5xx, false, Owner::upstream, 500),
         {-1, -1, -1, -1, -1, -1, -1, -1, 7, 8}},
        {"a cut stream had its first output",
         sample(Outcome::truncated, true, Owner::upstream),
         {-1, 1, -1, -1, -1, 5, -1, -1, 7, 8}},
        {"unfinished: a lower bound", sample(Outcome::censored, true), {-1, 1, -1, -1, -1, 5, -1, -1, 7, 8}},
        {"the caller left", sample(Outcome::cancelled, true, Owner::client), {-1, -1, -1, -1, -1, 5, -1, -1, 7, 8}},
        {"never sent", sample(Outcome::dropped, true), {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1}},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        for (const Duration metric : kDurations) {
            CAPTURE(name_of(metric));
            CHECK(duration_us(row.sample, metric) == row.want[index_of(metric)]);
        }
    }
}
