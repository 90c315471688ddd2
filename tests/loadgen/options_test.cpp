#include "loadgen/options.hpp"

#include <map>

#include <doctest/doctest.h>

using oai::loadgen::BaselinePlan;
using oai::loadgen::OptionTexts;
using oai::loadgen::read_options;

namespace {

oai::config::Environment environment(std::map<std::string, std::string, std::less<>> set) {
    return [set = std::move(set)](std::string_view name) -> std::optional<std::string> {
        const auto found = set.find(name);
        return found == set.end() ? std::nullopt : std::optional(found->second);
    };
}

const std::map<std::string, std::string, std::less<>> kAll = {
    {"BASE_URL", "http://127.0.0.1:1"},
    {"API_KEY", "sk-env"},
    {"MODEL", "m-env"},
    {"TIMEOUT", "9s"},
    {"NON_STREAM_RPS", "3"},
    {"STREAM_RPS", "0.5"},
    {"DURATION", "20s"},
    {"PRE_ALLOCATED_VUS", "5"},
    {"MAX_VUS", "50"},
};

}  // namespace

TEST_CASE("without flags and environment the baseline is the seed's") {
    const auto plan = read_options({}, oai::config::empty_environment());
    REQUIRE(plan.has_value());
    CHECK(plan->scenario == oai::loadgen::baseline_scenario());
    CHECK(plan->base_url == "http://127.0.0.1:5231");
    CHECK(plan->api_key.empty());
    CHECK(plan->workers == 1);
}

TEST_CASE("the environment names of the script it replaces are read, and a flag wins over each") {
    const auto env = read_options({}, environment(kAll));
    REQUIRE(env.has_value());
    CHECK(env->base_url == "http://127.0.0.1:1");
    CHECK(env->api_key == "sk-env");
    CHECK(env->scenario.streams[0].model == "m-env");
    CHECK(env->scenario.streams[1].model == "m-env");
    CHECK(env->scenario.timeout == std::chrono::seconds{9});
    CHECK(env->scenario.streams[0].rate.milli == 3000);
    CHECK(env->scenario.streams[1].rate.milli == 500);
    CHECK(env->scenario.duration == std::chrono::seconds{20});
    CHECK(env->scenario.max_in_flight == 50);

    OptionTexts flags;
    flags.base_url = "http://127.0.0.1:2";
    flags.api_key = "sk-flag";
    flags.model = "m-flag";
    flags.timeout = "8s";
    flags.non_stream_rps = "0";
    flags.stream_rps = "4";
    flags.duration = "1m";
    flags.max_vus = "7";
    flags.pre_allocated_vus = "7";
    const auto plan = read_options(flags, environment(kAll));
    REQUIRE(plan.has_value());
    CHECK(plan->base_url == "http://127.0.0.1:2");
    CHECK(plan->api_key == "sk-flag");
    REQUIRE(plan->scenario.streams.size() == 1);  // 0 rps is no stream
    CHECK(plan->scenario.streams[0].stream);
    CHECK(plan->scenario.streams[0].model == "m-flag");
    CHECK(plan->scenario.streams[0].rate.milli == 4000);
    CHECK(plan->scenario.timeout == std::chrono::seconds{8});
    CHECK(plan->scenario.duration == std::chrono::minutes{1});
    CHECK(plan->scenario.max_in_flight == 7);
}

TEST_CASE("an empty variable is not set, an empty key flag is no key") {
    const auto empty = read_options({}, environment({{"DURATION", ""}, {"MODEL", ""}}));
    REQUIRE(empty.has_value());
    CHECK(empty->scenario == oai::loadgen::baseline_scenario());
    OptionTexts flags;
    flags.api_key = "";
    const auto keyless = read_options(flags, environment(kAll));
    REQUIRE(keyless.has_value());
    CHECK(keyless->api_key.empty());
}

TEST_CASE("an error names the flag or the variable that is wrong") {
    struct Row {
        const char* want;
        OptionTexts flags;
        std::map<std::string, std::string, std::less<>> set;
    };
    Row rows[] = {
        {"DURATION: ", {}, {{"DURATION", "3"}}},
        {"TIMEOUT: ", {}, {{"TIMEOUT", "180"}}},
        {"STREAM_RPS: a rate", {}, {{"STREAM_RPS", "four"}}},
        {"MAX_VUS: must be a whole number from 1", {}, {{"MAX_VUS", "0"}}},
        {"--duration: ", {}, {{"DURATION", "3m"}}},
        {"--api-key: ", {}, {}},
        {"API_KEY: ", {}, {{"API_KEY", "@/nonexistent/key"}}},
        {"nothing to send", {}, {{"NON_STREAM_RPS", "0"}, {"STREAM_RPS", "0"}}},
        {"--pre-allocated-vus 10 is above --max-vus 5", {}, {{"PRE_ALLOCATED_VUS", "10"}, {"MAX_VUS", "5"}}},
        {"endpoint must be", {}, {}},
    };
    rows[4].flags.duration = "tomorrow";
    rows[5].flags.api_key = "env:NO_SUCH_NAME";
    rows[9].flags.endpoint = "/v1/embeddings";
    for (const Row& row : rows) {
        CAPTURE(row.want);
        const auto plan = read_options(row.flags, environment(row.set));
        REQUIRE_FALSE(plan.has_value());
        CAPTURE(plan.error().detail);
        CHECK(plan.error().detail.find(row.want) != std::string::npos);
    }
    // A lower limit of what may be in flight must not trip over a default.
    const auto few = read_options({}, environment({{"MAX_VUS", "5"}}));
    CHECK(few.has_value());
}
