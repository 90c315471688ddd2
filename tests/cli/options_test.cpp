#include "cli/options.hpp"

#include <doctest/doctest.h>

#include "cli/console.hpp"
#include "config/environment.hpp"

TEST_CASE("a flag that was not given is no text") {
    oai::cli::TargetOptions target;
    oai::cli::OutputOptions output;
    CLI::App app;
    oai::cli::add_target_options(app, target);
    oai::cli::add_output_options(app, output);
    std::vector<std::string> arguments{"--base-url=http://127.0.0.1:1"};
    app.parse(std::move(arguments));
    CHECK(target.base_url == "http://127.0.0.1:1");
    CHECK_FALSE(target.api_key.has_value());
    CHECK(target.ca_file.empty());
    CHECK_FALSE(target.insecure);
    CHECK(output.out == "reports");
    CHECK_FALSE(output.json);
}

TEST_CASE("authorities to trust and trusting anybody exclude each other") {
    oai::cli::TargetOptions target;
    CLI::App app;
    oai::cli::add_target_options(app, target);
    app.parse("--ca-file ca.pem");
    CHECK(target.ca_file == "ca.pem");
    app.parse("--insecure");
    CHECK(target.insecure);
    CHECK_THROWS_AS(app.parse("--ca-file ca.pem --insecure"), CLI::ParseError);
}

TEST_CASE("what is no terminal gets neither colour nor signs") {
    // Tests run with their output captured or not; only the captured case is decided here.
    const oai::cli::Console console = oai::cli::stdout_console(oai::config::empty_environment());
    CHECK_FALSE(console.unicode);
    if (!console.terminal) CHECK_FALSE(console.color);
}
