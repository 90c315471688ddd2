#pragma once

#include <initializer_list>
#include <string_view>

namespace oai::core {

enum class LogLevel { debug, info, warn, error, off };

struct LogField {
    std::string_view name;
    std::string_view value;
};

/// One line to stderr: `2026-02-12T09:00:00Z warn message name=value`. Values with blanks or quotes are quoted; control
/// characters are escaped, so that no value can forge a line. Never give it a credential or a body.
void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});

/// Lines below `level` are dropped. Default: info.
void set_log_level(LogLevel level) noexcept;

}  // namespace oai::core
