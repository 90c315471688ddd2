#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "report/terminal.hpp"
#include "thresholds/verdict.hpp"

/// The document of one judgement on a window of traffic (`oaiguard check`).
namespace oai::report {

enum class SourceKind : std::uint8_t {
    gateway,   ///< ours: counts and buckets
    ancestor,  ///< a sub2api server: fractions and values
    report,    ///< a report file
};

struct GuardSource {
    SourceKind kind{};
    std::string location;  ///< base URL or file; what stands before an `@` in a URL is not written
};

/// The window that was judged, which may differ from the one asked for.
struct GuardWindow {
    std::string asked;  ///< "30m"; empty when the source decides, as a file does
    std::optional<core::WallTime> start, end;
    std::optional<std::uint64_t> open_requests;  ///< still in flight at the end
};

/// Everything the document says.
struct GuardReport {
    core::WallTime judged_at{};
    std::string tool_version;
    std::string config_hash;  ///< of the limits; empty when unknown
    GuardSource source;
    GuardWindow window;
    std::vector<std::pair<std::string, std::string>> filters;  ///< {"platform", "openai"}; those in use
    std::string limits_from;                                   ///< "--limits x.json", "server", "built in"
    thresholds::Judgement judgement;                           ///< its `set` names the limits
    std::string error;                 ///< the source could not be read: nothing was judged; empty otherwise
    std::optional<int> remapped_exit;  ///< --inconclusive=pass|breach, when it took effect
    std::vector<std::string> notes;    ///< "rates computed from counts"
    std::string metrics_block;         ///< compact oai.metrics/1 text; empty when the source has none
};

/// ERROR when there is an `error`, otherwise the judgement's.
thresholds::Verdict final_verdict(const GuardReport& report) noexcept;
/// Of the final verdict, or what it was remapped to.
int exit_code(const GuardReport& report) noexcept;
/// The last line of stdout, without its newline: thresholds' line, with the exit code the process really ends with.
std::string verdict_line(const GuardReport& report);

/// Schema `oai.guard/1` (docs/schema).
std::string write_json(const GuardReport& report);
/// For a comment on a pull request: a marker a bot can find, the verdict, the table; details folded, and left out when
/// the comment would pass GitHub's 65,536 characters.
std::string write_markdown(const GuardReport& report);
/// Limits first, a line each. Ends with a newline, and without the verdict line: that is the caller's last word.
std::string write_terminal(const GuardReport& report, Terminal terminal);
/// One test case per rule. What could not be judged is skipped, never passed.
std::string write_junit(const GuardReport& report);
/// GitHub workflow commands, a line each; at most ten of a type, the most GitHub shows.
std::string write_annotations(const GuardReport& report);

}  // namespace oai::report
