#include "mock/script.hpp"

#include <algorithm>

#include "core/units.hpp"

namespace oai::mock {

using core::Code;
using core::Error;
using core::Result;
using std::chrono::nanoseconds;

namespace {

// A purpose keeps its number for good: a seed must mean the same answers after a new kind of draw was added.
enum Purpose : std::uint64_t {
    kFaultDraw,
    kTokensDraw,
    kFirstByteDraw,
    kTtftDraw,
    kLatencyDraw,
    kGapDraw,
    kPositionDraw,
    kSlowDraw
};

constexpr std::int64_t kAll = 10'000;
constexpr std::int64_t kMostTokens = 1'000'000;

using Kind = Fault::Kind;

/// One draw over the whole of the shares, so that each comes out as often as it says.
Fault draw_fault(const FaultRates& rates, std::uint64_t seed, std::uint64_t number) {
    const struct {
        std::int64_t share_bp;
        Kind kind;
    } rows[] = {{rates.error_bp, Kind::error},
                {rates.hang_bp, Kind::hang},
                {rates.stall_bp, Kind::stall},
                {rates.cut_bp, Kind::cut},
                {rates.error_event_bp, Kind::failed_event},
                {rates.slow_bp, Kind::slow}};
    Fault fault;
    auto left = static_cast<std::int64_t>(Draws(seed, number, kFaultDraw).below(kAll));
    for (const auto& row : rows) {
        left -= row.share_bp;
        if (left >= 0) continue;
        fault.kind = row.kind;
        break;
    }
    for (const FaultRates::Share& share : rates.more) {
        if (left < 0) break;
        left -= share.share_bp;
        if (left < 0) return share.fault;
    }
    if (fault.kind == Kind::error) fault.status = rates.error_status;
    if (fault.kind == Kind::slow) {
        Draws draws(seed, number, kSlowDraw);
        fault.delay = nanoseconds{rates.slow.sample(draws)};
    }
    return fault;
}

Error bad_share() {
    return Error{.code = Code::invalid_argument, .detail = "a fault rate must be from 0% to 100%"};
}

nanoseconds draw_delay(const Distribution& law, std::uint64_t seed, std::uint64_t number, Purpose purpose) {
    Draws draws(seed, number, purpose);
    return nanoseconds{law.sample(draws)};
}

Result<Fault> named_fault(const Behaviour& behaviour, std::uint64_t seed, const RequestFacts& facts) {
    if (!facts.fault.empty()) return parse_fault(facts.fault);
    if (const std::string_view named = fault_in_model(facts.model); !named.empty()) {
        Result<Fault> fault = parse_fault(named);
        if (!fault) fault.error().param = "model";
        return fault;
    }
    for (const KeyFault& row : behaviour.key_faults) {
        if (row.key == facts.key) return row.fault;
    }
    for (const ScheduledFault& row : behaviour.schedule) {
        if (row.from <= facts.since_start && facts.since_start < row.to) return row.fault;
    }
    return draw_fault(behaviour.faults, seed, facts.number);
}

Result<Fault> choose_fault(const Behaviour& behaviour, std::uint64_t seed, const RequestFacts& facts) {
    Result<Fault> fault = named_fault(behaviour, seed, facts);
    if (!fault || fault->times == 0 || facts.turns == nullptr) return fault;
    const std::string name = fault_name(*fault);
    if (facts.turns->next({name, facts.model, facts.session}) > fault->times) return Fault{};
    return fault;
}

}  // namespace

Result<Plan> make_plan(const Behaviour& behaviour, std::uint64_t seed, const RequestFacts& facts) {
    Plan plan;
    Result<Fault> fault = choose_fault(behaviour, seed, facts);
    if (!fault) return fault.error();
    plan.fault = *fault;
    plan.gzip = behaviour.gzip || plan.fault.kind == Kind::gzip;

    Draws tokens(seed, facts.number, kTokensDraw);
    std::int64_t count = std::clamp(behaviour.tokens.sample(tokens), std::int64_t{1}, kMostTokens);
    if (facts.max_tokens && *facts.max_tokens < count) {
        count = std::max(*facts.max_tokens, std::int64_t{1});
        plan.incomplete = true;
    }
    plan.output_tokens = static_cast<unsigned>(count);
    plan.stream = facts.stream && !answers_whole(plan.fault.kind);
    if (plan.stream && has_position(plan.fault.kind)) {
        // Drawn: after some output and before all of it, where there is room for that.
        const unsigned most = plan.output_tokens;
        if (!plan.fault.after) {
            Draws position(seed, facts.number, kPositionDraw);
            plan.fault.after = most < 2 ? 1 : 1 + static_cast<unsigned>(position.below(most - 1));
        }
        plan.fault.after = std::min(*plan.fault.after, most);
    }

    if (plan.stream && plan.fault.kind == Kind::capacity) plan.fault.after = 0;

    const Distribution& output = plan.stream ? behaviour.ttft : behaviour.latency;
    plan.first_byte = draw_delay(behaviour.first_byte, seed, facts.number, kFirstByteDraw);
    plan.first_output = draw_delay(output, seed, facts.number, plan.stream ? kTtftDraw : kLatencyDraw);
    plan.first_output = std::max(plan.first_output, plan.first_byte);
    if (plan.fault.kind == Kind::slow) plan.first_output += plan.fault.delay;
    plan.gap = behaviour.gap;
    plan.gap_draws = Draws(seed, facts.number, kGapDraw);
    return plan;
}

Result<void> validate(const FaultRates& faults) {
    std::int64_t sum = 0;
    for (const std::int64_t share :
         {faults.error_bp, faults.hang_bp, faults.stall_bp, faults.cut_bp, faults.error_event_bp, faults.slow_bp}) {
        if (share < 0 || share > kAll) return bad_share();
        sum += share;
    }
    for (const FaultRates::Share& share : faults.more) {
        if (share.share_bp < 0 || share.share_bp > kAll) return bad_share();
        sum += share.share_bp;
    }
    if (sum > kAll)
        return Error{.code = Code::invalid_argument,
                     .detail = "the fault rates add up to more than 100%; one request has one fault"};
    if (faults.error_status < 400 || faults.error_status > 599)
        return Error{.code = Code::invalid_argument,
                     .detail = "the error status must be from 400 to 599, got " + std::to_string(faults.error_status)};
    return {};
}

Result<FaultRates::Share> read_share(std::string_view fault, std::string_view percent) {
    const Result<Fault> named = parse_fault(fault);
    if (!named) return named.error();
    const Result<std::int64_t> share_bp = core::parse_percent(percent);
    if (!share_bp) return share_bp.error();
    return FaultRates::Share{*share_bp, *named};
}

Result<ScheduledFault> read_schedule(std::string_view range, std::string_view fault) {
    const Error bad{.code = Code::invalid_request,
                    .detail = "a time must be like 10s-20s, got \"" + std::string(range) + "\""};
    const std::size_t hyphen = range.find('-');
    if (hyphen == std::string_view::npos) return bad;
    const Result<nanoseconds> from = core::parse_duration(range.substr(0, hyphen));
    const Result<nanoseconds> to = core::parse_duration(range.substr(hyphen + 1));
    if (!from || !to || *to <= *from) return bad;
    const Result<Fault> named = parse_fault(fault);
    if (!named) return named.error();
    return ScheduledFault{*from, *to, *named};
}

std::vector<FaultRates::Share> all_shares(const FaultRates& rates) {
    std::vector<FaultRates::Share> all;
    const auto add = [&](std::int64_t share_bp, Fault fault) {
        if (share_bp != 0) all.push_back({share_bp, fault});
    };
    add(rates.error_bp, {.kind = Kind::error, .status = rates.error_status});
    add(rates.hang_bp, {.kind = Kind::hang});
    add(rates.stall_bp, {.kind = Kind::stall});
    add(rates.cut_bp, {.kind = Kind::cut});
    add(rates.error_event_bp, {.kind = Kind::failed_event});
    // How slow is a law, not a number: its share is told by the name alone.
    add(rates.slow_bp, {.kind = Kind::slow});
    for (const FaultRates::Share& share : rates.more) add(share.share_bp, share.fault);
    return all;
}

}  // namespace oai::mock
