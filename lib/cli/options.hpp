#pragma once

#include <optional>
#include <string>

#include <CLI/CLI.hpp>

/// Option groups that several commands share, so that a flag is called and described the same everywhere. Values stay
/// text: whoever reads them knows the environment name and the default (flag > environment > default), and says what is
/// wrong.
namespace oai::cli {

/// Empty when the flag was not given.
using Text = std::optional<std::string>;

struct TargetOptions {
    Text base_url;
    Text api_key;
    Text timeout;
    std::string ca_file;    ///< empty: the system's authorities
    bool insecure = false;  ///< no certificate is checked
};
/// --base-url, --api-key, --timeout, --ca-file, --insecure.
void add_target_options(CLI::App& command, TargetOptions& options);
/// --ca-file and --insecure alone: of every command that takes a URL. They exclude each other.
void add_tls_options(CLI::App& command, std::string& ca_file, bool& insecure);

struct OutputOptions {
    std::string out = "reports";
    bool json = false;
    bool quiet = false;
};
/// --out, --json, --quiet.
void add_output_options(CLI::App& command, OutputOptions& options);

}  // namespace oai::cli
