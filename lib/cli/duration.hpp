#pragma once

#include <chrono>
#include <iosfwd>
#include <string>

#include <CLI/CLI.hpp>

namespace oai::cli {

/// A duration as an option: `250ms 30s 15m`. CLI11 reads and shows it by the two functions below.
///
///     cli::Duration timeout{std::chrono::seconds{15}};
///     cmd->add_option("--timeout", options->timeout, "For each request, such as 15s")->transform(cli::duration());
struct Duration {
    std::chrono::nanoseconds value{0};
};

bool lexical_cast(const std::string& text, Duration& into);
std::ostream& operator<<(std::ostream& out, const Duration& duration);

/// Refuses what is no duration, in the words of core::parse_duration.
CLI::Validator duration();

}  // namespace oai::cli
