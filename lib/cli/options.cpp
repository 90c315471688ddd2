#include "cli/options.hpp"

namespace oai::cli {

void add_target_options(CLI::App& command, TargetOptions& options) {
    command.add_option("--base-url", options.base_url,
                       "Gateway, with or without /v1 (environment: BASE_URL) [http://127.0.0.1:5231]");
    command.add_option("--api-key", options.api_key,
                       "Client key: as it is, @FILE or env:NAME (environment: API_KEY) [none]");
    command.add_option("--timeout", options.timeout, "Of one request, such as 180s (environment: TIMEOUT) [180s]");
    add_tls_options(command, options.ca_file, options.insecure);
}

void add_tls_options(CLI::App& command, std::string& ca_file, bool& insecure) {
    CLI::Option* file = command.add_option("--ca-file", ca_file,
                                           "https: trust the authorities in this PEM file instead of the system's");
    command.add_flag("--insecure", insecure, "https: believe any certificate; for tests")->excludes(file);
}

void add_output_options(CLI::App& command, OutputOptions& options) {
    command.add_option("--out", options.out, "Folder in which each run makes its own")->capture_default_str();
    command.add_flag("--json", options.json, "The report as JSON on stdout instead of the summary");
    command.add_flag("--quiet,-q", options.quiet, "Nothing but the last line on stdout, and no progress");
}

}  // namespace oai::cli
