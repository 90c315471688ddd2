#pragma once

#include <functional>
#include <string>

#include <CLI/CLI.hpp>

#include "core/result.hpp"

namespace oai::cli {

/// What every `main` does: ignores SIGPIPE, parses, runs the command's callback, which sets `exit_code`. Help and
/// version end with 0; a usage error, and an exception that reached this far, is one line on stderr and 1. Then
/// `failed` is called, for what else a program has promised to its readers.
int run(CLI::App& app, int argc, const char* const* argv, const int& exit_code,
        const std::function<void(const std::string& why)>& failed = {});

/// Prints `command: what was wrong` to stderr and returns the exit code for it.
int fail(std::string_view command, const core::Error& error);

}  // namespace oai::cli
