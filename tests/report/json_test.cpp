#include <string>

#include <doctest/doctest.h>

#include "fixtures.hpp"
#include "json/value.hpp"
#include "metrics/block.hpp"
#include "schema_check.hpp"

namespace oai::report {
namespace {

using json::Value;

std::string first_finding(const std::string& schema, const Value& document) {
    const std::vector<std::string> findings = check_schema(schema, document);
    return findings.empty() ? "" : findings.front();
}

Value parsed(const std::string& text) {
    core::Result<Value> value = Value::parse(text);
    REQUIRE_MESSAGE(value.has_value(), (value ? "" : value.error().detail));
    return *value;
}

/// The bytes of the last member, as they stand in the document.
std::string block_text(const std::string& document) {
    const std::string key = "\n  \"metrics\": ";
    const std::size_t start = document.rfind(key) + key.size();
    return document.substr(start, document.rfind("\n}") - start);
}

std::string rewritten(const Value& block) {
    const core::Result<metrics::Tally> tally = metrics::read_block(block);
    REQUIRE(tally.has_value());
    json::Writer out;
    metrics::write_block(out, *tally);
    return out.take();
}

TEST_CASE("JSON of every report fits its schema") {
    for (const auto& [name, report] : fixtures::baselines()) {
        CAPTURE(name);
        CHECK(first_finding("oai.baseline-1.json", parsed(write_json(report))) == "");
    }
    for (const auto& [name, report] : fixtures::guards()) {
        CAPTURE(name);
        CHECK(first_finding("oai.guard-1.json", parsed(write_json(report))) == "");
    }
}

TEST_CASE("the schema check finds what does not fit") {
    struct Row {
        const char* name;
        const char* from;
        const char* to;
        const char* finding;
    };
    const Row rows[] = {
        {"a member nobody listed", "\"run_id\"", "\"run_ID\"", "$: lacks run_id"},
        {"another schema", "oai.baseline/1", "oai.baseline/2", "$.schema: is not the constant"},
        {"a fraction of a microsecond", "\"real_us\": 180012345", "\"real_us\": 180012345.5",
         "$.real_us: is of type number"},
        {"a negative duration", "\"real_us\": 180012345", "\"real_us\": -1", "$.real_us: is below the minimum"},
        {"a word out of the enumeration", "\"state\": \"ok\"", "\"state\": \"fine\"",
         "$.limits.rules[0].state: is not in the enumeration"},
        {"a wrong type behind a reference to another file", "\"identity_ok\":true", "\"identity_ok\":1",
         "$.metrics.whole.identity_ok: is of type integer"},
        {"nothing of anyOf", "\"achieved\": {", "\"achieved\": {\"x\": 1, ",
         "$.generator.achieved: has the unlisted member x"},
    };
    const std::string document = write_json(fixtures::passing_baseline());
    for (const Row& row : rows) {
        CAPTURE(row.name);
        std::string changed = document;
        const std::size_t at = changed.find(row.from);
        REQUIRE(at != std::string::npos);
        changed.replace(at, std::string(row.from).size(), row.to);
        CHECK(first_finding("oai.baseline-1.json", parsed(changed)) == row.finding);
    }
}

TEST_CASE("the metric block of a document is the block's own bytes, and reads back to them") {
    for (const auto& [name, report] : fixtures::baselines()) {
        CAPTURE(name);
        const std::string document = write_json(report);
        json::Writer own;
        metrics::write_block(own, report.tally);
        CHECK((block_text(document) == own.text()));
        CHECK((rewritten(*parsed(document).find("metrics")) == own.text()));
    }
    const GuardReport guard = fixtures::passing_guard();
    CHECK((block_text(write_json(guard)) == guard.metrics_block));
    CHECK(block_text(write_json(fixtures::breached_guard())) == "null");
}

TEST_CASE("a load run that invalidated itself is inconclusive whatever its limits say") {
    BaselineReport report = fixtures::breached_baseline();
    CHECK(exit_code(report) == 2);
    report.generator.valid = false;
    report.generator.reasons = {"lag"};
    CHECK(exit_code(report) == 3);
    CHECK(verdict_line(report).substr(0, 27) == "verdict=INCONCLUSIVE exit=3");
    const Value document = parsed(write_json(report));
    CHECK(document.find("verdict")->as_string() == "INCONCLUSIVE");
    CHECK(document.find("valid")->as_bool() == false);
    CHECK(document.find_path("limits.verdict")->as_string() == "BREACH");
}

TEST_CASE("a remapped exit code is what every form says") {
    const GuardReport report = fixtures::undecided_guard();
    CHECK(exit_code(report) == 0);
    CHECK(verdict_line(report).substr(0, 34) == "verdict=INCONCLUSIVE exit=0 rules=");
    const Value document = parsed(write_json(report));
    CHECK(document.find("exit")->as_int() == 0);
    CHECK(document.find("remapped")->as_bool() == true);
    CHECK(write_terminal(report, {}).find("Exit code 0 instead of 3") != std::string::npos);
    CHECK(write_annotations(report).find("Exit code 0 instead of 3") != std::string::npos);
}

TEST_CASE("a source that could not be read is an error in every form") {
    GuardReport report;
    report.judgement.set = "target";
    report.error = "http://127.0.0.1:9: connection refused";
    CHECK(exit_code(report) == 1);
    CHECK(verdict_line(report) == "verdict=ERROR exit=1 rules=0");
    CHECK(first_finding("oai.guard-1.json", parsed(write_json(report))) == "");
    CHECK(write_terminal(report, {}).find("ERROR  Nothing was judged: http://127.0.0.1:9") == 0);
    CHECK(write_junit(report).find("errors=\"1\"") != std::string::npos);
    CHECK(write_annotations(report) == "::error title=oaiguard%3A error::http://127.0.0.1:9: connection refused\n");
}

}  // namespace
}  // namespace oai::report
