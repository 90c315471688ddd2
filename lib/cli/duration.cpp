#include "cli/duration.hpp"

#include <ostream>

#include "core/units.hpp"

namespace oai::cli {

bool lexical_cast(const std::string& text, Duration& into) {
    const core::Result<core::nanoseconds> parsed = core::parse_duration(text);
    if (parsed) into.value = *parsed;
    return parsed.has_value();
}

std::ostream& operator<<(std::ostream& out, const Duration& duration) {
    return out << core::format_duration(duration.value);
}

CLI::Validator duration() {
    return {[](std::string& text) {
                const core::Result<core::nanoseconds> parsed = core::parse_duration(text);
                return parsed ? std::string() : parsed.error().detail;
            },
            "DURATION"};
}

}  // namespace oai::cli
