#include <algorithm>
#include <random>
#include <vector>

#include <doctest/doctest.h>

#include "json/value.hpp"
#include "json/writer.hpp"
#include "metrics/block.hpp"
#include "metrics/percentile.hpp"
#include "metrics/tally.hpp"
#include "thresholds/evaluate.hpp"

using namespace oai::thresholds;
using namespace oai::metrics;

namespace {

constexpr Percentile kJudged[] = {p50, p90, p95, p99, p999, kMaximum};

/// Response times in a mixture of shapes: a few values, a narrow band, every magnitude up to above an hour, many ties.
std::vector<std::int64_t> random_times(std::mt19937_64& random) {
    std::vector<std::int64_t> times(1 + random() % (random() % 4 == 0 ? 2000 : 150));
    const auto shape = random() % 4;
    for (std::int64_t& us : times) {
        const std::uint64_t r = random();
        if (shape == 0) us = static_cast<std::int64_t>(r % 3);
        if (shape == 1) us = static_cast<std::int64_t>(899'900 + r % 200);
        if (shape == 2) us = static_cast<std::int64_t>(r >> (31 + r % 32));
        if (shape == 3) us = static_cast<std::int64_t>(r % 5 * 1'000'003);
    }
    return times;
}

Rule rule(Percentile p, std::int64_t limit_us, Comparison comparison) {
    return {.limit = {.metric = Duration::response, .statistic = p, .comparison = comparison, .value = limit_us},
            .min_samples = 1};
}

}  // namespace

// The promise of MEASUREMENT 2: whoever counts, and however the samples were spread, the answer is that of the raw
// samples.
TEST_CASE(
    "raw, sharded, merged, slotted and reread samples decide alike, with limits at samples and 1 us around them") {
    std::mt19937_64 random(20260212);
    for (int round = 0; round < 30; ++round) {
        CAPTURE(round);
        std::vector<std::int64_t> times = random_times(random);
        std::vector<std::int64_t> limits;
        for (int i = 0; i < 3; ++i) {
            const std::int64_t at = times[random() % times.size()];
            for (const std::int64_t limit : {at - 1, at, at + 1}) limits.push_back(std::max<std::int64_t>(limit, 0));
        }
        Bounds bounds;
        for (const std::int64_t limit : limits) bounds.pin(Duration::response, microseconds{limit});

        Tally whole(bounds), merged(bounds), window(bounds);
        std::vector<Tally> shards(3, Tally(bounds));
        std::vector<SlotTally> slots(5, SlotTally(bounds));
        for (const std::int64_t us : times) {
            const Sample sample{.response_us = us, .stream = random() % 2 == 0};
            whole.add(sample);
            shards[random() % shards.size()].add(sample);
            slots[random() % slots.size()].add(sample);
        }
        for (const Tally& shard : shards) merged.merge(shard);
        for (const SlotTally& slot : slots) window.merge(slot);
        oai::json::Writer out;
        write_block(out, merged);
        const Tally reread = read_block(*oai::json::Value::parse(out.text())).value();

        const Tally* const forms[] = {&whole, &merged, &window, &reread};
        for (const Percentile p : kJudged) {
            const std::int64_t exact = *percentile_of(times, p);
            for (const std::int64_t limit : limits) {
                CAPTURE(p.milli);
                CAPTURE(limit);
                const RuleState want = exact <= limit ? RuleState::ok : RuleState::breach;
                for (const Comparison comparison : {Comparison::at_most, Comparison::above}) {
                    const LimitSet set{"t", {rule(p, limit, comparison)}};
                    for (const Tally* tally : forms) {
                        const RuleResult result = evaluate(set, *tally).rules[0];
                        REQUIRE(result.state == want);
                        REQUIRE_FALSE(result.approx);
                    }
                }
            }
        }
    }
}
