#include "metrics/histogram.hpp"

#include <algorithm>
#include <random>
#include <vector>

#include <doctest/doctest.h>

using namespace oai::metrics;

namespace {

constexpr std::int64_t kHour = layout::kHighest;

std::vector<std::int64_t> one_to(std::int64_t last) {
    std::vector<std::int64_t> values;
    for (std::int64_t v = 1; v <= last; ++v) values.push_back(v);
    return values;
}

std::optional<std::int64_t> to_us(std::optional<microseconds> value) {
    return value ? std::optional(value->count()) : std::nullopt;
}

std::vector<Bucket> buckets_of(const Histogram& histogram) {
    std::vector<Bucket> buckets;
    histogram.for_each_bucket([&](std::uint32_t index, std::uint64_t count) {
        buckets.push_back({index & 0xFFFF, count & 0xFFFF'FFFF'FFFF});
    });
    return buckets;
}

bool same(const Histogram& a, const Histogram& b) {
    const auto equal = [](const Bucket& x, const Bucket& y) { return x.index == y.index && x.count == y.count; };
    const auto ours = buckets_of(a), theirs = buckets_of(b);
    return std::equal(ours.begin(), ours.end(), theirs.begin(), theirs.end(), equal) && a.count() == b.count() &&
           a.sum() == b.sum() && a.min() == b.min() && a.max() == b.max() && a.saturated() == b.saturated() &&
           a.pinned() == b.pinned();
}

/// Any size from 0 us to above an hour, each magnitude as likely as the others.
std::vector<std::int64_t> random_values(std::mt19937_64& random, std::size_t n) {
    std::vector<std::int64_t> values(n);
    for (std::int64_t& v : values) v = static_cast<std::int64_t>(random() >> (31 + random() % 33));
    return values;
}

}  // namespace

