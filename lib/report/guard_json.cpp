#include <string>

#include "core/units.hpp"
#include "json/writer.hpp"
#include "report/guard.hpp"
#include "report/guard_words.hpp"
#include "report/judgement.hpp"
#include "report/text.hpp"

namespace oai::report {
namespace {

void write_time(json::Writer& out, std::string_view name, const std::optional<core::WallTime>& at) {
    out.key(name);
    if (at) {
        out.value(core::format_rfc3339(*at));
    } else {
        out.value(nullptr);
    }
}

void write_text(json::Writer& out, std::string_view name, const std::string& text) {
    out.key(name);
    if (text.empty()) {
        out.value(nullptr);
    } else {
        out.value(text);
    }
}

}  // namespace

std::string write_json(const GuardReport& report) {
    json::Writer out(json::Writer::Layout::pretty);
    out.begin_object()
        .member("schema", "oai.guard/1")
        .member("verdict", name_of(final_verdict(report)))
        .member("exit", exit_code(report))
        .member("remapped", report.remapped_exit.has_value());
    write_time(out, "judged_at", report.judged_at);
    out.key("tool").begin_object().member("version", report.tool_version).end_object();
    write_text(out, "config_hash", report.config_hash);
    out.key("source")
        .begin_object()
        .member("kind", name_of(report.source.kind))
        .member("location", without_credentials(report.source.location))
        .end_object();
    out.key("window").begin_object();
    write_text(out, "asked", report.window.asked);
    write_time(out, "start", report.window.start);
    write_time(out, "end", report.window.end);
    out.member("open_requests", report.window.open_requests).end_object();
    out.key("filters").begin_object();
    for (const auto& [name, value] : report.filters) out.member(name, value);
    out.end_object();
    out.member("limits_from", report.limits_from);
    out.key("limits");
    write_judgement(out, report.judgement);
    write_text(out, "error", report.error);
    out.key("notes").begin_array();
    for (const std::string& note : report.notes) out.value(note);
    out.end_array();
    out.key("metrics").value(nullptr).end_object();
    return with_block(out.take(), report.metrics_block.empty() ? "null" : report.metrics_block);
}

}  // namespace oai::report
