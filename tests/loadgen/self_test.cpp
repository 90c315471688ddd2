#include "loadgen/self.hpp"

#include <doctest/doctest.h>

using oai::report::Generator;
using std::chrono::microseconds;

TEST_CASE("a generator is valid within its budgets, equality included, and names each it passed") {
    struct Row {
        const char* name;
        Generator generator;
        const char* want_words;
    };
    const auto made = [](std::int64_t lag_us, std::int64_t cpu_bp, std::uint64_t dropped, std::uint64_t in_time) {
        Generator generator;
        generator.lag_p99 = microseconds{lag_us};
        generator.cpu_bp = cpu_bp;
        generator.offered = 1000;
        generator.dropped = dropped;
        generator.achieved = oai::metrics::Ratio{in_time, 1000};
        return generator;
    };
    const Row rows[] = {
        {"in order", made(120, 300, 0, 1000), ""},
        {"at every limit", made(1000, 8000, 0, 995), ""},
        {"late", made(1001, 300, 0, 1000), "lag"},
        {"busy", made(120, 8001, 0, 1000), "cpu"},
        {"one arrival dropped", made(120, 300, 1, 999), "dropped"},
        {"slow", made(120, 300, 0, 994), "achieved"},
        {"all of it", made(5000, 9900, 500, 400), "lag,cpu,dropped,achieved"},
        {"nothing was measured, as in a run that was stopped at once", Generator{}, ""},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        Generator generator = row.generator;
        oai::loadgen::judge_self(generator);
        CHECK(generator.valid == std::string_view(row.want_words).empty());
        CHECK(oai::loadgen::reason_words(generator) == row.want_words);
    }
}

TEST_CASE("reasons say what was measured and what the budget is") {
    Generator generator;
    generator.lag_p99 = microseconds{3100};
    generator.cpu_bp = 9150;
    oai::loadgen::judge_self(generator);
    REQUIRE(generator.reasons.size() == 2);
    CHECK(generator.reasons[0] == "lag p99 3.100 ms is above 1ms");
    CHECK(generator.reasons[1] == "cpu 91.5% of a core is above 80%");
}

TEST_CASE("a thread's own processor time grows with its work") {
    const oai::loadgen::ThreadUse before = oai::loadgen::thread_use();
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds{20};
    while (std::chrono::steady_clock::now() < until) {
    }
    const oai::loadgen::ThreadUse used = oai::loadgen::thread_use().since(before);
    CHECK(used.cpu > std::chrono::microseconds{100});
    CHECK(used.cpu < std::chrono::seconds{5});
    CHECK(oai::loadgen::peak_rss_bytes().value_or(0) > 1024 * 1024);
}
