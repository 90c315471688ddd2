#include "thresholds/verdict.hpp"

namespace oai::thresholds {
namespace {

bool undecided(RuleState state) noexcept {
    return state != RuleState::ok && state != RuleState::breach && state != RuleState::off;
}

/// " breached=a,b" of the required rules that `select` picks; nothing when there are none.
template <class Select>
std::string list_of(const Judgement& judgement, std::string_view key, Select select) {
    std::string list;
    for (const RuleResult& result : judgement.rules) {
        if (!result.rule.required || !select(result.state)) continue;
        list += list.empty() ? " " + std::string(key) + "=" : ",";
        list += result.rule.limit.subject();
    }
    return list;
}

}  // namespace

std::string_view name_of(RuleState state) noexcept {
    switch (state) {
        case RuleState::ok: return "ok";
        case RuleState::breach: return "breach";
        case RuleState::thin: return "thin";
        case RuleState::nodata: return "nodata";
        case RuleState::off: return "off";
        case RuleState::stale: return "stale";
        case RuleState::error: break;
    }
    return "error";
}

std::string_view name_of(Verdict verdict) noexcept {
    switch (verdict) {
        case Verdict::pass: return "PASS";
        case Verdict::breach: return "BREACH";
        case Verdict::inconclusive: return "INCONCLUSIVE";
        case Verdict::error: break;
    }
    return "ERROR";
}

int exit_code(Verdict verdict) noexcept {
    switch (verdict) {
        case Verdict::pass: return 0;
        case Verdict::breach: return 2;
        case Verdict::inconclusive: return 3;
        case Verdict::error: break;
    }
    return 1;
}

Verdict overall(const std::vector<RuleResult>& rules) noexcept {
    bool any_required = false, any_error = false, any_undecided = false;
    for (const RuleResult& result : rules) {
        if (!result.rule.required || result.state == RuleState::off) continue;
        if (result.state == RuleState::breach) return Verdict::breach;
        any_required = true;
        any_error = any_error || result.state == RuleState::error;
        any_undecided = any_undecided || undecided(result.state);
    }
    if (any_error) return Verdict::error;
    return any_required && !any_undecided ? Verdict::pass : Verdict::inconclusive;
}

std::string verdict_line(const Judgement& judgement) {
    return "verdict=" + std::string(name_of(judgement.verdict)) +
           " exit=" + std::to_string(exit_code(judgement.verdict)) +
           " rules=" + std::to_string(judgement.rules.size()) +
           list_of(judgement, "breached", [](RuleState state) { return state == RuleState::breach; }) +
           list_of(judgement, "undecided", undecided) +
           list_of(judgement, "off", [](RuleState state) { return state == RuleState::off; });
}

}  // namespace oai::thresholds
