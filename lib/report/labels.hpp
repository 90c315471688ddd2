#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

/// Every word of the documents for people, in one place: another language is another value of Labels, and changes no
/// number. Identifiers (metrics, states, outcomes) are not words; they stay. Private to this folder.
namespace oai::report {

struct Labels {
    // banner
    std::string_view pass = "Every required limit was judged and holds.";
    std::string_view breach = "{} of {} limits breached: {}.";
    std::string_view inconclusive = "Not enough to decide: {}.";
    std::string_view nothing_required = "No limit was required, so nothing was decided.";
    std::string_view error = "The data could not be judged: {}.";
    std::string_view not_judged = "Nothing was judged: {}";
    std::string_view invalid = "INVALID RUN";
    std::string_view invalid_sentence =
        "The load generator did not do what was asked of it: these numbers prove nothing about the target. The limits "
        "alone would say {}.";
    std::string_view remapped = "Exit code {} instead of {}, as asked for by --inconclusive.";

    // limits
    std::string_view limits = "Limits ({})";
    std::string_view limits_from = "Limits from {}.";
    std::string_view state = "Verdict";
    std::string_view limit = "Limit";
    std::string_view observed = "Observed";
    std::string_view observed_word = "observed";
    std::string_view n = "N";
    std::string_view remark = "Remark";
    std::string_view thin = "{} samples, {} needed";
    std::string_view nodata = "no data, nothing to judge";
    std::string_view off = "not applicable: the run makes no such requests";
    std::string_view stale = "the data is older than its source promises";
    std::string_view low_n = "low_n: below {} samples {} is uncertain";
    std::string_view approx = "approx: the limit lies inside a bucket";
    std::string_view advisory = "advisory, decides nothing";
    std::string_view sla_binds =
        "No sla_max is set: sla is 1 - error_rate, so the looser of the two limits cannot bind.";

    // totals and counts
    std::string_view title = "{}: {}";
    std::string_view totals = "Totals";
    std::string_view total_line = "{} offered, {} sent, {} succeeded, {} failed, {} client errors, {} dropped in {}";
    std::string_view rate_line = "{} requests sent, {} output tokens";
    std::string_view identity_broken =
        "ERROR: the counts contradict each other (offered = sent + dropped, sent = sum of the outcomes).";
    std::string_view requests = "Requests";
    std::string_view outcome = "Outcome";
    std::string_view all = "All";
    std::string_view streams = "Streams";
    std::string_view others = "Non-stream";
    std::string_view offered = "offered";
    std::string_view sent = "sent";
    std::string_view client_errors = "client errors (not in rates)";
    std::string_view business_limited = "limited by policy (not in rates)";
    std::string_view good = "within every latency limit";
    std::string_view input_tokens = "input tokens";
    std::string_view output_tokens = "output tokens";

    // latency
    std::string_view latency_streams = "Latency of streams (ms)";
    std::string_view latency_others = "Latency of non-stream requests (ms)";
    std::string_view latency_note =
        "response: scheduled to end, what a user waited. service: sent to end. Both of successes only.";
    std::string_view penalised_note =
        "response_penalised: with timeouts, cut and unfinished requests at the time they took.";
    std::string_view metric = "Metric";
    std::string_view max = "max";
    std::string_view low_n_note =
        "* low_n: too few samples to bound this percentile from above (p99 needs {}, p99.9 {}).";
    std::string_view saturated_note = "Values of {} above 1 h, counted in the top bucket: {}.";
    std::string_view exact = "Percentiles of the raw samples (ms)";
    std::string_view exact_note =
        "To the microsecond. Verdicts and the tables above use the metric block, whose buckets keep three digits and "
        "are "
        "the same from every source.";
    std::string_view part = "Part";

    // rates
    std::string_view rates = "Rates";
    std::string_view rate = "Rate";
    std::string_view with_throttled = "{} with 429 and 529";
    std::string_view good_means = "A good request is within {}.";

    // errors and warnings
    std::string_view errors = "Errors";
    std::string_view count = "Count";
    std::string_view status = "HTTP";
    std::string_view message = "Message";
    std::string_view warnings = "Warnings";
    std::string_view warning = "Warning";
    std::string_view meaning = "Meaning";

    // load generator
    std::string_view generator = "Load generator";
    std::string_view generator_ok = "Within its budget.";
    std::string_view generator_bad = "Out of its budget: {}.";
    std::string_view lag_p50 = "Lag p50 (ms)";
    std::string_view lag_p99 = "Lag p99 (ms)";
    std::string_view lag_max = "Lag max (ms)";
    std::string_view cpu = "CPU of a core";
    std::string_view rss = "Memory";
    std::string_view switches = "Involuntary switches";
    std::string_view dropped = "Dropped";
    std::string_view achieved = "Achieved of offered";

    // run
    std::string_view run = "Run";
    std::string_view run_id = "Run id";
    std::string_view scenario = "Scenario";
    std::string_view scenario_value = "{}, seed {}";
    std::string_view arrivals = "Arrivals: {}";
    std::string_view arrivals_value = "{} {}, {}, {}, model {}";
    std::string_view stream_word = "stream";
    std::string_view other_word = "non-stream";
    std::string_view config_hash = "Config hash";
    std::string_view target = "Target";
    std::string_view embedded = "{} (embedded: gateway and mock upstream in this process)";
    std::string_view started = "Started";
    std::string_view duration = "Duration";
    std::string_view duration_value = "{} of {} planned";
    std::string_view tool = "Tool";
    std::string_view tool_value = "{}, {} build, {}";
    std::string_view machine = "Machine";
    std::string_view machine_value = "{} x {}, {}";
    std::string_view notes = "Notes";

    // guard
    std::string_view check = "check of {}";
    std::string_view details = "Details";
    std::string_view source = "Source";
    std::string_view window = "Window";
    std::string_view window_line = "window {}";
    std::string_view window_value = "{} to {}";
    std::string_view window_asked = "{} (asked: {})";
    std::string_view window_unknown = "not told by the source";
    std::string_view open_requests = "Still in flight";
    std::string_view filter = "Filter: {}";
    std::string_view judged_at = "Judged at";
    std::string_view limits_source = "Limits from";
    std::string_view details_left_out = "Details were left out: the comment would be too long.";
    std::string_view query = "query";
    std::string_view more = "and {} more";
};

inline constexpr Labels kEnglish{};

/// Replaces each `{}` of `pattern` by the next of `values`.
std::string fill(std::string_view pattern, std::initializer_list<std::string_view> values);

}  // namespace oai::report
