#include "loadgen/run_header.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/ids.hpp"
#include "core/units.hpp"
#include "json/value.hpp"
#include "json/writer.hpp"
#include "loadgen/environment.hpp"
#include "thresholds/evaluate.hpp"
#include "thresholds/limit_set.hpp"

namespace oai::loadgen {

using core::Code;
using core::Error;
using core::Result;
using std::chrono::microseconds;

namespace {

constexpr std::string_view kSchema = "oai.samples/1";

std::string make_run_id(core::WallTime started) {
    core::IdSource ids;
    const std::uint64_t number = ids.next();
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(number >> shift));
    return core::format_compact_utc(started) + "-" + core::to_hex(bytes);
}

std::int64_t unix_us(core::WallTime at) {
    return std::chrono::floor<microseconds>(at.time_since_epoch()).count();
}

void write_us(json::Writer& out, std::string_view name, const std::optional<microseconds>& value) {
    out.member(name, value ? std::optional(value->count()) : std::nullopt);
}

void write_generator(json::Writer& out, const report::Generator& generator) {
    out.key("generator").begin_object();
    write_us(out, "lag_p50_us", generator.lag_p50);
    write_us(out, "lag_p99_us", generator.lag_p99);
    write_us(out, "lag_max_us", generator.lag_max);
    out.member("cpu_bp", generator.cpu_bp);
    out.member("rss_bytes", generator.rss_bytes);
    out.member("involuntary_switches", generator.involuntary_switches);
    out.member("offered", generator.offered);
    out.member("dropped", generator.dropped);
    out.member("achieved_num", generator.achieved ? std::optional(generator.achieved->num) : std::nullopt);
    out.member("achieved_den", generator.achieved ? std::optional(generator.achieved->den) : std::nullopt);
    out.member("valid", generator.valid);
    out.key("reasons").begin_array();
    for (const std::string& reason : generator.reasons) out.value(reason);
    out.end_array().end_object();
}

void write_findings(json::Writer& out, const report::BaselineReport& report) {
    out.key("errors").begin_array();
    for (const report::ErrorClass& of : report.errors) {
        out.begin_object();
        out.member("outcome", metrics::name_of(of.outcome));
        out.member("count", of.count);
        out.key("examples").begin_array();
        for (const report::ErrorExample& example : of.examples) {
            out.begin_object();
            out.member("message", example.message);
            out.member("count", example.count);
            out.member("http_status", example.http_status);
            out.end_object();
        }
        out.end_array().end_object();
    }
    out.end_array();
    out.key("warnings").begin_array();
    for (const report::Warning& warning : report.warnings) {
        out.begin_object();
        out.member("name", warning.name).member("count", warning.count).member("text", warning.text);
        out.end_object();
    }
    out.end_array();
}

/// Reads members of one object; the first one that is missing or of another type is remembered and told at the end.
class Reader {
public:
    Reader(const json::Value& object, std::string where) : object_(object), where_(std::move(where)) {}

    std::string text(std::string_view name) {
        const json::Value* member = object_.find(name);
        const std::optional<std::string_view> value = member ? member->as_string() : std::nullopt;
        if (!value) miss(name, "a string");
        return std::string(value.value_or(""));
    }
    bool flag(std::string_view name) {
        const json::Value* member = object_.find(name);
        const std::optional<bool> value = member ? member->as_bool() : std::nullopt;
        if (!value) miss(name, "true or false");
        return value.value_or(false);
    }
    template <class I = std::uint64_t>
    I number(std::string_view name) {
        const std::optional<I> value = maybe<I>(name);
        if (!value) miss(name, "a number");
        return value.value_or(I{});
    }
    /// null is none; absent is an error.
    template <class I = std::uint64_t>
    std::optional<I> maybe(std::string_view name) {
        const json::Value* member = object_.find(name);
        const std::optional<std::int64_t> value = member ? member->as_int() : std::nullopt;
        const bool fits = value && (std::is_signed_v<I> || *value >= 0);
        if (member == nullptr || (!fits && !member->is_null())) miss(name, "a number or null");
        return fits ? std::optional(static_cast<I>(*value)) : std::nullopt;
    }
    std::optional<microseconds> maybe_us(std::string_view name) {
        const std::optional<std::int64_t> value = maybe<std::int64_t>(name);
        return value ? std::optional(microseconds{*value}) : std::nullopt;
    }
    Reader object(std::string_view name) {
        const json::Value* member = object_.find(name);
        if (member == nullptr || !member->is_object()) miss(name, "an object");
        static const json::Value kNone;
        return Reader(member ? *member : kNone, path(name));
    }
    const std::vector<json::Value>& items(std::string_view name) {
        const json::Value* member = object_.find(name);
        if (member == nullptr || !member->is_array()) miss(name, "an array");
        static const std::vector<json::Value> kNone;
        return member ? member->items() : kNone;
    }
    const json::Value& value() const noexcept { return object_; }

