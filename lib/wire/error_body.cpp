#include "wire/error_body.hpp"

#include <array>

#include "json/writer.hpp"

namespace oai::wire {

using core::Code;
using core::LogLevel;

const ErrorFace& face_of(Code code) noexcept {
    static constexpr ErrorFace invalid{400, "invalid_request_error", "invalid_request", LogLevel::debug};
    static constexpr ErrorFace malformed{400, "invalid_request_error", "malformed_http", LogLevel::info};
    static constexpr ErrorFace unauthorized{401, "authentication_error", "invalid_api_key", LogLevel::info};
    static constexpr ErrorFace forbidden{403, "permission_error", "permission_denied", LogLevel::info};
    static constexpr ErrorFace not_found{404, "not_found_error", "not_found", LogLevel::debug};
    static constexpr ErrorFace method{405, "invalid_request_error", "method_not_allowed", LogLevel::debug};
    static constexpr ErrorFace slow{408, "invalid_request_error", "request_timeout", LogLevel::info};
    static constexpr ErrorFace body_size{413, "invalid_request_error", "request_too_large", LogLevel::info};
    static constexpr ErrorFace target_size{414, "invalid_request_error", "target_too_long", LogLevel::info};
    static constexpr ErrorFace head_size{431, "invalid_request_error", "head_too_large", LogLevel::info};
    static constexpr ErrorFace limited{429, "rate_limit_error", "rate_limit_exceeded", LogLevel::debug};
    static constexpr ErrorFace cancelled{499, "invalid_request_error", "client_closed_request", LogLevel::debug};
    static constexpr ErrorFace connect{502, "upstream_error", "upstream_unreachable", LogLevel::warn};
    static constexpr ErrorFace upstream{502, "upstream_error", "upstream_error", LogLevel::warn};
    static constexpr ErrorFace truncated{502, "upstream_error", "upstream_truncated", LogLevel::warn};
    static constexpr ErrorFace garbled{502, "upstream_error", "upstream_malformed", LogLevel::warn};
    static constexpr ErrorFace timeout{504, "timeout", "upstream_timeout", LogLevel::warn};
    static constexpr ErrorFace throttled{429, "rate_limit_error", "upstream_rate_limited", LogLevel::info};
    static constexpr ErrorFace unavailable{503, "server_error", "no_healthy_upstream", LogLevel::warn};
    static constexpr ErrorFace internal{500, "server_error", "internal_error", LogLevel::error};
    switch (code) {
        case Code::invalid_request:
        case Code::invalid_argument:
        case Code::parse_failed: return invalid;
        case Code::malformed_http: return malformed;
        case Code::unauthorized: return unauthorized;
        case Code::forbidden: return forbidden;
        case Code::not_found: return not_found;
        case Code::method_not_allowed: return method;
        case Code::request_timeout: return slow;
        case Code::payload_too_large: return body_size;
        case Code::target_too_long: return target_size;
        case Code::head_too_large: return head_size;
        case Code::rate_limited: return limited;
        case Code::cancelled: return cancelled;
        case Code::connect_failed:
        case Code::tls_failed: return connect;
        case Code::upstream_error: return upstream;
        case Code::upstream_truncated: return truncated;
        case Code::upstream_malformed: return garbled;
        case Code::upstream_timeout:
        case Code::timed_out: return timeout;
        case Code::upstream_throttled: return throttled;
        case Code::unavailable: return unavailable;
        case Code::internal:
        case Code::io_failed: break;
    }
    return internal;
}

std::string_view reason_phrase(int status) noexcept {
    switch (status) {
        case 100: return "Continue";
        case 101: return "Switching Protocols";
        case 200: return "OK";
        case 201: return "Created";
        case 202: return "Accepted";
        case 204: return "No Content";
        case 206: return "Partial Content";
        case 301: return "Moved Permanently";
        case 302: return "Found";
        case 304: return "Not Modified";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 402: return "Payment Required";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 413: return "Content Too Large";
        case 414: return "URI Too Long";
        case 415: return "Unsupported Media Type";
        case 422: return "Unprocessable Content";
        case 429: return "Too Many Requests";
        case 431: return "Request Header Fields Too Large";
        case 426: return "Upgrade Required";
        case 500: return "Internal Server Error";
        case 502: return "Bad Gateway";
        case 503: return "Service Unavailable";
        case 504: return "Gateway Timeout";
        case 529: return "Overloaded";
        default: return status < 400 ? "OK" : "Error";
    }
}

namespace {

void write_error(json::Writer& out, const core::Error& error) {
    const ErrorFace& face = face_of(error.code);
    out.begin_object().member("message", error.detail).member("type", face.type).key("param");
    if (error.param.empty()) {
        out.value(nullptr);
    } else {
        out.value(error.param);
    }
    out.member("code", face.code).end_object();
}

/// Anthropic's words for a status.
std::string_view anthropic_type(int status) noexcept {
    switch (status) {
        case 401: return "authentication_error";
        case 403: return "permission_error";
        case 404: return "not_found_error";
        case 413: return "request_too_large";
        case 429: return "rate_limit_error";
        case 503: return "overloaded_error";
        case 504: return "timeout_error";
        default: return status < 500 ? "invalid_request_error" : "api_error";
    }
}

void write_anthropic(json::Writer& out, const core::Error& error) {
    out.begin_object().member("type", "error").key("error").begin_object();
    out.member("type", anthropic_type(face_of(error.code).status)).member("message", error.detail);
    out.end_object().end_object();
}

}  // namespace

std::string error_body(const core::Error& error, Dialect dialect) {
    json::Writer out;
    if (dialect == Dialect::anthropic) {
        write_anthropic(out, error);
        return out.take();
    }
    out.begin_object().key("error");
    write_error(out, error);
    out.end_object();
    return out.take();
}

std::string error_event(const core::Error& error, Terminal terminal) {
    json::Writer out;
    if (terminal == Terminal::messages) {
        write_anthropic(out, error);
        return "event: error\ndata: " + out.take() + "\n\n";
    }
    out.begin_object();
    if (terminal == Terminal::responses) {
        // Clients of Responses read `code` and `message` beside `type`; the SDKs look for `error`. Both find theirs.
        out.member("type", "error")
            .member("code", face_of(error.code).code)
            .member("message", error.detail)
            .member("param", nullptr);
        out.member("sequence_number", 0);
    }
    out.key("error");
    write_error(out, error);
    out.end_object();
    return "event: error\ndata: " + out.take() + "\n\n";
}

}  // namespace oai::wire
