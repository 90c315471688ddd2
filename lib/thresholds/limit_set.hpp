#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "json/value.hpp"
#include "json/writer.hpp"
#include "metrics/bounds.hpp"
#include "thresholds/limit.hpp"

namespace oai::thresholds {

inline constexpr std::uint64_t kMinSamples = 20;

/// A limit and how much it weighs.
struct Rule {
    Limit limit;
    bool required = true;  ///< an advisory rule is judged and shown, and decides nothing
    std::uint64_t min_samples = kMinSamples;
    friend bool operator==(const Rule&, const Rule&) = default;
};

/// Limits judged together. Every verdict names the set it used.
struct LimitSet {
    std::string name;
    std::vector<Rule> rules;
    friend bool operator==(const LimitSet&, const LimitSet&) = default;
};

/// `target`: what must hold over a window (MEASUREMENT 4). `rollback`: what takes a batch back when it lasts 3 minutes.
const LimitSet& target_set();
const LimitSet& rollback_set();

/// Which of the two a file of the ancestor's form describes: it holds bare numbers only.
enum class Purpose : std::uint8_t { target, rollback };

/// Reads either form; the set is called `name`:
/// - `{"schema":"oai.limits/1","limits":["ttft.p99 <= 900ms", …]}`; instead of text a limit may be an object:
///   `{"limit":"tpot.p95 <= 40ms","required":false,"min_samples":50}`
/// - the ancestor's four numbers, see ancestor.hpp.
/// An unknown member is an error in both.
core::Result<LimitSet> read_limits(const json::Value& document, std::string name, Purpose purpose = Purpose::target);
/// The same from text.
core::Result<LimitSet> read_limits(std::string_view text, std::string name, Purpose purpose = Purpose::target);

/// Writes `oai.limits/1`. The ancestor's form: ancestor.hpp.
void write_limits(json::Writer& out, const LimitSet& set);

/// Has the limits of `set` counted exactly.
void pin_limits(metrics::Bounds& bounds, const LimitSet& set);

}  // namespace oai::thresholds
