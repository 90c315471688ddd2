#include "mock/fault.hpp"

#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "core/units.hpp"

using namespace oai::mock;
using Kind = Fault::Kind;

TEST_CASE("fault names are read and written alike") {
    struct Row {
        const char* name;
        Kind kind;
        int status;
        std::optional<unsigned> after;
        int delay_ms;
    };
    const Row rows[] = {
        {"none", Kind::none, 0, {}, 0},
        {"error-503", Kind::error, 503, {}, 0},
        {"error-429", Kind::error, 429, {}, 0},
        {"hang", Kind::hang, 0, {}, 0},
        {"stall", Kind::stall, 0, {}, 0},
        {"stall-before-output", Kind::stall, 0, 0, 0},
        {"cut", Kind::cut, 0, {}, 0},
        {"cut-before-output", Kind::cut, 0, 0, 0},
        {"cut-after-3", Kind::cut, 0, 3, 0},
        {"cut-before-head", Kind::cut_before_head, 0, {}, 0},
        {"failed-event", Kind::failed_event, 0, {}, 0},
        {"failed-event-after-12", Kind::failed_event, 0, 12, 0},
        {"slow-2s", Kind::slow, 0, {}, 2000},
        {"slow-15ms", Kind::slow, 0, {}, 15},
        {"error-in-200", Kind::error_in_200, 0, {}, 0},
        {"non-json", Kind::non_json, 0, {}, 0},
        {"half-json", Kind::half_json, 0, {}, 0},
        {"capacity", Kind::capacity, 0, {}, 0},
        {"gzip", Kind::gzip, 0, {}, 0},
        {"first-event-error", Kind::first_event_error, 0, {}, 0},
        {"late-error-after-2", Kind::late_error, 0, 2, 0},
        {"no-terminal", Kind::no_terminal, 0, {}, 0},
        {"no-done", Kind::no_done, 0, {}, 0},
        {"done-event", Kind::done_event, 0, {}, 0},
        {"cancelled-event", Kind::cancelled_event, 0, {}, 0},
        {"ping-only", Kind::ping_only, 0, {}, 100},
        {"ping-only-5ms", Kind::ping_only, 0, {}, 5},
        {"reset", Kind::reset, 0, {}, 0},
        {"reset-before-output", Kind::reset, 0, 0, 0},
        {"reset-before-head", Kind::reset_before_head, 0, {}, 0},
        {"unasked-101", Kind::unasked_101, 0, {}, 0},
        {"early-close-after-1", Kind::early_close, 0, 1, 0},
        {"truncated-json", Kind::truncated_json, 0, {}, 0},
        {"wrong-length", Kind::wrong_length, 0, {}, 0},
        {"bad-chunk-before-output", Kind::bad_chunk, 0, 0, 0},
        {"slow-head", Kind::slow_head, 0, {}, 1000},
        {"slow-head-20ms", Kind::slow_head, 0, {}, 20},
        {"trickle", Kind::trickle, 0, {}, 0},
        {"trickle-1ms", Kind::trickle, 0, {}, 1},
        {"error-429-date", Kind::error, 429, {}, 0},
        {"error-503-ms-120ms", Kind::error, 503, {}, 120},
        {"error-429-reset-6s", Kind::error, 429, {}, 6000},
        {"error-503-no-hint", Kind::error, 503, {}, 0},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const auto fault = parse_fault(row.name);
        REQUIRE(fault);
        CHECK(fault->kind == row.kind);
        CHECK(fault->status == row.status);
        CHECK(fault->after == row.after);
        CHECK(fault->delay == std::chrono::milliseconds{row.delay_ms});
        CHECK(fault_name(*fault) == row.name);
    }
}

TEST_CASE("an unknown fault name is refused with the list of the known ones") {
    for (const char* name : {"",
                             "x",
                             "error",
                             "error-",
                             "error-200",
                             "error-600",
                             "error-5x3",
                             "slow",
                             "slow-2",
                             "hang-after-3",
                             "error-429-later",
                             "error-429-no-hint-2s",
                             "error-429-",
                             "huge-event-x",
                             "huge-event-1GiB",
                             "trickle-x",
                             "fail-",
                             "fail-0-times-hang",
                             "fail-2-times-",
                             "fail-x-times-hang",
                             "capacity-after-1",
                             "cut-after",
                             "cut-after-",
                             "cut-after-x",
                             "cut-later",
                             "hangs",
                             "Hang"}) {
        CAPTURE(name);
        const auto fault = parse_fault(name);
        REQUIRE_FALSE(fault);
        CHECK(fault.error().code == oai::core::Code::invalid_request);
        CHECK(fault.error().detail.find("failed-event") != std::string::npos);
        CHECK(fault.error().detail.find("error-<400..599>") != std::string::npos);
    }
}

