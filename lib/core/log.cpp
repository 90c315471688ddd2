#include "core/log.hpp"

#include <atomic>
#include <string>
#include <unistd.h>

#include "core/clock.hpp"
#include "core/units.hpp"

namespace oai::core {
namespace {

std::atomic<LogLevel> least{LogLevel::info};

std::string_view name_of(LogLevel level) {
    switch (level) {
        case LogLevel::debug: return "debug";
        case LogLevel::info: return "info";
        case LogLevel::warn: return "warn";
        case LogLevel::error: return "error";
        case LogLevel::off: break;
    }
    return "off";
}

void append_escaped(std::string& line, std::string_view text) {
    constexpr std::string_view hex = "0123456789abcdef";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7F) {
            line += "\\x";
            line += hex[byte >> 4];
            line += hex[byte & 0xF];
        } else {
            if (c == '"' || c == '\\') line += '\\';
            line += c;
        }
    }
}

}  // namespace

void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
    if (level < least.load(std::memory_order_relaxed)) return;
    std::string line = format_rfc3339(system_clock().wall_now());
    line += ' ';
    line += name_of(level);
    line += ' ';
    append_escaped(line, message);
    for (const LogField& field : fields) {
        line += ' ';
        line += field.name;
        line += '=';
        const bool plain = !field.value.empty() && field.value.find_first_of(" \"=") == std::string_view::npos;
        if (!plain) line += '"';
        append_escaped(line, field.value);
        if (!plain) line += '"';
    }
    line += '\n';
    // One write per line: lines of several threads do not mix.
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

void set_log_level(LogLevel level) noexcept {
    least.store(level, std::memory_order_relaxed);
}

}  // namespace oai::core
