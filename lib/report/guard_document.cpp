#include <string>
#include <utility>

#include "core/units.hpp"
#include "report/document.hpp"
#include "report/guard.hpp"
#include "report/guard_words.hpp"
#include "report/judgement.hpp"
#include "report/labels.hpp"
#include "report/text.hpp"

namespace oai::report {
namespace {

const Labels& t = kEnglish;

/// GitHub refuses a comment of 65,536 characters.
constexpr std::size_t kMaxComment = 65'000;

std::string text_of(std::string_view view) {
    return std::string(view);
}

Section details(const GuardReport& report) {
    Table table{.columns = {{}, {}}, .rows = {}};
    const auto add = [&](std::string_view label, std::string text) {
        if (!text.empty()) table.rows.push_back({{.text = text_of(label)}, {.text = std::move(text), .code = true}});
    };
    add(t.source, text_of(name_of(report.source.kind)) + " " + without_credentials(report.source.location));
    add(t.window, window_text(report.window));
    if (report.window.open_requests) add(t.open_requests, std::to_string(*report.window.open_requests));
    for (const auto& [name, value] : report.filters) add(fill(t.filter, {name}), value);
    add(t.limits_source, report.limits_from);
    add(t.config_hash, report.config_hash);
    add(t.judged_at, core::format_rfc3339(report.judged_at));
    add(t.tool, report.tool_version);
    return Section{.title = text_of(t.details), .lines = {}, .table = std::move(table), .folded = true};
}

Document document(const GuardReport& report) {
    Document made{.title = fill(t.check, {without_credentials(report.source.location)}),
                  .subtitle = fill(t.window_line, {window_text(report.window)}),
                  .banner = banner_of(report.judgement),
                  .sections = {}};
    if (!report.error.empty()) {
        made.banner = Banner{.tone = Tone::bad,
                             .word = text_of(name_of(thresholds::Verdict::error)),
                             .sentence = fill(t.not_judged, {report.error})};
    }
    if (report.remapped_exit) made.banner.reasons.push_back(remapped_text(report));
    if (!report.judgement.rules.empty()) made.sections.push_back(limits_section(report.judgement));
    if (!report.notes.empty()) made.sections.push_back({.title = text_of(t.notes), .lines = report.notes});
    made.sections.push_back(details(report));
    return made;
}

/// A word of ours in a comment of HTML: nothing in it may end the comment.
std::string marker_word(std::string_view text) {
    std::string word;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
        word += plain ? c : '_';
    }
    return word;
}

}  // namespace

std::string_view name_of(SourceKind kind) noexcept {
    switch (kind) {
        case SourceKind::gateway: return "gateway";
        case SourceKind::ancestor: return "ancestor";
        case SourceKind::report: break;
    }
    return "report";
}

std::string window_text(const GuardWindow& window) {
    std::string text = text_of(t.window_unknown);
    if (window.start && window.end)
        text = fill(t.window_value, {core::format_rfc3339(*window.start), core::format_rfc3339(*window.end)});
    return window.asked.empty() ? text : fill(t.window_asked, {text, window.asked});
}

std::string remapped_text(const GuardReport& report) {
    if (!report.remapped_exit) return {};
    return fill(t.remapped,
                {std::to_string(*report.remapped_exit), std::to_string(thresholds::exit_code(final_verdict(report)))});
}

thresholds::Verdict final_verdict(const GuardReport& report) noexcept {
    return report.error.empty() ? report.judgement.verdict : thresholds::Verdict::error;
}

int exit_code(const GuardReport& report) noexcept {
    return report.remapped_exit.value_or(thresholds::exit_code(final_verdict(report)));
}

std::string verdict_line(const GuardReport& report) {
    thresholds::Judgement judgement = report.judgement;
    judgement.verdict = final_verdict(report);
    std::string line = thresholds::verdict_line(judgement);
    if (report.remapped_exit) {
        const std::string was = " exit=" + std::to_string(thresholds::exit_code(judgement.verdict));
        line.replace(line.find(was), was.size(), " exit=" + std::to_string(*report.remapped_exit));
    }
    return line;
}

std::string write_markdown(const GuardReport& report) {
    const std::string marker = "<!-- oaiguard check " + marker_word(report.judgement.set) + " -->\n";
    Document made = document(report);
    std::string text = marker + render_markdown(made);
    if (text.size() <= kMaxComment) return text;
    made.sections.back() = Section{.title = text_of(t.details), .lines = {text_of(t.details_left_out)}};
    return marker + render_markdown(made);
}

std::string write_terminal(const GuardReport& report, Terminal terminal) {
    return render_text(document(report), terminal);
}

}  // namespace oai::report
