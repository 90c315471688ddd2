#include "cli/program.hpp"

#include <algorithm>
#include <csignal>
#include <exception>
#include <iostream>

#include "cli/exit_code.hpp"

namespace oai::cli {

namespace {

/// CLI11 says some things in several lines.
std::string one_line(std::string text) {
    while (!text.empty() && text.back() == '\n') text.pop_back();
    std::ranges::replace(text, '\n', ' ');
    return text;
}

}  // namespace

int run(CLI::App& app, int argc, const char* const* argv, const int& exit_code,
        const std::function<void(const std::string& why)>& failed) {
    std::signal(SIGPIPE, SIG_IGN);
    std::string why;
    try {
        app.parse(argc, argv);
        return exit_code;
    } catch (const CLI::Success& asked) {
        app.exit(asked);  // help or version, to stdout
        return kPass;
    } catch (const CLI::ParseError& wrong) {
        // CLI11's own exit codes begin at 100; a pipeline reads 1.
        why = one_line(wrong.what()) + "; --help says what it takes";
    } catch (const std::exception& escaped) {
        why = one_line(escaped.what());
    }
    std::cerr << app.get_name() << ": " << why << '\n';
    if (failed) failed(why);
    return kError;
}

int fail(std::string_view command, const core::Error& error) {
    std::cerr << command << ": " << error.detail << '\n';
    return kError;
}

}  // namespace oai::cli
