#include <algorithm>
#include <string>
#include <string_view>

#include "core/units.hpp"
#include "json/writer.hpp"
#include "metrics/block.hpp"
#include "report/baseline.hpp"
#include "report/bounds.hpp"
#include "report/judgement.hpp"
#include "report/text.hpp"

namespace oai::report {
namespace {

using json::Writer;

void write_us(Writer& out, std::string_view name, std::optional<microseconds> value) {
    out.key(name);
    if (value) {
        out.value(value->count());
    } else {
        out.value(nullptr);
    }
}

void write_texts(Writer& out, std::string_view name, const std::vector<std::string>& texts) {
    out.key(name).begin_array();
    for (const std::string& text : texts) out.value(text);
    out.end_array();
}

void write_environment(Writer& out, const BaselineReport& report) {
    out.member("started", core::format_rfc3339(report.started));
    write_us(out, "planned_us", report.planned);
    write_us(out, "real_us", report.real);
    out.key("tool")
        .begin_object()
        .member("version", report.build.version)
        .member("build_type", report.build.type)
        .member("compiler", report.build.compiler)
        .end_object();
    out.key("machine")
        .begin_object()
        .member("kernel", report.machine.kernel)
        .member("cpu_model", report.machine.cpu_model)
        .member("cpus", report.machine.cpus)
        .end_object();
    out.key("target")
        .begin_object()
        .member("base_url", without_credentials(report.target))
        .member("embedded", report.embedded)
        .end_object();
}

void write_scenario(Writer& out, const BaselineReport& report) {
    out.key("scenario")
        .begin_object()
        .member("name", report.scenario.name)
        .member("config_hash", report.config_hash)
        .member("seed", report.scenario.seed);
    write_us(out, "sla_max_us", report.sla_max);
    out.key("streams").begin_array();
    for (const ArrivalStream& stream : report.scenario.streams) {
        out.begin_object().member("name", stream.name).member("arrival", stream.arrival).key("rate_rps");
        write_ratio(out, stream.rate);
        out.member("stream", stream.stream)
            .member("endpoint", stream.endpoint)
            .member("model", stream.model)
            .end_object();
    }
    out.end_array().end_object();
}

void write_generator(Writer& out, const Generator& generator) {
    out.begin_object().member("valid", generator.valid);
    write_texts(out, "reasons", generator.reasons);
    write_us(out, "lag_p50_us", generator.lag_p50);
    write_us(out, "lag_p99_us", generator.lag_p99);
    write_us(out, "lag_max_us", generator.lag_max);
    out.member("cpu_core_bp", generator.cpu_bp)
        .member("rss_bytes", generator.rss_bytes)
        .member("involuntary_switches", generator.involuntary_switches)
        .member("offered", generator.offered)
        .member("dropped", generator.dropped)
        .key("achieved");
    write_ratio(out, generator.achieved);
    out.end_object();
}

void write_errors(Writer& out, const std::vector<ErrorClass>& errors) {
    out.begin_array();
    for (const ErrorClass& error : errors) {
        out.begin_object().member("outcome", name_of(error.outcome)).member("count", error.count);
        out.key("examples").begin_array();
        for (std::size_t i = 0; i < std::min(error.examples.size(), kMaxExamples); ++i) {
            const ErrorExample& example = error.examples[i];
            out.begin_object()
                .member("message", cut(clean(example.message), kMaxMessageLength))
                .member("count", example.count)
                .key("http_status");
            if (example.http_status == 0) {
                out.value(nullptr);
            } else {
                out.value(example.http_status);
            }
            out.end_object();
        }
        out.end_array().end_object();
    }
    out.end_array();
}

/// "p99.9" as a member name, as in the metric block: "p99_9_us".
std::string member_of(metrics::Percentile p) {
    std::string name = metrics::name_of(p) + "_us";
    std::replace(name.begin(), name.end(), '.', '_');
    return name;
}

void write_exact(Writer& out, const std::vector<ExactRow>& rows) {
    if (rows.empty()) {
        out.value(nullptr);
        return;
    }
    out.begin_object();
    for (const auto& [name, part] :
         {std::pair("whole", metrics::Part::whole), std::pair("stream", metrics::Part::stream),
          std::pair("non_stream", metrics::Part::non_stream)}) {
        out.key(name).begin_object();
        for (const ExactRow& row : rows) {
            if (row.part != part) continue;
            out.key(name_of(row.metric)).begin_object().member("n", row.n);
            for (std::size_t p = 0; p < row.us.size(); ++p)
                out.member(member_of(metrics::kShownPercentiles[p]), row.us[p]);
            out.end_object();
        }
        out.end_object();
    }
    out.end_object();
}

}  // namespace

std::string write_json(const BaselineReport& report) {
    Writer out(Writer::Layout::pretty);
    out.begin_object()
        .member("schema", "oai.baseline/1")
        .member("kind", report.kind)
        .member("run_id", report.run_id)
        .member("verdict", name_of(final_verdict(report)))
        .member("exit", exit_code(report))
        .member("valid", report.generator.valid);
    write_texts(out, "invalid_reasons", report.generator.reasons);
    write_environment(out, report);
    write_scenario(out, report);
    out.key("limits");
    write_judgement(out, report.judgement);
    out.key("generator");
    write_generator(out, report.generator);
    out.key("errors");
    write_errors(out, report.errors);
    out.key("warnings").begin_array();
    for (const Warning& warning : report.warnings)
        out.begin_object()
            .member("name", warning.name)
            .member("count", warning.count)
            .member("text", warning.text)
            .end_object();
    out.end_array();
    write_texts(out, "notes", report.notes);
    out.key("exact_us");
    write_exact(out, report.exact);
    out.key("metrics").value(nullptr).end_object();
    Writer block;
    metrics::write_block(block, report.tally);
    return with_block(out.take(), block.text());
}

}  // namespace oai::report
