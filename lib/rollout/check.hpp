#pragma once

#include <chrono>
#include <iosfwd>
#include <string>
#include <vector>

#include "config/environment.hpp"
#include "report/terminal.hpp"

namespace oai::rollout {

/// The options of `oaiguard check`, as they were typed: run_check() says what is wrong with them. An empty text is an
/// option that was not given.
struct CheckOptions {
    // the source: just one of these two
    std::string base_url;
    std::string report_file;

    std::string ca_file;      ///< https: the authorities to trust; empty: the system's
    bool insecure = false;    ///< https: no certificate is checked
    std::string admin_token;  ///< literal, @file, env:NAME or file:PATH
    std::string platform = "openai";
    std::string group_id, provider, version, model;
    std::string time_range;            ///< empty: 30m, or what start and end say
    std::string start_time, end_time;  ///< RFC 3339
    std::string rates;                 ///< "fraction" or "percent"
    std::chrono::nanoseconds timeout = std::chrono::seconds{15};

    std::string limits_file;
    std::string set;                  ///< "target" or "rollback"
    std::vector<std::string> limits;  ///< single ones, such as "ttft.p99 <= 900ms"
    std::string inconclusive;         ///< "pass" or "breach": what exit 3 becomes

    bool json = false, metrics = false, quiet = false, github = false;
    std::string markdown_file, junit_file;
    report::Terminal terminal;
    std::string tool_version;
    config::Environment environment = config::empty_environment();
};

/// Judges one window of traffic. Returns the exit code of MEASUREMENT 4; it is 0 only when every required limit was
/// judged on data and held, or when `inconclusive` says so.
///
/// `out` gets the result, `err` one line for each thing that went wrong. The last line of `out` is the verdict line;
/// with `json` or `metrics` `out` is that document alone and the verdict line goes to `err`.
int run_check(const CheckOptions& options, std::ostream& out, std::ostream& err);

/// The verdict line of a check that could not even begin, as after a usage error.
std::string refusal_line(const std::string& why);

}  // namespace oai::rollout
