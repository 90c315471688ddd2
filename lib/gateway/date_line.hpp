#pragma once

#include <string>
#include <string_view>

#include "core/clock.hpp"

namespace oai::gateway {

/// The Date of an answer (RFC 9110 6.6.1) as a line of its head, made once per second and not per answer.
class DateLine {
public:
    explicit DateLine(const core::Clock& clock) noexcept : clock_(clock) {}

    /// "date: Thu, 12 Feb 2026 09:00:00 GMT", with its CRLF. `now` may be a coarse time: the line is then as much late.
    /// The clock is read when a second is over.
    std::string_view at(core::TimePoint now) {
        if (now >= until_) [[unlikely]]
            renew(now);
        return line_;
    }

private:
    void renew(core::TimePoint now);

    const core::Clock& clock_;
    core::TimePoint until_ = core::TimePoint::min();
    std::string line_;
};

}  // namespace oai::gateway
