#include "rollout/report_source.hpp"

#include <string_view>
#include <utility>

#include "config/file.hpp"
#include "core/units.hpp"
#include "json/value.hpp"
#include "metrics/block.hpp"
#include "metrics/samples_file.hpp"
#include "metrics/samples_format.hpp"

namespace oai::rollout {
namespace {

using core::Code;
using core::Error;
using core::Result;
using json::Value;

constexpr std::size_t kMostBytes = std::size_t{256} << 20;

Error unusable(const std::string& path, std::string_view why) {
    return Error{.code = Code::parse_failed, .detail = path + " " + std::string(why)};
}

/// Why the run says that it is not to be judged (MEASUREMENT 5); empty when it may be. A flag that is missing is no
/// yes.
std::string why_invalid(const Value* valid, const Value* reasons) {
    const std::optional<bool> flag = valid != nullptr ? valid->as_bool() : std::nullopt;
    if (!flag) return "the file does not say whether its load run was valid";
    if (*flag) return {};
    std::string why;
    if (reasons != nullptr) {
        for (const Value& reason : reasons->items())
            why += (why.empty() ? "" : "; ") + std::string(reason.as_string().value_or(""));
    }
    return "the load run judged itself invalid: " + (why.empty() ? "it gives no reason" : why);
}

/// What the header of a samples file says about its run, as oaiperf writes it: complete, claims, generator.
std::string read_header(const std::string& text, metrics::Tally& tally) {
    const Result<Value> header = Value::parse(text);
    if (!header) return "the header of the samples file is not JSON";
    if (const Value* complete = header->find("complete"); complete != nullptr && complete->as_bool() == false)
        return "the load run did not come to its end";
    for (const bool stream : {false, true}) {
        const std::string part = stream ? "claims.stream_" : "claims.non_stream_";
        const Value* offered = header->find_path(part + "offered");
        const Value* sent = header->find_path(part + "sent");
        if (offered == nullptr || sent == nullptr || offered->as_int().value_or(-1) < 0 ||
            sent->as_int().value_or(-1) < 0)
            return "the header of the samples file does not say how many requests were sent";
        tally.claim(stream, static_cast<std::uint64_t>(*offered->as_int()),
                    static_cast<std::uint64_t>(*sent->as_int()));
    }
    return why_invalid(header->find_path("generator.valid"), header->find_path("generator.reasons"));
}

}  // namespace

Result<WindowMetrics> ReportSource::fetch(const metrics::Bounds& bounds) {
    const Result<std::string> head = config::read_file(path_, metrics::format::kMagic.size());
    if (!head) return Error{.code = head.error().code, .detail = path_ + " " + head.error().detail};
    if (head->empty()) return unusable(path_, "is empty");
    return head->starts_with(metrics::format::kMagic) ? read_samples(bounds) : read_document();
}

Result<WindowMetrics> ReportSource::read_samples(const metrics::Bounds& bounds) const {
    Result<metrics::SamplesReader> reader = metrics::SamplesReader::open(path_);
    if (!reader) return reader.error();
    metrics::Tally tally(bounds);
    const Result<metrics::SamplesRead> read = reader->read(
        [&](std::span<const metrics::Sample> samples) {
            for (const metrics::Sample& sample : samples) tally.add(sample);
        },
        [&](std::span<const metrics::Gap> gaps) {
            for (const metrics::Gap& gap : gaps) tally.add_gap(std::chrono::microseconds{gap.gap_us});
        });
    if (!read) return read.error();
    WindowMetrics window{.kind = report::SourceKind::report};
    window.invalid = read_header(reader->header(), tally);
    if (read->ignored_bytes != 0) window.invalid = "the samples file was cut: it ends in the middle of a block";
    window.values = std::move(tally);
    return window;
}

Result<WindowMetrics> ReportSource::read_document() const {
    const Result<std::string> text = config::read_file(path_, kMostBytes);
    if (!text) return Error{.code = text.error().code, .detail = path_ + " " + text.error().detail};
    if (text->size() > kMostBytes) return unusable(path_, "is larger than 256 MiB: not a report");
    const Result<Value> document = Value::parse(*text);
    if (!document) return unusable(path_, "is neither JSON nor a samples file (" + document.error().detail + ")");

    const Value* schema = document->find("schema");
    const std::string_view name = schema != nullptr ? schema->as_string().value_or("") : "";
    WindowMetrics window{.kind = report::SourceKind::report};
    const Value* block = &*document;
    if (name == "oai.baseline/1") {
        window.invalid = why_invalid(document->find("valid"), document->find("invalid_reasons"));
        block = document->find("metrics");
        if (block == nullptr) return unusable(path_, "has no \"metrics\" block");
    } else if (name != "oai.metrics/1") {
        return unusable(
            path_, "is not a report of oaiperf: \"schema\" must be \"oai.baseline/1\" or \"oai.metrics/1\", got \"" +
                       std::string(name.substr(0, 40)) + "\"");
    }
    Result<metrics::Tally> tally = metrics::read_block(*block);
    if (!tally) return unusable(path_, "is damaged: " + tally.error().detail);
    window.values = std::move(*tally);
    return window;
}

}  // namespace oai::rollout
