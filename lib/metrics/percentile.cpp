#include "metrics/percentile.hpp"

#include <algorithm>

namespace oai::metrics {

std::optional<std::int64_t> percentile_of(std::vector<std::int64_t>& values, Percentile p) {
    if (values.empty()) return std::nullopt;
    const auto nth = values.begin() + static_cast<std::ptrdiff_t>(rank(p, values.size()) - 1);
    std::nth_element(values.begin(), nth, values.end());
    return *nth;
}

std::string name_of(Percentile p) {
    if (p == kMaximum) return "max";
    std::string name = "p" + std::to_string(p.milli / 1000);
    std::string decimals = std::to_string(1000 + p.milli % 1000).substr(1);
    while (!decimals.empty() && decimals.back() == '0') decimals.pop_back();
    return decimals.empty() ? name : name + "." + decimals;
}

std::optional<Percentile> parse_percentile(std::string_view text) noexcept {
    if (text == "max") return kMaximum;
    if (text.size() < 2 || text.size() > 7 || text[0] != 'p') return std::nullopt;
    std::uint32_t milli = 0;
    int digits = 0, decimals = -1;  // decimals: -1 until the point is seen
    for (const char c : text.substr(1)) {
        if (c == '.' && decimals < 0 && digits > 0) {
            decimals = 0;
        } else if (c >= '0' && c <= '9') {
            milli = milli * 10 + static_cast<std::uint32_t>(c - '0');
            ++(decimals < 0 ? digits : decimals);
        } else {
            return std::nullopt;
        }
    }
    if (digits > 2 || decimals == 0 || decimals > 3) return std::nullopt;
    for (int scale = decimals < 0 ? 0 : decimals; scale < 3; ++scale) milli *= 10;
    return milli == 0 ? std::nullopt : std::optional(Percentile{milli});
}

}  // namespace oai::metrics
