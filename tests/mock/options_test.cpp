#include "mock/options.hpp"

#include <string>

#include <doctest/doctest.h>

using namespace oai::mock;

TEST_CASE("options become a behaviour") {
    OptionTexts texts;
    texts.ttft = "20ms";
    texts.tokens = "8-32";
    texts.error_rate = "5%";
    texts.error_status = 429;
    texts.retry_after = "1500ms";
    const auto options = read_options(texts);
    REQUIRE(options);
    CHECK(options->listen == "127.0.0.1:9180");
    CHECK(options->behaviour.ttft == Distribution::constant(std::chrono::milliseconds{20}));
    CHECK(options->behaviour.gap.is_zero());
    CHECK(options->behaviour.faults.error_bp == 500);
    CHECK(options->behaviour.faults.error_status == 429);
    CHECK(options->behaviour.retry_after == std::chrono::milliseconds{1500});
    CHECK(options->behaviour.models.size() == 3);
}

TEST_CASE("a wrong option is named") {
    struct Row {
        const char* option;
        std::string OptionTexts::*field;
        const char* text;
    };
    const Row rows[] = {{"--listen", &OptionTexts::listen, "9180"},
                        {"--ttft", &OptionTexts::ttft, "20"},
                        {"--gap", &OptionTexts::gap, "fast"},
                        {"--tokens", &OptionTexts::tokens, "5ms"},
                        {"--error-rate", &OptionTexts::error_rate, "5"},
                        {"--cut-rate", &OptionTexts::cut_rate, "101%"},
                        {"--slow", &OptionTexts::slow, "2"},
                        {"--retry-after", &OptionTexts::retry_after, "1"}};
    for (const Row& row : rows) {
        CAPTURE(row.option);
        OptionTexts texts;
        texts.*row.field = row.text;
        const auto options = read_options(texts);
        REQUIRE_FALSE(options);
        CHECK(options.error().detail.starts_with(std::string(row.option) + ": "));
    }
    OptionTexts too_much;
    too_much.error_rate = "60%";
    too_much.hang_rate = "50%";
    CHECK_FALSE(read_options(too_much));
    OptionTexts no_workers;
    no_workers.workers = 0;
    CHECK_FALSE(read_options(no_workers));
}
