#include "cli/program.hpp"

#include <csignal>
#include <exception>
#include <iostream>

#include "cli/exit_code.hpp"

namespace oai::cli {

int run(CLI::App& app, int argc, const char* const* argv, const int& exit_code) {
    std::signal(SIGPIPE, SIG_IGN);
    try {
        app.parse(argc, argv);
        return exit_code;
    } catch (const CLI::Success& asked) {
        app.exit(asked);  // help or version, to stdout
        return kPass;
    } catch (const CLI::ParseError& wrong) {
        // CLI11's own exit codes begin at 100; a pipeline reads 1.
        std::cerr << app.get_name() << ": " << wrong.what() << "\nRun it with --help for what it takes.\n";
    } catch (const std::exception& escaped) {
        std::cerr << app.get_name() << ": " << escaped.what() << '\n';
    }
    return kError;
}

int fail(std::string_view command, const core::Error& error) {
    std::cerr << command << ": " << error.detail << '\n';
    return kError;
}

}  // namespace oai::cli
