#pragma once

#include <string>

#include "json/writer.hpp"
#include "report/document.hpp"
#include "thresholds/verdict.hpp"

/// What every document says about judged limits. Private to this folder.
namespace oai::report {

/// The verdict, and in a sentence why.
Banner banner_of(const thresholds::Judgement& judgement);

/// One row per rule: what became of it, the limit, what was observed, N, what to know about it.
Section limits_section(const thresholds::Judgement& judgement);

/// "1244.000 ms", "0.139 % (3 of 2160)"; a value without counts alone; kNone without a value.
std::string observed_text(const thresholds::RuleResult& result);
/// "812", or "?" from a source that does not tell.
std::string n_text(const thresholds::RuleResult& result);
/// Why a rule could not be judged, and how far its verdict may be trusted; mostly empty.
std::string remark_text(const thresholds::RuleResult& result);
/// "ttft.p99 <= 900ms: observed 1244.000 ms, N=812", and the remark.
std::string rule_sentence(const thresholds::RuleResult& result);

/// The object `limits` of the JSON documents.
void write_judgement(json::Writer& out, const thresholds::Judgement& judgement);
/// A pair, or null.
void write_ratio(json::Writer& out, const std::optional<metrics::Ratio>& ratio);

/// Puts the metric block in place of the document's last member, which was written as null, as it is: one line, the
/// same bytes wherever the block came from. Ends the document with a newline.
std::string with_block(std::string document, std::string_view block);

}  // namespace oai::report
