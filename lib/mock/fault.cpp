#include "mock/fault.hpp"

#include <array>

#include "core/units.hpp"

namespace oai::mock {

using core::Code;
using core::Error;
using core::Result;

namespace {

using Kind = Fault::Kind;

struct Row {
    std::string_view name;
    Kind kind;
    bool has_position;
};

// Longer names first where one begins another.
constexpr std::array<Row, 6> kRows{{{"none", Kind::none, false},
                                    {"hang", Kind::hang, false},
                                    {"stall", Kind::stall, true},
                                    {"cut-before-head", Kind::cut_before_head, false},
                                    {"cut", Kind::cut, true},
                                    {"failed-event", Kind::failed_event, true}}};

constexpr std::string_view kKnown =
    "none, error-<400..599>, hang, stall, cut, cut-before-head, failed-event, slow-<duration>; stall, cut and "
    "failed-event also with -before-output or -after-<output events>";
constexpr std::string_view kError = "error-", kSlow = "slow-", kAfter = "-after-", kBeforeOutput = "-before-output";

Error unknown(std::string_view name) {
    return Error{.code = Code::invalid_request,
                 .source = core::Source::downstream,
                 .detail = "unknown fault \"" + std::string(name) + "\"; known are " + std::string(kKnown)};
}

/// "" or "-before-output" or "-after-3".
bool parse_position(std::string_view text, std::optional<unsigned>& after) {
    if (text.empty()) return true;
    if (text == kBeforeOutput) {
        after = 0;
        return true;
    }
    if (!text.starts_with(kAfter)) return false;
    const Result<std::uint64_t> events = core::parse_unsigned(text.substr(kAfter.size()));
    if (!events || *events > 1'000'000) return false;
    after = static_cast<unsigned>(*events);
    return true;
}

}  // namespace

Result<Fault> parse_fault(std::string_view name) {
    Fault fault;
    if (name.starts_with(kError)) {
        const Result<std::uint64_t> status = core::parse_unsigned(name.substr(kError.size()));
        if (!status || *status < 400 || *status > 599) return unknown(name);
        fault.kind = Kind::error;
        fault.status = static_cast<int>(*status);
        return fault;
    }
    if (name.starts_with(kSlow)) {
        const Result<core::nanoseconds> delay = core::parse_duration(name.substr(kSlow.size()));
        if (!delay) return unknown(name);
        fault.kind = Kind::slow;
        fault.delay = *delay;
        return fault;
    }
    for (const Row& row : kRows) {
        if (!name.starts_with(row.name)) continue;
        const std::string_view rest = name.substr(row.name.size());
        if (!(row.has_position ? parse_position(rest, fault.after) : rest.empty())) return unknown(name);
        fault.kind = row.kind;
        return fault;
    }
    return unknown(name);
}

std::string fault_name(const Fault& fault) {
    if (fault.kind == Kind::error) return std::string(kError) + std::to_string(fault.status);
    if (fault.kind == Kind::slow) return std::string(kSlow) + core::format_duration(fault.delay);
    for (const Row& row : kRows) {
        if (row.kind != fault.kind) continue;
        std::string name(row.name);
        if (!fault.after || !row.has_position) return name;
        return name +
               (*fault.after == 0 ? std::string(kBeforeOutput) : std::string(kAfter) + std::to_string(*fault.after));
    }
    return "none";
}

std::string_view fault_in_model(std::string_view model) noexcept {
    constexpr std::string_view kMark = "mock-";
    const std::size_t at = model.rfind(kMark);
    if (at == std::string_view::npos) return {};
    if (at != 0 && std::string_view("-/:.").find(model[at - 1]) == std::string_view::npos) return {};
    return model.substr(at + kMark.size());
}

}  // namespace oai::mock
