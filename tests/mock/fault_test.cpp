#include "mock/fault.hpp"

#include <string>

#include <doctest/doctest.h>

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
    for (const char* name : {"", "x", "error", "error-", "error-200", "error-600", "error-5x3", "slow", "slow-2",
                             "hang-after-3", "cut-after", "cut-after-", "cut-after-x", "cut-later", "hangs", "Hang"}) {
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
