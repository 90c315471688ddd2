#include "loadgen/self.hpp"

#include <algorithm>
#include <fstream>
#include <sys/resource.h>

#include "core/units.hpp"

namespace oai::loadgen {

ThreadUse thread_use() noexcept {
    rusage usage{};
    if (::getrusage(RUSAGE_THREAD, &usage) != 0) return {};
    const auto time = [](const timeval& t) {
        return std::chrono::seconds{t.tv_sec} + std::chrono::microseconds{t.tv_usec};
    };
    return {.cpu = time(usage.ru_utime) + time(usage.ru_stime),
            .involuntary_switches = static_cast<std::uint64_t>(usage.ru_nivcsw)};
}

std::optional<std::uint64_t> peak_rss_bytes() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (!line.starts_with("VmHWM:")) continue;
        const std::size_t first = line.find_first_of("0123456789");
        const std::size_t last = line.find_last_of("0123456789");
        if (first == std::string::npos) break;
        const core::Result<std::uint64_t> kib =
            core::parse_unsigned(std::string_view(line).substr(first, last - first + 1));
        if (kib) return *kib * 1024;
    }
    return std::nullopt;
}

void judge_self(report::Generator& generator, const SelfLimits& limits) {
    if (generator.lag_p99 && *generator.lag_p99 > limits.lag_p99)
        invalidate(generator, "lag p99 " + core::format_ms(generator.lag_p99->count()) + " ms is above " +
                                  core::format_duration(limits.lag_p99));
    if (generator.cpu_bp && *generator.cpu_bp > limits.cpu_bp)
        invalidate(generator, "cpu " + core::format_basis_points(*generator.cpu_bp) + "% of a core is above " +
                                  core::format_basis_points(limits.cpu_bp) + "%");
    if (generator.dropped > limits.dropped)
        invalidate(generator, "dropped " + std::to_string(generator.dropped) + " of " +
                                  std::to_string(generator.offered) + " arrivals: too many were in flight");
    if (!generator.achieved) return;
    const metrics::Ratio achieved = *generator.achieved;
    if (achieved.num * 10'000 < static_cast<std::uint64_t>(limits.achieved_bp) * achieved.den)
        invalidate(generator, "achieved " + std::to_string(achieved.num) + " of " + std::to_string(achieved.den) +
                                  " arrivals in time, which is below " + core::format_basis_points(limits.achieved_bp) +
                                  "%");
}

void invalidate(report::Generator& generator, std::string reason) {
    generator.valid = false;
    generator.reasons.push_back(std::move(reason));
}

std::string reason_words(const report::Generator& generator) {
    std::string words;
    for (const std::string& reason : generator.reasons) {
        const std::string word = reason.substr(0, reason.find(' '));
        if (("," + words + ",").find("," + word + ",") != std::string::npos) continue;
        words += (words.empty() ? "" : ",") + word;
    }
    return words;
}

}  // namespace oai::loadgen
