#include "gateway/date_line.hpp"

#include "core/units.hpp"

namespace oai::gateway {

void DateLine::renew(core::TimePoint now) {
    const core::WallTime wall = clock_.wall_now();
    const auto second = std::chrono::floor<std::chrono::seconds>(wall);
    until_ = now + (second + std::chrono::seconds{1} - wall);
    line_ = "date: " + core::format_http_date(second) + "\r\n";
}

}  // namespace oai::gateway
