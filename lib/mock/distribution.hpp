#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace oai::mock {

/// Random numbers that depend on nothing but (seed, request number, purpose): two requests that are answered at the
/// same time cannot disturb each other's draws, and one more draw for one purpose moves no other.
class Draws {
public:
    Draws(std::uint64_t seed, std::uint64_t number, std::uint64_t purpose) noexcept;

    std::uint64_t next() noexcept;
    /// In [0, bound). Precondition: bound > 0.
    std::uint64_t below(std::uint64_t bound) noexcept { return next() % bound; }
    /// In (0, 1).
    double uniform() noexcept { return (static_cast<double>(next() >> 11) + 0.5) * 0x1.0p-53; }

private:
    std::uint64_t state_;
};

/// A law for a duration (in nanoseconds) or a count.
class Distribution {
public:
    enum class Law : std::uint8_t {
        constant,     ///< a
        uniform,      ///< from a to b
        normal,       ///< mean a, standard deviation b; what falls below zero is zero
        lognormal,    ///< median a, standard deviation b of the logarithm
        exponential,  ///< mean a
    };

    Distribution() = default;  ///< always 0
    Distribution(Law law, double a, double b) noexcept : law_(law), a_(a), b_(b) {}
    static Distribution constant(std::int64_t value) noexcept { return {Law::constant, static_cast<double>(value), 0}; }
    static Distribution constant(std::chrono::nanoseconds value) noexcept { return constant(value.count()); }

    /// Never negative. A constant draws nothing.
    std::int64_t sample(Draws& draws) const noexcept;
    bool is_zero() const noexcept { return law_ == Law::constant && a_ == 0; }

    bool operator==(const Distribution&) const = default;

private:
    Law law_ = Law::constant;
    double a_ = 0;
    double b_ = 0;
};

/// "20ms", "uniform(10ms,30ms)", "normal(20ms,5ms)", "lognormal(20ms,0.4)" (median, sigma of the logarithm),
/// "exp(20ms)" (mean).
core::Result<Distribution> parse_duration_distribution(std::string_view text);
/// "16", "8-32" (every count as likely), "uniform(8,32)", "normal(16,4)", "lognormal(16,0.5)", "exp(16)".
core::Result<Distribution> parse_count_distribution(std::string_view text);

}  // namespace oai::mock
