#include "loadgen/arrivals.hpp"

#include "core/units.hpp"

namespace oai::loadgen {

using core::Code;
using core::Error;

core::Result<Rate> parse_rate(std::string_view text) {
    const auto refused = [&] {
        return Error{.code = Code::invalid_argument,
                     .detail =
                         "a rate must be requests per second with up to three decimals, such as 8 or 0.5, at most "
                         "1000000; got \"" +
                         std::string(text) + "\""};
    };
    const std::size_t dot = text.find('.');
    std::string digits(text.substr(0, dot));
    if (dot != std::string_view::npos) {
        const std::string_view decimals = text.substr(dot + 1);
        if (decimals.empty() || decimals.size() > 3 || digits.empty()) return refused();
        digits += decimals;
        digits.append(3 - decimals.size(), '0');
    } else {
        if (digits.empty()) return refused();
        digits += "000";
    }
    const core::Result<std::uint64_t> milli = core::parse_unsigned(digits);
    if (!milli || *milli > Rate::kMostMilli) return refused();
    return Rate{*milli};
}

std::string format_rate(Rate rate) {
    std::string text = std::to_string(rate.milli / 1000);
    if (const std::uint64_t rest = rate.milli % 1000; rest != 0) {
        std::string decimals = std::to_string(1000 + rest).substr(1);
        decimals.erase(decimals.find_last_not_of('0') + 1);
        text += "." + decimals;
    }
    return text;
}

nanoseconds grid_offset(Rate rate, std::uint64_t i) noexcept {
    // floor(i * 10^12 / milli) in two steps: the product alone would pass 64 bits after 18 million arrivals.
    const std::uint64_t thousands = i * 1000;
    const std::uint64_t whole_seconds = thousands / rate.milli;
    const std::uint64_t rest = thousands % rate.milli;
    return nanoseconds{whole_seconds * 1'000'000'000 + rest * 1'000'000'000 / rate.milli};
}

Arrivals::Arrivals(std::span<const Rate> streams, nanoseconds duration) : duration_(duration) {
    for (std::uint32_t i = 0; i < streams.size(); ++i) {
        if (streams[i].milli != 0) lanes_.push_back(Lane{streams[i], Arrival{nanoseconds{0}, i, 0}});
    }
}

std::optional<Arrival> Arrivals::next() noexcept {
    Lane* first = nullptr;
    for (Lane& lane : lanes_) {
        if (first == nullptr || lane.upcoming.offset < first->upcoming.offset) first = &lane;
    }
    if (first == nullptr || first->upcoming.offset >= duration_) return std::nullopt;
    const Arrival arrival = first->upcoming;
    ++first->upcoming.number;
    first->upcoming.offset = grid_offset(first->rate, first->upcoming.number);
    return arrival;
}

}  // namespace oai::loadgen