TEST_CASE("a model name asks for a fault only where it says mock- by itself") {
    struct Row {
        const char* model;
        const char* want;
    };
    const Row rows[] = {{"mock-hang", "hang"},
                        {"gpt-5-mock-cut-after-3", "cut-after-3"},
                        {"vendor/mock-hang", "hang"},
                        {"gpt-4.mock-slow-2s", "slow-2s"},
                        {"mock", ""},
                        {"gpt-5-mini", ""},
                        {"hammock-hang", ""},
                        {"mock-gpt", "gpt"},
                        {"mock-a-mock-hang", "hang"},
                        {"", ""}};
    for (const Row& row : rows) {
        CAPTURE(row.model);
        CHECK(fault_in_model(row.model) == row.want);
    }
}

TEST_CASE("sizes and counts are part of a fault's name") {
    const auto huge = parse_fault("huge-event-64KiB");
    REQUIRE(huge);
    CHECK(huge->bytes == 65536);
    CHECK(fault_name(*huge) == "huge-event-65536");
    CHECK(parse_fault("huge-event")->bytes == 1048576);
    const auto counted = parse_fault("fail-3-times-cut-after-2");
    REQUIRE(counted);
    CHECK(counted->times == 3);
    CHECK(counted->kind == Kind::cut);
    CHECK(counted->after == 2);
    CHECK(fault_name(*counted) == "fail-3-times-cut-after-2");
}

TEST_CASE("a model's other words are found wherever they stand") {
    CHECK(says("gpt-5-mock-tool", kToolWord));
    CHECK(says("mock-tool-mock-hang", kToolWord));
    CHECK(says("mock-reasoning", kReasoningWord));
    CHECK_FALSE(says("gpt-5-mock-toolbox", kToolWord));
    CHECK_FALSE(says("gpt-5-tool", kToolWord));
    CHECK_FALSE(says("hammock-tool", kToolWord));
    CHECK(fault_in_model("gpt-5-mock-tool") == "");
    CHECK(fault_in_model("mock-tool-mock-hang") == "hang");
}

TEST_CASE("an error says when to come back in each of the known forms") {
    struct Row {
        const char* fault;
        const char* want;
    };
    const Row rows[] = {
        {"error-429", "retry-after: 2\r\n"},
        {"error-503", "retry-after: 2\r\n"},
        {"error-500", ""},
        {"error-500-seconds", "retry-after: 2\r\n"},
        {"error-429-no-hint", ""},
        {"error-429-seconds-90s", "retry-after: 90\r\n"},
        {"error-429-body-90s", ""},
        {"error-429-decimal", "retry-after: 1.500\r\n"},
        {"error-429-decimal-20ms", "retry-after: 0.020\r\n"},
        {"error-429-ms", "retry-after-ms: 1500\r\n"},
        {"error-429-date-1s", "retry-after: Thu, 12 Feb 2026 09:00:06 GMT\r\n"},
        {"error-429-date-1h", "retry-after: Thu, 12 Feb 2026 10:00:05 GMT\r\n"},
        {"error-429-reset-6m",
         "x-ratelimit-limit-requests: 10000\r\nx-ratelimit-remaining-requests: 0\r\nx-ratelimit-reset-requests: "
         "6m0s\r\n"
         "x-ratelimit-limit-tokens: 10000\r\nx-ratelimit-remaining-tokens: 0\r\nx-ratelimit-reset-tokens: 6m0s\r\n"},
        {"error-429-codex-2h",
         "x-codex-primary-used-percent: 100\r\nx-codex-primary-window-minutes: 300\r\n"
         "x-codex-primary-reset-after-seconds: 7200\r\nx-codex-secondary-used-percent: 40\r\n"
         "x-codex-secondary-window-minutes: 10080\r\nx-codex-secondary-reset-after-seconds: 500000\r\n"},
    };
    const auto at = oai::core::parse_rfc3339("2026-02-12T09:00:04.5Z");
    REQUIRE(at);
    for (const Row& row : rows) {
        CAPTURE(std::string(row.fault));
        std::string head;
        append_retry_hint(head, *parse_fault(row.fault), std::chrono::milliseconds{1500}, *at);
        CHECK(head == row.want);
    }
    std::string body;
    append_usage_limit(body, *parse_fault("error-429-body-90s"), std::chrono::seconds{1});
    CHECK(body.find("\"type\":\"usage_limit_reached\"") != std::string::npos);
    CHECK(body.find("\"resets_in_seconds\":90}") != std::string::npos);
    for (const auto& [fault, want] : {std::pair{"error-429-reset-120ms", "reset-tokens: 120ms\r\n"},
                                      std::pair{"error-429-reset-1s", "reset-tokens: 1s\r\n"},
                                      std::pair{"error-429-reset-1.5s", "reset-tokens: 1.500s\r\n"},
                                      std::pair{"error-429-reset-61s", "reset-tokens: 1m1s\r\n"}}) {
        std::string head;
        append_retry_hint(head, *parse_fault(fault), std::chrono::seconds{1}, *at);
        CHECK(head.ends_with(want));
    }
}