    void miss(std::string_view name, std::string_view wanted) {
        if (missed_.empty()) missed_ = "header member \"" + path(name) + "\" must be " + std::string(wanted);
    }
    const std::string& missed() const noexcept { return missed_; }
    /// Takes over what a child missed.
    void absorb(const Reader& child) {
        if (missed_.empty()) missed_ = child.missed_;
    }

private:
    std::string path(std::string_view name) const {
        return where_.empty() ? std::string(name) : where_ + "." + std::string(name);
    }

    const json::Value& object_;
    std::string where_;
    std::string missed_;
};

void read_generator(Reader& in, report::Generator& generator) {
    generator.lag_p50 = in.maybe_us("lag_p50_us");
    generator.lag_p99 = in.maybe_us("lag_p99_us");
    generator.lag_max = in.maybe_us("lag_max_us");
    generator.cpu_bp = in.maybe<std::int64_t>("cpu_bp");
    generator.rss_bytes = in.maybe("rss_bytes");
    generator.involuntary_switches = in.maybe("involuntary_switches");
    generator.offered = in.number("offered");
    generator.dropped = in.number("dropped");
    const std::optional<std::uint64_t> num = in.maybe("achieved_num"), den = in.maybe("achieved_den");
    if (num && den) generator.achieved = metrics::Ratio{*num, *den};
    generator.valid = in.flag("valid");
    for (const json::Value& reason : in.items("reasons"))
        generator.reasons.emplace_back(reason.as_string().value_or("?"));
}

void read_findings(Reader& in, report::BaselineReport& report) {
    for (const json::Value& item : in.items("errors")) {
        Reader of(item, "errors");
        report::ErrorClass& read = report.errors.emplace_back();
        const std::optional<metrics::Outcome> outcome = metrics::find_outcome(of.text("outcome"));
        if (!outcome) of.miss("outcome", "an outcome");
        read.outcome = outcome.value_or(metrics::Outcome::malformed);
        read.count = of.number("count");
        for (const json::Value& example : of.items("examples")) {
            Reader words(example, "errors.examples");
            read.examples.push_back({.message = words.text("message"),
                                     .count = words.number("count"),
                                     .http_status = words.number<std::uint16_t>("http_status")});
            of.absorb(words);
        }
        in.absorb(of);
    }
    for (const json::Value& item : in.items("warnings")) {
        Reader of(item, "warnings");
        report.warnings.push_back({.name = of.text("name"), .count = of.number("count"), .text = of.text("text")});
        in.absorb(of);
    }
}

void read_scenario(Reader& in, report::Scenario& scenario) {
    scenario.name = in.text("name");
    scenario.seed = in.number("seed");
    for (const json::Value& item : in.items("streams")) {
        Reader of(item, "scenario.streams");
        scenario.streams.push_back({.name = of.text("name"),
                                    .arrival = of.text("arrival"),
                                    .rate = {of.number("rate_num"), of.number("rate_den")},
                                    .stream = of.flag("stream"),
                                    .endpoint = of.text("endpoint"),
                                    .model = of.text("model")});
        in.absorb(of);
    }
}

}  // namespace

RunFacts begin_facts(const Scenario& scenario, const Target& target, core::WallTime started) {
    RunFacts facts;
    report::BaselineReport& report = facts.report;
    report.run_id = make_run_id(started);
    report.kind = "baseline";
    report.started = started;
    report.planned = std::chrono::floor<microseconds>(scenario.duration);
    report.build = this_build();
    report.machine = this_machine();
    report.scenario.name = scenario.name;
    report.scenario.seed = scenario.seed;
    for (const ArrivalStream& stream : scenario.streams) {
        const std::uint64_t divisor = std::gcd(stream.rate.milli, std::uint64_t{1000});
        report.scenario.streams.push_back({.name = stream.name,
                                           .arrival = "constant",
                                           .rate = {stream.rate.milli / divisor, 1000 / divisor},
                                           .stream = stream.stream,
                                           .endpoint = stream.endpoint,
                                           .model = stream.model});
    }
    facts.config = canonical_json(scenario);
    report.config_hash = config_hash(scenario);
    report.target = target.place.url.text();
    report.embedded = target.embedded;
    return facts;
}

