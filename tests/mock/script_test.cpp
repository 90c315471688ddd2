#include "mock/script.hpp"

#include <map>
#include <string>

#include <doctest/doctest.h>

using namespace oai::mock;
using namespace std::chrono_literals;
using Kind = Fault::Kind;

namespace {

Distribution delay(const char* text) {
    return *parse_duration_distribution(text);
}

RequestFacts facts(std::uint64_t number, std::string_view model = "gpt-5-mini", bool stream = true) {
    RequestFacts f;
    f.number = number;
    f.model = model;
    f.stream = stream;
    return f;
}

Behaviour busy() {
    Behaviour b;
    b.first_byte = delay("uniform(1ms,2ms)");
    b.ttft = delay("lognormal(20ms,0.4)");
    b.gap = delay("exp(5ms)");
    b.latency = delay("normal(50ms,5ms)");
    b.tokens = *parse_count_distribution("8-32");
    b.faults.error_bp = 500;
    b.faults.cut_bp = 500;
    return b;
}

}  // namespace

TEST_CASE("a plan depends on seed and number, not on what was planned before") {
    const Behaviour b = busy();
    Plan once = *make_plan(b, 1, facts(40));
    for (std::uint64_t n = 1; n < 40; ++n) (void)make_plan(b, 1, facts(n));
    Plan again = *make_plan(b, 1, facts(40));
    CHECK(once.first_output == again.first_output);
    CHECK(once.output_tokens == again.output_tokens);
    CHECK(once.fault == again.fault);
    for (int i = 0; i < 10; ++i) CHECK(once.next_gap() == again.next_gap());

    Plan other_number = *make_plan(b, 1, facts(41));
    Plan other_seed = *make_plan(b, 2, facts(40));
    CHECK(other_number.first_output != again.first_output);
    CHECK(other_seed.first_output != again.first_output);
    // The fault of one request moves no delay of it.
    Behaviour whole = b;
    whole.faults = {};
    CHECK(make_plan(whole, 1, facts(40))->first_output == again.first_output);
}

