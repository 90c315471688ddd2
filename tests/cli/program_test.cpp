#include "cli/program.hpp"

#include <array>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <vector>

#include <doctest/doctest.h>

namespace {

struct Ended {
    int code = -1;
    std::string out, err;
    std::string told;  ///< to the program itself
};

/// Runs a program with one command `go`, whose callback does `work`.
Ended run(
    std::vector<const char*> arguments, const std::function<int()>& work = [] { return 0; }) {
    CLI::App app("test", "tool");
    app.require_subcommand(1);
    app.set_version_flag("--version", "tool 1.2.3");
    int exit_code = 0;
    app.add_subcommand("go", "goes")->callback([&] { exit_code = work(); });
    arguments.insert(arguments.begin(), "tool");
    const std::ostringstream out, err;
    Ended ended;
    std::streambuf* const kept_out = std::cout.rdbuf(out.rdbuf());
    std::streambuf* const kept_err = std::cerr.rdbuf(err.rdbuf());
    ended.code = oai::cli::run(app, static_cast<int>(arguments.size()), arguments.data(), exit_code,
                               [&](const std::string& why) { ended.told = why; });
    std::cout.rdbuf(kept_out);
    std::cerr.rdbuf(kept_err);
    ended.out = out.str();
    ended.err = err.str();
    return ended;
}

}  // namespace

TEST_CASE("a program ends with its command's code, help with 0 and a wrong usage with 1") {
    CHECK(run({"go"}).code == 0);
    CHECK(run({"go"}, [] { return 3; }).code == 3);
    const Ended help = run({"--help"});
    CHECK(help.code == 0);
    CHECK(help.out.find("goes") != std::string::npos);
    CHECK(help.err.empty());
    CHECK(help.told.empty());
    CHECK(run({"go", "--help"}).code == 0);
    const Ended version = run({"--version"});
    CHECK(version.code == 0);
    CHECK(version.out == "tool 1.2.3\n");
    for (const std::vector<const char*>& wrong :
         {std::vector<const char*>{}, {"go", "--no-such-flag"}, {"no-such-command"}, {"go", "stray"}}) {
        const Ended ended = run(wrong);
        CHECK(ended.code == 1);
        CHECK(ended.out.empty());
        CHECK(ended.err.starts_with("tool: "));
        CHECK(ended.err.find('\n') == ended.err.size() - 1);  // one line
        CHECK(ended.err == "tool: " + ended.told + "\n");
    }
}

TEST_CASE("an exception out of a command is one line and 1") {
    const Ended ended = run({"go"}, []() -> int { throw std::runtime_error("port 1 is taken"); });
    CHECK(ended.code == 1);
    CHECK(ended.err == "tool: port 1 is taken\n");
    CHECK(ended.told == "port 1 is taken");
}