std::string write_header(const RunFacts& facts) {
    const report::BaselineReport& report = facts.report;
    json::Writer out;
    out.begin_object();
    out.member("schema", kSchema);
    out.member("complete", facts.complete);
    out.member("run_id", report.run_id);
    out.member("kind", report.kind);
    out.member("clock_base_unix_us", unix_us(report.started));
    out.member("planned_us", report.planned.count());
    out.member("real_us", report.real.count());
    out.key("build").begin_object();
    out.member("version", report.build.version)
        .member("type", report.build.type)
        .member("compiler", report.build.compiler);
    out.end_object();
    out.key("machine").begin_object();
    out.member("kernel", report.machine.kernel)
        .member("cpu_model", report.machine.cpu_model)
        .member("cpus", report.machine.cpus);
    out.end_object();
    out.key("scenario").begin_object();
    out.member("name", report.scenario.name).member("seed", report.scenario.seed);
    out.key("streams").begin_array();
    for (const report::ArrivalStream& stream : report.scenario.streams) {
        out.begin_object();
        out.member("name", stream.name).member("arrival", stream.arrival);
        out.member("rate_num", stream.rate.num).member("rate_den", stream.rate.den);
        out.member("stream", stream.stream).member("endpoint", stream.endpoint).member("model", stream.model);
        out.end_object();
    }
    out.end_array().end_object();
    out.key("config").raw(facts.config.empty() ? std::string_view("null") : facts.config);
    out.member("config_hash", report.config_hash);
    out.member("target", report.target);
    out.member("embedded", report.embedded);
    out.key("claims").begin_object();
    out.member("stream_offered", facts.claims.stream.offered).member("stream_sent", facts.claims.stream.sent);
    out.member("non_stream_offered", facts.claims.non_stream.offered)
        .member("non_stream_sent", facts.claims.non_stream.sent);
    out.end_object();
    write_generator(out, report.generator);
    write_findings(out, report);
    out.end_object();
    return out.take();
}

Result<RunFacts> read_header(std::string_view text) {
    const Result<json::Value> document = json::Value::parse(text);
    if (!document)
        return Error{.code = Code::parse_failed, .detail = "the header is no JSON: " + document.error().detail};
    Reader in(*document, "");
    RunFacts facts;
    report::BaselineReport& report = facts.report;
    if (in.text("schema") != kSchema) in.miss("schema", std::string(kSchema));
    facts.complete = in.flag("complete");
    report.run_id = in.text("run_id");
    report.kind = in.text("kind");
    report.started = core::WallTime{microseconds{in.number<std::int64_t>("clock_base_unix_us")}};
    report.planned = microseconds{in.number<std::int64_t>("planned_us")};
    report.real = microseconds{in.number<std::int64_t>("real_us")};
    Reader build = in.object("build");
    report.build = {.version = build.text("version"), .type = build.text("type"), .compiler = build.text("compiler")};
    Reader machine = in.object("machine");
    report.machine = {.kernel = machine.text("kernel"),
                      .cpu_model = machine.text("cpu_model"),
                      .cpus = machine.number<std::uint32_t>("cpus")};
    Reader scenario = in.object("scenario");
    read_scenario(scenario, report.scenario);
    report.config_hash = in.text("config_hash");
    report.target = in.text("target");
    report.embedded = in.flag("embedded");
    Reader claims = in.object("claims");
    facts.claims.stream = {claims.number("stream_offered"), claims.number("stream_sent")};
    facts.claims.non_stream = {claims.number("non_stream_offered"), claims.number("non_stream_sent")};
    Reader generator = in.object("generator");
    read_generator(generator, report.generator);
    read_findings(in, report);
    for (const Reader* part : {&build, &machine, &scenario, &claims, &generator}) in.absorb(*part);
    if (!in.missed().empty()) return Error{.code = Code::parse_failed, .detail = in.missed()};
    return facts;
}

report::BaselineReport conclude(RunFacts facts, Totals totals) {
    // A file without an end has no claims either: what its samples say is all there is.
    if (facts.complete) {
        for (const bool stream : {false, true})
            totals.tally.claim(stream, facts.claims.of(stream).offered, facts.claims.of(stream).sent);
    }
    report::BaselineReport report = std::move(facts.report);
    report.tally = std::move(totals.tally);
    report.exact = totals.exact.rows();
    const auto makes = [&](bool stream) {
        return std::ranges::any_of(report.scenario.streams, [stream](auto& s) { return s.stream == stream; });
    };
    report.judgement =
        thresholds::evaluate(thresholds::target_set(), report.tally, {.streams = makes(true), .others = makes(false)});
    return report;
}

}  // namespace oai::loadgen
