#include "report/format.hpp"

#include "core/units.hpp"

namespace oai::report {
namespace {

/// num / den * 10^decimals, rounded half up, with its decimal point. The product needs 128 bits: counts of an
/// ancestor's fraction may have any scale.
std::string quotient(std::uint64_t num, std::uint64_t scale, std::uint64_t den, std::size_t decimals) {
    using Wide = unsigned __int128;
    const auto scaled = static_cast<std::uint64_t>((Wide{num} * scale * 2 + den) / (Wide{den} * 2));
    std::string digits = std::to_string(scaled);
    if (digits.size() <= decimals) digits.insert(0, decimals + 1 - digits.size(), '0');
    if (decimals != 0) digits.insert(digits.size() - decimals, 1, '.');
    return digits;
}

}  // namespace

std::string ms_text(std::optional<std::chrono::microseconds> value) {
    return value ? core::format_ms(value->count()) : kNone;
}

std::string percent_text(const metrics::Ratio& ratio) {
    return quotient(ratio.num, 100'000, ratio.den, 3) + " %";
}

std::string rate_text(const std::optional<metrics::Ratio>& ratio) {
    if (!ratio || ratio->den == 0) return kNone;
    return percent_text(*ratio) + " (" + std::to_string(ratio->num) + " of " + std::to_string(ratio->den) + ")";
}

std::string per_second_text(const metrics::Ratio& rate) {
    if (rate.den == 0) return kNone;
    if (rate.num % rate.den == 0) return std::to_string(rate.num / rate.den) + "/s";
    return quotient(rate.num, 1000, rate.den, 3) + "/s";
}

std::string per_second_text(std::uint64_t count, std::chrono::microseconds during) {
    if (during.count() <= 0) return kNone;
    return quotient(count, 1'000'000'000, static_cast<std::uint64_t>(during.count()), 3) + "/s";
}

std::string time_text(std::chrono::microseconds value) {
    if (value.count() % 1'000'000 == 0) return core::format_duration(value);
    return quotient(static_cast<std::uint64_t>(value.count()), 1, 1000, 3) + " s";
}

std::string mib_text(std::uint64_t bytes) {
    return quotient(bytes, 10, 1 << 20, 1) + " MiB";
}

}  // namespace oai::report
