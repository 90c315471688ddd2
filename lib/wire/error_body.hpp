#pragma once

#include <string>
#include <string_view>

#include "core/log.hpp"
#include "core/result.hpp"
#include "wire/endpoints.hpp"

namespace oai::wire {

/// What a code looks like from outside: the one table of HTTP status, API error type and log level.
struct ErrorFace {
    int status;
    std::string_view type;  ///< OpenAI's `error.type`
    std::string_view code;  ///< OpenAI's `error.code`
    core::LogLevel level;
};
const ErrorFace& face_of(core::Code code) noexcept;

/// "Too Many Requests" for 429.
std::string_view reason_phrase(int status) noexcept;

/// In the caller's dialect: `{"error":{"message":…,"type":…,"param":…,"code":…}}`, or
/// `{"type":"error","error":{"type":…,"message":…}}`.
std::string error_body(const core::Error& error, Dialect dialect = Dialect::openai);

/// One error event for a stream that has begun, in the words of its endpoint. Nothing follows it: no [DONE], no clean
/// end.
std::string error_event(const core::Error& error, Terminal terminal);

}  // namespace oai::wire
