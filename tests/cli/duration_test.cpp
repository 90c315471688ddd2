#include "cli/duration.hpp"

#include <doctest/doctest.h>

using oai::cli::Duration;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

struct Parsed {
    Duration timeout{seconds{15}};
    std::string error;
};

Parsed parse(std::vector<std::string> arguments) {
    Parsed parsed;
    CLI::App app;
    app.add_option("--timeout", parsed.timeout)->transform(oai::cli::duration())->capture_default_str();
    try {
        app.parse(std::move(arguments));
    } catch (const CLI::ParseError& wrong) {
        parsed.error = wrong.what();
    }
    return parsed;
}

}  // namespace

TEST_CASE("a duration option reads units and keeps its default") {
    CHECK(parse({}).timeout.value == seconds{15});
    CHECK(parse({"--timeout=250ms"}).timeout.value == milliseconds{250});
    CHECK(parse({"--timeout=3m"}).timeout.value == seconds{180});
}

TEST_CASE("a duration without a unit is refused, with what would be right") {
    const Parsed parsed = parse({"--timeout=3"});
    CAPTURE(parsed.error);
    CHECK(parsed.error.find("--timeout") != std::string::npos);
    CHECK(parsed.error.find("\"3\"") != std::string::npos);
}

TEST_CASE("a duration's default is shown in help") {
    Duration timeout{seconds{15}};
    CLI::App app;
    app.add_option("--timeout", timeout)->transform(oai::cli::duration())->capture_default_str();
    CHECK(app.help().find("15s") != std::string::npos);
}
