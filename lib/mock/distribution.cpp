#include "mock/distribution.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numbers>
#include <optional>

#include "core/units.hpp"

namespace oai::mock {

using core::Code;
using core::Error;
using core::Result;

namespace {

constexpr std::uint64_t kStep = 0x9E3779B97F4A7C15ULL;

std::uint64_t mixed(std::uint64_t z) noexcept {  // splitmix64's finisher
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
}

/// A tail of a lognormal must neither overflow an integer nor outlive the test.
constexpr double kMost = 24.0 * 3600 * 1e9;

using Number = std::optional<double> (*)(std::string_view);

std::optional<double> duration(std::string_view text) {
    const Result<core::nanoseconds> parsed = core::parse_duration(text);
    if (!parsed) return std::nullopt;
    return static_cast<double>(parsed->count());
}

std::optional<double> count(std::string_view text) {
    const Result<std::uint64_t> parsed = core::parse_unsigned(text);
    if (!parsed) return std::nullopt;
    return static_cast<double>(*parsed);
}

std::optional<double> sigma(std::string_view text) {
    double value = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool good = ec == std::errc{} && end == text.data() + text.size() && value >= 0 && value <= 10;
    return good ? std::optional(value) : std::nullopt;
}

struct LawRow {
    std::string_view name;
    Distribution::Law law;
    int arguments;
};

constexpr std::array<LawRow, 4> kLaws{{{"uniform", Distribution::Law::uniform, 2},
                                       {"normal", Distribution::Law::normal, 2},
                                       {"lognormal", Distribution::Law::lognormal, 2},
                                       {"exp", Distribution::Law::exponential, 1}}};

std::optional<Distribution> parse_law(std::string_view text, Number number) {
    using Law = Distribution::Law;
    if (const std::optional<double> value = number(text)) return Distribution(Law::constant, *value, 0);
    const std::size_t open = text.find('(');
    if (open == std::string_view::npos || text.back() != ')') return std::nullopt;
    const std::string_view inner = text.substr(open + 1, text.size() - open - 2);
    const std::size_t comma = inner.find(',');
    const std::string_view first = core::trim(inner.substr(0, comma));
    const std::string_view second =
        comma == std::string_view::npos ? std::string_view{} : core::trim(inner.substr(comma + 1));
    for (const LawRow& row : kLaws) {
        if (core::trim(text.substr(0, open)) != row.name) continue;
        if ((row.arguments == 2) != (comma != std::string_view::npos)) return std::nullopt;
        const std::optional<double> a = number(first);
        std::optional<double> b = 0.0;
        if (row.arguments == 2) b = row.law == Law::lognormal ? sigma(second) : number(second);
        if (!a || !b || (row.law == Law::uniform && *b < *a)) return std::nullopt;
        return Distribution(row.law, *a, *b);
    }
    return std::nullopt;
}

Error refuse(std::string_view what, std::string_view text, std::string_view right) {
    return Error{
        .code = Code::invalid_argument,
        .detail = std::string(what) + " must be like " + std::string(right) + ", got \"" + std::string(text) + "\""};
}

}  // namespace

Draws::Draws(std::uint64_t seed, std::uint64_t number, std::uint64_t purpose) noexcept
    : state_(mixed(mixed(mixed(seed + kStep) + number * kStep) + purpose * kStep)) {}

std::uint64_t Draws::next() noexcept {
    return mixed(state_ += kStep);
}

std::int64_t Distribution::sample(Draws& draws) const noexcept {
    double value = a_;
    const auto gauss = [&] {  // Box and Muller: std::normal_distribution differs from library to library
        const double radius = std::sqrt(-2.0 * std::log(draws.uniform()));
        return radius * std::cos(2.0 * std::numbers::pi * draws.uniform());
    };
    switch (law_) {
        case Law::constant: break;
        case Law::uniform: value = std::floor(a_ + (b_ - a_ + 1) * draws.uniform()); break;
        case Law::normal: value = a_ + b_ * gauss(); break;
        case Law::lognormal: value = a_ * std::exp(b_ * gauss()); break;
        case Law::exponential: value = -a_ * std::log(draws.uniform()); break;
    }
    return static_cast<std::int64_t>(std::clamp(value, 0.0, kMost));
}

Result<Distribution> parse_duration_distribution(std::string_view text) {
    if (const std::optional<Distribution> law = parse_law(text, duration)) return *law;
    return refuse("a delay", text, "20ms, uniform(10ms,30ms), normal(20ms,5ms), lognormal(20ms,0.4) or exp(20ms)");
}

Result<Distribution> parse_count_distribution(std::string_view text) {
    if (const std::optional<Distribution> law = parse_law(text, count)) return *law;
    if (const std::size_t dash = text.find('-'); dash != std::string_view::npos) {
        const std::optional<double> low = count(text.substr(0, dash)), high = count(text.substr(dash + 1));
        if (low && high && *low <= *high) return Distribution(Distribution::Law::uniform, *low, *high);
    }
    return refuse("a count", text, "16, 8-32, normal(16,4), lognormal(16,0.5) or exp(16)");
}

}  // namespace oai::mock
