#include "loadgen/scenario.hpp"

#include <functional>

#include <doctest/doctest.h>

#include "loadgen/target.hpp"

using oai::loadgen::baseline_scenario;
using oai::loadgen::Scenario;

TEST_CASE("the baseline is the seed's load") {
    const Scenario scenario = baseline_scenario();
    REQUIRE(scenario.streams.size() == 2);
    CHECK(scenario.streams[0].rate.milli == 8000);
    CHECK_FALSE(scenario.streams[0].stream);
    CHECK(scenario.streams[1].rate.milli == 4000);
    CHECK(scenario.streams[1].stream);
    CHECK(scenario.duration == std::chrono::seconds{180});
    CHECK(scenario.timeout == std::chrono::seconds{180});
    CHECK(scenario.max_in_flight == 200);
    CHECK(oai::loadgen::validate(scenario).has_value());
    CHECK(
        oai::loadgen::request_body(scenario.streams[1]) ==
        R"({"model":"gpt-5","input":[{"role":"user","content":[{"type":"input_text","text":"Reply with a short greeting."}]}],)"
        R"("max_output_tokens":32,"stream":true})");
}

TEST_CASE("a chat body asks for its usage when it streams") {
    oai::loadgen::ArrivalStream stream{
        .name = "s", .rate = {1000}, .stream = true, .endpoint = "/v1/chat/completions", .prompt = "a \"b\""};
    CHECK(
        oai::loadgen::request_body(stream) ==
        R"({"model":"gpt-5","messages":[{"role":"user","content":"a \"b\""}],"max_completion_tokens":32,"stream":true,)"
        R"("stream_options":{"include_usage":true}})");
}

TEST_CASE("the config hash is that of the canonical form: every knob moves it, nothing else does") {
    const std::string hash = oai::loadgen::config_hash(baseline_scenario());
    CHECK(hash.size() == 64);
    CHECK(hash == oai::loadgen::config_hash(baseline_scenario()));
    const std::function<void(Scenario&)> knobs[] = {
        [](Scenario& s) { s.name = "x"; },
        [](Scenario& s) { s.duration += std::chrono::nanoseconds{1}; },
        [](Scenario& s) { s.timeout = std::chrono::seconds{1}; },
        [](Scenario& s) { s.max_in_flight = 1; },
        [](Scenario& s) { s.seed = 2; },
        [](Scenario& s) { s.user_agent = "x"; },
        [](Scenario& s) { s.streams.pop_back(); },
        [](Scenario& s) { s.streams[0].rate.milli = 8001; },
        [](Scenario& s) { s.streams[0].stream = true; },
        [](Scenario& s) { s.streams[0].endpoint = "/v1/chat/completions"; },
        [](Scenario& s) { s.streams[0].model = "x"; },
        [](Scenario& s) { s.streams[0].prompt = "x"; },
        [](Scenario& s) { s.streams[0].max_output_tokens = 33; },
        [](Scenario& s) { s.streams[0].name = "x"; },
    };
    for (const auto& turn : knobs) {
        Scenario other = baseline_scenario();
        turn(other);
        CHECK(oai::loadgen::config_hash(other) != hash);
    }
}

TEST_CASE("a scenario that cannot be run says why before any traffic") {
    struct Row {
        const char* want;
        std::function<void(Scenario&)> turn;
    };
    const Row rows[] = {
        {"nothing to send", [](Scenario& s) { s.streams.clear(); }},
        {"duration must be above 0", [](Scenario& s) { s.duration = std::chrono::nanoseconds{0}; }},
        {"timeout must be above 0 and at most 1h", [](Scenario& s) { s.timeout = std::chrono::hours{2}; }},
        {"in flight", [](Scenario& s) { s.max_in_flight = 0; }},
        {"control character", [](Scenario& s) { s.user_agent = "a\r\nx: y"; }},
        {"\"non_stream\": its rate is 0", [](Scenario& s) { s.streams[0].rate.milli = 0; }},
        {"/v1/models", [](Scenario& s) { s.streams[0].endpoint = "/v1/models"; }},
        {"model is empty", [](Scenario& s) { s.streams[1].model.clear(); }},
        {"max_output_tokens", [](Scenario& s) { s.streams[1].max_output_tokens = 0; }},
    };
    for (const Row& row : rows) {
        CAPTURE(row.want);
        Scenario scenario = baseline_scenario();
        row.turn(scenario);
        const auto valid = oai::loadgen::validate(scenario);
        REQUIRE_FALSE(valid.has_value());
        CHECK(valid.error().detail.find(row.want) != std::string::npos);
    }
}

TEST_CASE("a target takes a base URL as SDKs write it, and refuses what it cannot do") {
    CHECK(oai::loadgen::make_target("http://127.0.0.1:5231/v1", "")->place.url.base_path.empty());
    CHECK(oai::loadgen::make_target("http://gw.example/proxy/v1/", "")->place.url.base_path == "/proxy");
    const auto https = oai::loadgen::make_target("https://api.openai.com", "");
    REQUIRE(https);
    CHECK(https->place.tls == oai::net::TlsClientContext::system());
    CHECK(https->place.url.port == 443);
    const auto key = oai::loadgen::make_target("http://127.0.0.1", "sk-1\r\nx: y");
    REQUIRE_FALSE(key.has_value());
    CHECK(key.error().detail.find("sk-1") == std::string::npos);
}

TEST_CASE("words of the other side are shown short, on one line and without the key") {
    CHECK(oai::loadgen::presentable("a\nb sk-k c sk-k", "sk-k") == "a b *** c ***");
    CHECK(oai::loadgen::presentable("abc", "") == "abc");
    const std::string shown = oai::loadgen::presentable(std::string(199, 'x') + "\xC3\xA4" + "tail", "");
    CHECK(shown == std::string(199, 'x') + "...");
}
