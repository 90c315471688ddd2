#pragma once

#include <sstream>
#include <string>

#include "json/writer.hpp"
#include "metrics/block.hpp"
#include "metrics/tally.hpp"
#include "rollout/check.hpp"

/// A check without a process, and traffic to check.
namespace oai::test {

struct CheckRun {
    int exit = -1;
    std::string out, err;

    std::string last_line() const {
        const std::size_t end = out.find_last_not_of('\n');
        return end == std::string::npos ? "" : out.substr(out.rfind('\n', end) + 1, end - out.rfind('\n', end));
    }
    bool said(const std::string& text) const { return (out + err).find(text) != std::string::npos; }
};

inline CheckRun run(const rollout::CheckOptions& options) {
    std::ostringstream out, err;
    CheckRun run;
    run.exit = rollout::run_check(options, out, err);
    run.out = out.str();
    run.err = err.str();
    return run;
}

/// `requests` streams with one TTFT for all, `failed` of them failing by the upstream's fault.
inline metrics::Tally traffic(int requests, int failed, std::int64_t ttft_us) {
    metrics::Tally tally;
    for (int i = 0; i < requests; ++i) {
        metrics::Sample sample{
            .start_us = i * 1000, .response_us = ttft_us + 100'000, .ttft_us = ttft_us, .stream = true};
        if (i < failed) {
            sample.outcome = metrics::Outcome::http_5xx;
            sample.owner = metrics::Owner::upstream;
            sample.upstream_failed = true;
            sample.ttft_us = -1;
        }
        tally.add(sample);
    }
    return tally;
}

inline std::string block_of(const metrics::Tally& tally) {
    json::Writer out;
    metrics::write_block(out, tally);
    return out.take();
}

}  // namespace oai::test
