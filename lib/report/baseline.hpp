#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "metrics/tally.hpp"
#include "report/exact.hpp"
#include "report/terminal.hpp"
#include "thresholds/verdict.hpp"

/// The document of a load run (`oaiperf baseline`, `run` and `report`): what ran, where, and what it showed.
namespace oai::report {

using std::chrono::microseconds;

/// One stream of arrivals, as the scenario asked for it.
struct ArrivalStream {
    std::string name;           ///< "non-stream"
    std::string arrival;        ///< "constant", "poisson", …
    metrics::Ratio rate{0, 1};  ///< requests per second, num / den
    bool stream = false;        ///< asks for server-sent events
    std::string endpoint;       ///< "/v1/responses"
    std::string model;
};

struct Scenario {
    std::string name;
    std::vector<ArrivalStream> streams;
    std::uint64_t seed = 0;
};

struct Build {
    std::string version;   ///< of the tool
    std::string type;      ///< "Release"
    std::string compiler;  ///< "GNU 12.2.0"
};

/// Where it ran. No host name: reports are passed around.
struct Machine {
    std::string kernel;
    std::string cpu_model;
    std::uint32_t cpus = 0;
};

/// The generator judging itself (MEASUREMENT 5). An empty value was not measured. Who runs the load decides `valid`.
struct Generator {
    std::optional<microseconds> lag_p50, lag_p99, lag_max;  ///< scheduled to sent
    std::optional<std::int64_t> cpu_bp;                     ///< basis points of one core: 8000 is 80 %
    std::optional<std::uint64_t> rss_bytes;                 ///< at its highest
    std::optional<std::uint64_t> involuntary_switches;
    std::uint64_t offered = 0;
    std::uint64_t dropped = 0;
    std::optional<metrics::Ratio> achieved;  ///< of what was offered; empty when nothing was
    bool valid = true;
    std::vector<std::string> reasons;  ///< why not: "lag p99 3.100 ms is above 1 ms"
};

struct ErrorExample {
    std::string message;
    std::uint64_t count = 1;
    std::uint16_t http_status = 0;  ///< 0 = none seen
};

/// Failures of one class. Counts are the tally's; this adds what they said. Documents show the first few, cut short.
struct ErrorClass {
    metrics::Outcome outcome{};
    std::uint64_t count = 0;
    std::vector<ErrorExample> examples;
};

/// Odd, but no failure: `no_done`, `cpu_governor`, …
struct Warning {
    std::string name;
    std::uint64_t count = 0;
    std::string text;
};

/// Everything the document says.
struct BaselineReport {
    std::string run_id;
    std::string kind = "baseline";
    core::WallTime started{};
    microseconds planned{};
    microseconds real{};
    Build build;
    Machine machine;
    Scenario scenario;
    std::string config_hash;
    std::string target;  ///< base URL; what stands before an `@` in it is not written
    bool embedded = false;
    std::optional<microseconds> sla_max;  ///< a success after it misses the SLA; without it sla = 1 - error_rate
    metrics::Tally tally;
    std::vector<ExactRow> exact;      ///< ExactPercentiles::rows(); empty when there were no raw samples
    thresholds::Judgement judgement;  ///< its `set` names the limits
    Generator generator;
    std::vector<ErrorClass> errors;
    std::vector<Warning> warnings;
    std::vector<std::string> notes;  ///< "merged from 3 files", …
};

/// The verdict of the limits, or INCONCLUSIVE when the run invalidated itself: whatever its limits say.
thresholds::Verdict final_verdict(const BaselineReport& report) noexcept;
int exit_code(const BaselineReport& report) noexcept;
/// The last line of stdout, without its newline: thresholds' line for the final verdict.
std::string verdict_line(const BaselineReport& report);

/// Schema `oai.baseline/1` (docs/schema). Pretty, but for the metric block, which stays one line, byte for byte.
std::string write_json(const BaselineReport& report);
std::string write_markdown(const BaselineReport& report);
/// One file that needs no network and no script.
std::string write_html(const BaselineReport& report);
/// Limits first. Ends with a newline, and without the verdict line: that is the caller's last word.
std::string write_terminal(const BaselineReport& report, Terminal terminal);

}  // namespace oai::report