TEST_CASE("each fault comes as often as its rate says, and none twice") {
    Behaviour b;
    b.faults = {.error_bp = 500,
                .error_status = 529,
                .hang_bp = 100,
                .stall_bp = 200,
                .cut_bp = 300,
                .error_event_bp = 400,
                .slow_bp = 1000,
                .slow = delay("2s")};
    REQUIRE(validate(b.faults));
    std::map<Kind, int> seen;
    for (std::uint64_t n = 1; n <= 40'000; ++n) {
        const Plan plan = *make_plan(b, 3, facts(n));
        ++seen[plan.fault.kind];
        if (plan.fault.kind == Kind::error) CHECK(plan.fault.status == 529);
        if (plan.fault.kind == Kind::slow) CHECK(plan.first_output == 2s);
        if (plan.fault.kind == Kind::cut) {
            CHECK(*plan.fault.after >= 1);
            CHECK(*plan.fault.after < plan.output_tokens);
        }
    }
    struct Row {
        Kind kind;
        int want;
    };
    for (const Row row : {Row{Kind::none, 30'000}, Row{Kind::error, 2'000}, Row{Kind::hang, 400}, Row{Kind::stall, 800},
                          Row{Kind::cut, 1'200}, Row{Kind::failed_event, 1'600}, Row{Kind::slow, 4'000}}) {
        CAPTURE(static_cast<int>(row.kind));
        CHECK(seen[row.kind] == doctest::Approx(row.want).epsilon(0.1));
    }
}

TEST_CASE("a fault is chosen by header, then model name, then rate") {
    Behaviour always;
    always.faults.hang_bp = 10'000;
    struct Row {
        const char* name;
        const char* header;
        const char* model;
        const char* want;
    };
    const Row rows[] = {
        {"rate", "", "gpt-5-mini", "hang"},
        {"model before rate", "", "mock-error-503", "error-503"},
        {"header before model", "cut-after-2", "mock-error-503", "cut-after-2"},
        {"none by header", "none", "mock-error-503", "none"},
        {"none by model", "", "mock-none", "none"},
        {"later than the end is the end", "cut-after-99", "m", "cut-after-16"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        RequestFacts f = facts(1, row.model);
        f.fault = row.header;
        const auto plan = make_plan(always, 1, f);
        REQUIRE(plan);
        CHECK(fault_name(plan->fault) == row.want);
    }
    const auto unknown = make_plan(always, 1, facts(1, "mock-explode"));
    REQUIRE_FALSE(unknown);
    CHECK(unknown.error().param == "model");
}

TEST_CASE("after the model come the credential, the schedule and the shares") {
    Behaviour b;
    b.key_faults = {{"sk-bad", *parse_fault("error-401")}};
    b.schedule = {{10s, 20s, *parse_fault("error-503")}};
    b.faults.more = {{10'000, *parse_fault("non-json")}};
    struct Row {
        const char* name;
        const char* model;
        const char* key;
        std::chrono::seconds at;
        const char* want;
    };
    const Row rows[] = {{"share", "m", "sk-good", 0s, "non-json"},
                        {"schedule", "m", "sk-good", 10s, "error-503"},
                        {"schedule, last moment", "m", "sk-good", 19s, "error-503"},
                        {"schedule over", "m", "sk-good", 20s, "non-json"},
                        {"credential before schedule", "m", "sk-bad", 15s, "error-401"},
                        {"model before credential", "mock-hang", "sk-bad", 15s, "hang"},
                        {"another word of the model is no fault", "mock-tool", "sk-good", 0s, "non-json"}};
    for (const Row& row : rows) {
        CAPTURE(row.name);
        RequestFacts f = facts(1, row.model);
        f.key = row.key;
        f.since_start = row.at;
        CHECK(fault_name(make_plan(b, 1, f)->fault) == row.want);
    }
}

TEST_CASE("a counted fault ends after its count, for each model and session on its own") {
    Turns turns;
    const Behaviour b;
    const auto fault_of = [&](std::string_view model, std::string_view session) {
        RequestFacts f = facts(1, model);
        f.session = session;
        f.turns = &turns;
        return make_plan(b, 1, f)->fault.kind;
    };
    const char* model = "mock-fail-2-times-hang";
    CHECK(fault_of(model, "a") == Kind::hang);
    CHECK(fault_of(model, "a") == Kind::hang);
    CHECK(fault_of(model, "a") == Kind::none);
    CHECK(fault_of(model, "b") == Kind::hang);
    CHECK(fault_of("other-mock-fail-2-times-hang", "a") == Kind::hang);
    CHECK(fault_of(model, "a") == Kind::none);
}

TEST_CASE("a fault that answers whole makes a stream a whole answer") {
    struct Row {
        const char* fault;
        bool stream;
    };
    for (const Row row : {Row{"none", true}, Row{"error-500", false}, Row{"error-in-200", false},
                          Row{"truncated-json", false}, Row{"bad-chunk", true}, Row{"capacity", true}}) {
        CAPTURE(std::string(row.fault));
        RequestFacts f = facts(1);
        f.fault = row.fault;
        CHECK(make_plan({}, 1, f)->stream == row.stream);
    }
}

TEST_CASE("tokens obey the caller's limit, and never are none") {
    struct Row {
        const char* tokens;
        std::optional<std::int64_t> limit;
        unsigned want;
        bool incomplete;
    };
    const Row rows[] = {{"16", {}, 16, false}, {"16", 16, 16, false}, {"16", 15, 15, true},
                        {"16", 1, 1, true},    {"0", {}, 1, false},   {"16", 1'000'000'000'000, 16, false}};
    for (const Row& row : rows) {
        CAPTURE(row.tokens);
        Behaviour b;
        b.tokens = *parse_count_distribution(row.tokens);
        RequestFacts f = facts(1);
        f.max_tokens = row.limit;
        const Plan plan = *make_plan(b, 1, f);
        CHECK(plan.output_tokens == row.want);
        CHECK(plan.incomplete == row.incomplete);
    }
}

TEST_CASE("streams wait for the first token, other answers for all of it, and never before the head") {
    Behaviour b;
    b.first_byte = delay("3ms");
    b.ttft = delay("20ms");
    b.latency = delay("50ms");
    CHECK(make_plan(b, 1, facts(1))->first_output == 20ms);
    CHECK(make_plan(b, 1, facts(1, "m", false))->first_output == 50ms);
    CHECK(make_plan(b, 1, facts(1, "mock-slow-2s"))->first_output == 2020ms);
    CHECK(make_plan(b, 1, facts(1, "mock-slow-2s"))->first_byte == 3ms);
    b.first_byte = delay("30ms");
    CHECK(make_plan(b, 1, facts(1))->first_output == 30ms);
}

TEST_CASE("rates that cannot be are refused") {
    FaultRates rates;
    rates.error_bp = 6'000;
    rates.cut_bp = 4'001;
    CHECK_FALSE(validate(rates));
    rates.cut_bp = 4'000;
    CHECK(validate(rates));
    rates.error_status = 200;
    CHECK_FALSE(validate(rates));
    rates.error_status = 500;
    rates.hang_bp = -1;
    CHECK_FALSE(validate(rates));
}
