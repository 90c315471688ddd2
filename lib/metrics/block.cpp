#include "metrics/block.hpp"

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace oai::metrics {
namespace {

using core::Error;
using core::Result;
using json::Value;
using json::Writer;

constexpr std::string_view kSchema = "oai.metrics/1";

/// The counts of a part beside its outcomes, in the order of the document. `dropped` is one of the outcomes.
constexpr std::pair<std::string_view, std::uint64_t Counts::*> kCountFields[] = {
    {"offered", &Counts::offered},
    {"sent", &Counts::sent},
    {"counted", &Counts::counted},
    {"failed", &Counts::failed},
    {"late", &Counts::late},
    {"good", &Counts::good},
    {"client_errors", &Counts::client_errors},
    {"business_limited", &Counts::business_limited},
    {"upstream_failed", &Counts::upstream_failed},
    {"upstream_throttled", &Counts::upstream_throttled},
    {"upstream_troubled", &Counts::upstream_troubled},
    {"input_tokens", &Counts::input_tokens},
    {"output_tokens", &Counts::output_tokens},
};

/// Where there are none, a block does not speak of them: a load run knows nothing of attempts.
constexpr std::pair<std::string_view, std::uint64_t Counts::*> kAttemptFields[] = {
    {"attempts", &Counts::attempts},
    {"attempt_failures", &Counts::attempt_failures},
};

constexpr std::pair<std::string_view, Part> kParts[] = {
    {"whole", Part::whole}, {"stream", Part::stream}, {"non_stream", Part::non_stream}};

/// "p99.9" as a member name: "p99_9_us".
std::string member_of(Percentile p) {
    std::string name = name_of(p) + "_us";
    for (char& c : name) {
        if (c == '.') c = '_';
    }
    return name;
}

// ---- writing

void write_us(Writer& out, std::string_view name, std::optional<microseconds> value) {
    out.key(name);
    if (value) {
        out.value(value->count());
    } else {
        out.value(nullptr);
    }
}

void write_histogram(Writer& out, const Histogram& h, bool with_buckets) {
    out.begin_object().member("n", h.count());
    write_us(out, "min_us", h.min());
    write_us(out, "max_us", h.max());
    write_us(out, "sum_us", h.sum());
    for (const Percentile p : kShownPercentiles) write_us(out, member_of(p), h.percentile(p));
    out.member("saturated", h.saturated());
    out.key("pinned").begin_array();
    for (const PinnedBound& bound : h.pinned())
        out.begin_array().value(bound.limit.count()).value(bound.at_or_below).end_array();
    out.end_array();
    if (with_buckets) {
        out.key("buckets").begin_array();
        h.for_each_bucket(
            [&](std::uint32_t index, std::uint64_t count) { out.begin_array().value(index).value(count).end_array(); });
        out.end_array();
    }
    out.end_object();
}

void write_part(Writer& out, const Tally& tally, Part part) {
    const Counts counts = tally.counts(part);
    out.begin_object();
    for (const auto& [name, field] : kCountFields) {
        out.member(name, counts.*field);
        if (name == "sent") out.member("dropped", counts.dropped()).member("identity_ok", counts.identity_holds());
    }
    for (const auto& [name, field] : kAttemptFields) {
        if (counts.attempts != 0) out.member(name, counts.*field);
    }
    out.key("outcomes").begin_object();
    for (std::size_t i = 0; i < kOutcomes; ++i) out.member(name_of(static_cast<Outcome>(i)), counts.by_outcome[i]);
    out.end_object();
    out.key("rates").begin_object();
    for (const Rate metric : kRates) {
        out.key(name_of(metric));
        if (const std::optional<Ratio> ratio = tally.rate(metric, part)) {
            out.begin_object().member("num", ratio->num).member("den", ratio->den).end_object();
        } else {
            out.value(nullptr);
        }
    }
    out.end_object();
    out.key("durations").begin_object();
    for (const Duration metric : kDurations) {
        out.key(name_of(metric));
        write_histogram(out, tally.histogram(metric, part), part != Part::whole);
    }
    out.end_object();
    out.end_object();
}

// ---- reading

/// Follows members of a document and knows where it is, for the message. The first thing that is not as it must be is
/// kept; after it everything reads as empty.
class Reader {
public:
    explicit Reader(std::string where) : where_(std::move(where)) {}

    const Value& member(const Value& object, std::string_view name) {
        const Value* found = object.find(name);
        if (found == nullptr) fail(std::string(name), "is missing");
        return found != nullptr ? *found : kNull;
    }
    std::uint64_t count(const Value& value, std::string_view name) {
        const std::optional<std::int64_t> number = value.as_int();
        if (!number || *number < 0) fail(std::string(name), "must be a whole number, not negative");
        return static_cast<std::uint64_t>(number.value_or(0));
    }
    std::uint64_t count_member(const Value& object, std::string_view name) { return count(member(object, name), name); }
    microseconds us(const Value& value, std::string_view name) {
        return microseconds{static_cast<std::int64_t>(count(value, name))};
    }
    /// Calls `visit(first, second)` for each element of an array of pairs of counts.
    template <class Visit>
    void pairs(const Value& object, std::string_view name, Visit visit) {
        const Value& array = member(object, name);
        if (!array.is_array()) fail(std::string(name), "must be an array of pairs");
        for (const Value& pair : array.items()) {
            if (pair.items().size() != 2) return fail(std::string(name), "must be an array of pairs");
            visit(count(pair.items()[0], name), count(pair.items()[1], name));
        }
    }
    void fail(const std::string& name, std::string_view why) {
        if (!error_.empty()) return;
        error_ = std::string(kSchema) + ": " + where_ + (where_.empty() || name.empty() ? "" : ".") + name + " " +
                 std::string(why);
    }
    void enter(std::string where) { where_ = std::move(where); }
    bool failed() const noexcept { return !error_.empty(); }
    Error error() const { return Error{.code = core::Code::parse_failed, .detail = error_}; }

private:
    inline static const Value kNull{};
    std::string where_, error_;
};

Counts read_counts(Reader& in, const Value& part) {
    Counts counts;
    for (const auto& [name, field] : kCountFields) counts.*field = in.count_member(part, name);
    for (const auto& [name, field] : kAttemptFields) {
        if (part.find(name) != nullptr) counts.*field = in.count_member(part, name);
    }
    const Value& outcomes = in.member(part, "outcomes");
    for (std::size_t i = 0; i < kOutcomes; ++i)
        counts.by_outcome[i] = in.count_member(outcomes, name_of(static_cast<Outcome>(i)));
    if (counts.failed + counts.late > counts.counted) in.fail("counted", "must be at least failed + late");
    return counts;
}

Histogram read_histogram(Reader& in, const Value& object) {
    Histogram::Parts parts;
    const std::uint64_t n = in.count_member(object, "n");
    if (n != 0) {
        parts.min = in.us(in.member(object, "min_us"), "min_us");
        parts.max = in.us(in.member(object, "max_us"), "max_us");
    }
    parts.sum = in.us(in.member(object, "sum_us"), "sum_us");
    parts.saturated = in.count_member(object, "saturated");
    in.pairs(object, "pinned", [&](std::uint64_t limit, std::uint64_t at_or_below) {
        parts.pinned.push_back({microseconds{static_cast<std::int64_t>(limit)}, at_or_below});
    });
    std::uint64_t in_buckets = 0;
    in.pairs(object, "buckets", [&](std::uint64_t index, std::uint64_t count) {
        in_buckets += count;
        if (index >= layout::kBuckets || count >> 48 != 0) in.fail("buckets", "holds an index or a count out of range");
        parts.buckets.push_back({index & 0xFFFF, count & ((std::uint64_t{1} << 48) - 1)});
    });
    if (in_buckets != n) in.fail("n", "must be the sum of the buckets");
    if (in.failed()) return {};
    Result<Histogram> made = Histogram::from_parts(parts);
    if (!made) {
        in.fail("", "is not whole: " + made.error().detail);
        return {};
    }
    return std::move(*made);
}

Tally::Half read_half(Reader& in, const Value& block, std::string_view name) {
    Tally::Half half;
    in.enter("");
    const Value& part = in.member(block, name);
    in.enter(std::string(name));
    half.counts = read_counts(in, part);
    const Value& durations = in.member(part, "durations");
    for (const Duration metric : kDurations) {
        in.enter(std::string(name) + ".durations." + std::string(name_of(metric)));
        // A block written before the metric was in the catalog: nothing recorded, which no limit passes.
        const Value* object = durations.find(name_of(metric));
        if (object == nullptr) continue;
        if (in.failed()) break;
        half.histograms[index_of(metric)] = read_histogram(in, *object);
    }
    return half;
}

std::optional<std::vector<LatencyLimit>> read_goodput(Reader& in, const Value& block) {
    const Value& array = in.member(block, "goodput_limits");
    if (array.is_null()) return std::nullopt;
    std::vector<LatencyLimit> limits;
    for (const Value& pair : array.items()) {
        const bool is_pair = pair.items().size() == 2;
        const auto metric = is_pair ? find_duration(pair.items()[0].as_string().value_or("")) : std::nullopt;
        if (!metric) {
            in.fail("goodput_limits", "must be null or pairs of a duration's name and microseconds");
            return std::nullopt;
        }
        limits.push_back({*metric, in.us(pair.items()[1], "goodput_limits")});
    }
    return limits;
}

}  // namespace

void write_block(Writer& out, const Tally& tally) {
    out.begin_object().member("schema", kSchema);
    out.key("goodput_limits");
    if (const auto& limits = tally.goodput_limits()) {
        out.begin_array();
        for (const LatencyLimit& limit : *limits)
            out.begin_array().value(name_of(limit.metric)).value(limit.limit.count()).end_array();
        out.end_array();
    } else {
        out.value(nullptr);
    }
    for (const auto& [name, part] : kParts) {
        out.key(name);
        write_part(out, tally, part);
    }
    out.end_object();
}

Result<Tally> read_block(const Value& block) {
    Reader in("");
    const Value* schema = block.find("schema");
    if (schema == nullptr || schema->as_string() != kSchema) {
        in.fail("schema", "must be \"" + std::string(kSchema) + "\"");
        return in.error();
    }
    std::optional<std::vector<LatencyLimit>> goodput = read_goodput(in, block);
    Tally::Half stream = read_half(in, block, "stream");
    Tally::Half non_stream = read_half(in, block, "non_stream");
    Tally made = Tally::from_halves(std::move(stream), std::move(non_stream), std::move(goodput));
    in.enter("");
    const Value& whole = in.member(block, "whole");
    in.enter("whole");
    if (!(read_counts(in, whole) == made.counts())) in.fail("", "must be the sum of its two halves");
    if (in.failed()) return in.error();
    return made;
}

}  // namespace oai::metrics
