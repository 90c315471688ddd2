#include "report/judgement.hpp"

#include <vector>

#include "report/format.hpp"
#include "report/labels.hpp"
#include "thresholds/evaluate.hpp"

namespace oai::report {
namespace {

using thresholds::RuleResult;
using thresholds::RuleState;
using thresholds::Verdict;

/// Subjects of the required rules that `select` picks, with commas between them.
template <class Select>
std::string subjects(const std::vector<RuleResult>& rules, Select select) {
    std::string list;
    for (const RuleResult& result : rules) {
        if (!result.rule.required || !select(result)) continue;
        list += (list.empty() ? "" : ", ") + result.rule.limit.subject();
    }
    return list;
}

Tone tone_of(const RuleResult& result) {
    switch (result.state) {
        case RuleState::ok: return Tone::good;
        case RuleState::breach: return result.rule.required ? Tone::bad : Tone::warn;
        case RuleState::thin:
        case RuleState::nodata:
        case RuleState::stale: return Tone::warn;
        case RuleState::off: return Tone::plain;
        case RuleState::error: break;
    }
    return Tone::bad;
}

std::string text_of(std::string_view view) {
    return std::string(view);
}

}  // namespace

Banner banner_of(const thresholds::Judgement& judgement) {
    const Labels& t = kEnglish;
    Banner banner{.word = text_of(name_of(judgement.verdict)), .sentence = {}};
    switch (judgement.verdict) {
        case Verdict::pass:
            banner.tone = Tone::good;
            banner.sentence = t.pass;
            break;
        case Verdict::breach: {
            std::size_t breached = 0;
            for (const RuleResult& result : judgement.rules)
                breached += result.rule.required && result.state == RuleState::breach ? 1 : 0;
            banner.tone = Tone::bad;
            banner.sentence =
                fill(t.breach, {std::to_string(breached), std::to_string(judgement.rules.size()),
                                subjects(judgement.rules, [](auto& r) { return r.state == RuleState::breach; })});
            break;
        }
        case Verdict::inconclusive: {
            const std::string open = subjects(judgement.rules, [](auto& r) {
                return r.state != RuleState::ok && r.state != RuleState::breach && r.state != RuleState::off;
            });
            banner.tone = Tone::warn;
            banner.sentence = open.empty() ? text_of(t.nothing_required) : fill(t.inconclusive, {open});
            break;
        }
        case Verdict::error:
            banner.tone = Tone::bad;
            banner.sentence =
                fill(t.error, {subjects(judgement.rules, [](auto& r) { return r.state == RuleState::error; })});
    }
    return banner;
}

Section limits_section(const thresholds::Judgement& judgement) {
    const Labels& t = kEnglish;
    Table table{.columns = {{text_of(t.state)},
                            {text_of(t.limit)},
                            {text_of(t.observed), true},
                            {text_of(t.n), true},
                            {text_of(t.remark)}},
                .rows = {}};
    for (const RuleResult& result : judgement.rules) {
        const Tone tone = tone_of(result);
        table.rows.push_back({Cell{.text = text_of(name_of(result.state)), .tone = tone, .mark = true},
                              Cell{.text = result.rule.limit.text(), .code = true},
                              Cell{.text = observed_text(result), .tone = tone == Tone::good ? Tone::plain : tone},
                              Cell{.text = n_text(result)}, Cell{.text = remark_text(result)}});
    }
    return Section{.title = fill(t.limits, {judgement.set}), .lines = {}, .table = std::move(table)};
}

std::string observed_text(const RuleResult& result) {
    const thresholds::Observation& seen = result.observed;
    if (result.rule.limit.is_duration())
        return seen.value_us ? ms_text(std::chrono::microseconds{*seen.value_us}) + " ms" : kNone;
    if (!seen.ratio || seen.ratio->den == 0) return kNone;
    // Without N the pair is a scaled fraction, and its parts count nothing.
    return seen.n ? rate_text(seen.ratio) : percent_text(*seen.ratio);
}

std::string n_text(const RuleResult& result) {
    return result.observed.n ? std::to_string(*result.observed.n) : "?";
}

std::string remark_text(const RuleResult& result) {
    const Labels& t = kEnglish;
    std::string remark;
    const auto add = [&](std::string_view text) { remark += (remark.empty() ? "" : "; ") + text_of(text); };
    switch (result.state) {
        case RuleState::ok:
        case RuleState::breach: break;
        case RuleState::thin: add(fill(t.thin, {n_text(result), std::to_string(result.rule.min_samples)})); break;
        case RuleState::nodata: add(t.nodata); break;
        case RuleState::off: add(t.off); break;
        case RuleState::stale: add(t.stale); break;
        case RuleState::error: add(result.observed.error);
    }
    const bool judged = result.state == RuleState::ok || result.state == RuleState::breach;
    if (result.low_n && judged) {
        const metrics::Percentile p = result.rule.limit.statistic;
        add(fill(t.low_n, {std::to_string(thresholds::low_n_below(p)), metrics::name_of(p)}));
    }
    if (result.approx && judged) add(t.approx);
    if (!result.rule.required) add(t.advisory);
    return remark;
}

std::string rule_sentence(const RuleResult& result) {
    const std::string remark = remark_text(result);
    return result.rule.limit.text() + ": " + text_of(kEnglish.observed_word) + " " + observed_text(result) +
           ", N=" + n_text(result) + (remark.empty() ? "" : " (" + remark + ")");
}

void write_ratio(json::Writer& out, const std::optional<metrics::Ratio>& ratio) {
    if (!ratio) {
        out.value(nullptr);
        return;
    }
    out.begin_object().member("num", ratio->num).member("den", ratio->den).end_object();
}

void write_judgement(json::Writer& out, const thresholds::Judgement& judgement) {
    out.begin_object().member("set", judgement.set).member("verdict", name_of(judgement.verdict));
    out.key("rules").begin_array();
    for (const RuleResult& result : judgement.rules) {
        const thresholds::Observation& seen = result.observed;
        out.begin_object()
            .member("limit", result.rule.limit.text())
            .member("subject", result.rule.limit.subject())
            .member("required", result.rule.required)
            .member("min_samples", result.rule.min_samples)
            .member("state", name_of(result.state))
            .member("n", seen.n)
            .member("value_us", seen.value_us)
            .member("at_or_below", seen.at_or_below)
            .key("rate");
        write_ratio(out, seen.ratio);
        out.member("low_n", result.low_n).member("approx", result.approx).key("error");
        if (seen.error.empty()) {
            out.value(nullptr);
        } else {
            out.value(seen.error);
        }
        out.end_object();
    }
    out.end_array().end_object();
}

std::string with_block(std::string document, std::string_view block) {
    constexpr std::string_view null_at_end = "null\n}";
    document.resize(document.size() - null_at_end.size());
    document += block;
    return document + "\n}\n";
}

}  // namespace oai::report