TEST_CASE("histogram percentile is the nearest rank of the recorded values") {
    struct Row {
        const char* name;
        std::vector<std::int64_t> recorded_us;
        Percentile p;
        std::optional<std::int64_t> want_us;
    };
    const Row rows[] = {
        {"no samples is no answer, not zero", {}, p99, std::nullopt},
        {"one sample is every percentile", {7}, p50, 7},
        {"zero is a value", {0, 0, 5}, p50, 0},
        {"p99 leaves one in a hundred above it", one_to(100), p99, 99},
        {"the top of a bucket is not shown above the maximum", {900'000}, p99, 900'000},
        {"below the maximum it is the top of the bucket", {900'000, 900'000, 2'000'000}, p50, 900'095},
        {"max is the largest value, not its bucket", {5, 1'000'001}, kMaximum, 1'000'001},
        {"above an hour the percentile is the top bucket", {kHour + 9'000'000, kHour + 9'000'001}, p50, 3'600'809'983},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        Histogram dense;
        SparseHistogram sparse;
        for (const std::int64_t us : row.recorded_us) {
            dense.record(microseconds{us});
            sparse.record(microseconds{us});
        }
        CHECK(to_us(dense.percentile(row.p)) == row.want_us);
        CHECK(to_us(sparse.percentile(row.p)) == row.want_us);
    }
}

TEST_CASE("the layout is HdrHistogram's") {
    struct Row {
        std::int64_t us;
        std::uint32_t index;
        std::int64_t top;
    };
    // From the definition: index = (bucket + 1) * 1024 + (sub-bucket - 1024).
    const Row rows[] = {
        {0, 0, 0},
        {1, 1, 1},
        {2047, 2047, 2047},
        {2048, 2048, 2049},
        {2049, 2048, 2049},
        {4095, 3071, 4095},
        {4096, 3072, 4099},
        {900'000, 10'973, 900'095},
        {kHour, 23'220, 3'600'809'983},
        {kHour * 2, 23'220, 3'600'809'983},
    };
    for (const Row& row : rows) {
        CAPTURE(row.us);
        CHECK(layout::bucket_index(row.us) == row.index);
        CHECK(layout::bucket_top(row.index) == row.top);
    }
    // Buckets tile the range: the value after a top begins the next bucket, and a bucket is under 0.1 % of its values
    // wide.
    for (std::uint32_t index = 0; index + 1 < layout::kBuckets; ++index) {
        const std::int64_t top = layout::bucket_top(index);
        const std::int64_t width = index == 0 ? 1 : top - layout::bucket_top(index - 1);
        REQUIRE(layout::bucket_index(top) == index);
        REQUIRE(layout::bucket_index(top + 1) == index + 1);
        REQUIRE((width == 1 || width * 1000 < top));
    }
}

TEST_CASE("counts, sum and extremes are exact; above an hour counts as saturated") {
    Histogram h;
    for (const std::int64_t us : {5, 3'000'000, 0}) h.record(microseconds{us});
    h.record(microseconds{kHour});
    CHECK(h.saturated() == 0);
    h.record(microseconds{kHour + 1});
    CHECK(h.count() == 5);
    CHECK(h.saturated() == 1);
    CHECK(to_us(h.min()) == 0);
    CHECK(to_us(h.max()) == kHour + 1);
    CHECK(h.sum().count() == 3'000'005 + 2 * kHour + 1);
    CHECK_FALSE(Histogram().min());
    CHECK_FALSE(Histogram().max());
}

TEST_CASE("pinned limits are counted exactly, others as far as the buckets tell them apart") {
    const std::vector<microseconds> pins{microseconds{900'000}};
    Histogram h(pins);
    for (const std::int64_t us : {100, 899'999, 900'000, 900'001, 900'001, 2'000'000}) h.record(microseconds{us});
    struct Row {
        const char* name;
        std::int64_t limit_us;
        CountAtOrBelow want;
    };
    const Row rows[] = {
        {"pinned", 900'000, {3, false}},
        {"within a bucket in use: its values are taken as above", 900'001, {1, true}},
        {"the top of a bucket cuts nothing", 900'095, {5, false}},
        {"between buckets in use", 1'000'000, {5, false}},
        {"below the least", 99, {0, false}},
        {"one value per bucket below 2048 us", 100, {1, false}},
        {"the largest", 2'000'000, {6, false}},
        {"above the largest", 9'000'000, {6, false}},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        CHECK(h.count_at_or_below(microseconds{row.limit_us}) == row.want);
    }
    Histogram over;
    over.record(microseconds{kHour + 5});
    over.record(microseconds{kHour + 900'000'000});
    CHECK(over.count_at_or_below(microseconds{layout::bucket_top(layout::kBuckets - 1)}) == CountAtOrBelow{0, true});
}

TEST_CASE("a merge is what recording everything in one place would have been, whatever the forms and the order") {
    std::mt19937_64 random(1);
    const std::vector<microseconds> pins{microseconds{900}, microseconds{1'200'000}};
    for (int round = 0; round < 20; ++round) {
        Histogram all(pins), dense(pins);
        SparseHistogram sparse(pins);
        std::vector<Histogram> shards(3, Histogram(pins));
        std::vector<SparseHistogram> slots(4, SparseHistogram(pins));
        for (const std::int64_t us : random_values(random, 500)) {
            all.record(microseconds{us});
            shards[random() % shards.size()].record(microseconds{us});
            slots[random() % slots.size()].record(microseconds{us});
        }
        for (const Histogram& shard : shards) dense.merge(shard);
        CHECK(same(dense, all));
        for (auto slot = slots.rbegin(); slot != slots.rend(); ++slot) sparse.merge(*slot);
        Histogram widened(pins);
        widened.merge(sparse);
        CHECK(same(widened, all));
    }
}

TEST_CASE("a merge keeps a limit only while its count is exact on both sides") {
    const std::vector<microseconds> both{microseconds{900'000}, microseconds{1'200'000}}, one{microseconds{900'000}};
    Histogram a(both), b(one), empty;
    for (const std::int64_t us : {899'000, 1'200'001}) a.record(microseconds{us});
    for (const std::int64_t us : {1'199'999, 1'200'002}) b.record(microseconds{us});

    Histogram lost = a;
    lost.merge(b);
    CHECK(lost.pinned() == std::vector<PinnedBound>{{microseconds{900'000}, 1}});
    Histogram lost_too = b;
    lost_too.merge(a);
    CHECK(same(lost, lost_too));

    Histogram from_nothing = empty;
    from_nothing.merge(a);
    CHECK(same(from_nothing, a));
    Histogram and_nothing = a;
    and_nothing.merge(empty);
    CHECK(same(and_nothing, a));
}

TEST_CASE("a histogram is rebuilt from its parts, and parts that do not fit are refused") {
    const std::vector<microseconds> pins{microseconds{900'000}};
    Histogram h(pins);
    for (const std::int64_t us : std::vector<std::int64_t>{100, 899'999, 900'001, 3'700'000'000})
        h.record(microseconds{us});
    const Histogram::Parts good{*h.min(), *h.max(), h.sum(), h.saturated(), h.pinned(), buckets_of(h)};
    const auto rebuilt = Histogram::from_parts(good);
    REQUIRE(rebuilt);
    CHECK(same(*rebuilt, h));
    CHECK(Histogram::from_parts({}));

    using Parts = Histogram::Parts;
    const std::pair<const char*, void (*)(Parts&)> breaks[] = {
        {"descending buckets", [](Parts& p) { std::swap(p.buckets[0], p.buckets[1]); }},
        {"empty bucket", [](Parts& p) { p.buckets[0].count = 0; }},
        {"index beyond the layout", [](Parts& p) { p.buckets.back().index = layout::kBuckets & 0xFFFF; }},
        {"minimum elsewhere", [](Parts& p) { p.min = microseconds{99}; }},
        {"maximum elsewhere", [](Parts& p) { p.max = microseconds{900'001}; }},
        {"saturated without a value above an hour", [](Parts& p) { p.max = microseconds{kHour}; }},
        {"more saturated than the top bucket holds", [](Parts& p) { p.saturated = 2; }},
        {"a pinned count the buckets do not allow", [](Parts& p) { p.pinned[0].at_or_below = 0; }},
        {"a pinned count above n", [](Parts& p) { p.pinned[0].at_or_below = 5; }},
        {"more samples than a rank can count", [](Parts& p) { p.buckets[0].count = 1ULL << 47; }},
        {"a sum that sums could overflow", [](Parts& p) { p.sum = microseconds{1LL << 56}; }},
        {"a sum of nothing", [](Parts& p) { p = {.sum = microseconds{1}}; }},
    };
    for (const auto& [name, spoil] : breaks) {
        CAPTURE(name);
        Parts parts = good;
        spoil(parts);
        CHECK_FALSE(Histogram::from_parts(parts));
    }
}
