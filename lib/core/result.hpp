#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace oai::core {

/// What went wrong, as a word that never changes meaning. `wire/error_body` maps each to an HTTP status and an API
/// error type.
enum class Code : std::uint8_t {
    // the caller's
    invalid_request,     ///< 400: the request is not understood; `Error::param` names the field when there is one
    malformed_http,      ///< 400: the framing itself is wrong; the connection closes after the answer
    unauthorized,        ///< 401
    forbidden,           ///< 403
    not_found,           ///< 404
    method_not_allowed,  ///< 405
    request_timeout,     ///< 408: the caller did not send its request in time
    payload_too_large,   ///< 413
    target_too_long,     ///< 414: the connection closes after the answer
    head_too_large,      ///< 431
    rate_limited,        ///< 429: a limit of ours
    cancelled,           ///< the caller left; nobody reads the answer
    // the provider's
    connect_failed,      ///< 502: no connection, nothing was sent
    tls_failed,          ///< 502: connected, but no TLS (a certificate, say); nothing was sent
    upstream_error,      ///< 502: the provider answered, and the answer is an error of its own
    upstream_truncated,  ///< 502: the answer ended before its end
    upstream_malformed,  ///< 502: the answer is not HTTP, or not what was promised
    upstream_timeout,    ///< 504
    upstream_throttled,  ///< 429 of the provider
    // ours
    unavailable,  ///< 503: nothing can serve this now
    internal,     ///< 500
    // outside of a request: files, options, the network of a command
    invalid_argument,  ///< a flag, a file or a value that cannot be used
    parse_failed,      ///< a document that is not what it should be
    io_failed,         ///< a file, a socket or a database that failed
    timed_out,         ///< a deadline of a command passed
};

/// Which side a failure belongs to.
enum class Source : std::uint8_t { downstream, upstream, internal };

/// A failure as a value. Whose fault it is and whether a retry is safe is decided once, where it is known.
struct Error {
    Code code = Code::internal;
    Source source = Source::internal;
    bool retryable = false;
    std::string detail = {};  ///< for a person: where, what was wrong, what would be right; never a credential
    std::optional<std::chrono::seconds> retry_after = {};
    std::string param = {};  ///< the request field at fault, such as "model"; empty when none is
};

/// An Error on the heap, with the meaning of a value. A Result is then hardly larger than what it carries: errors are
/// rare, and coroutine frames hold many results.
class BoxedError {
public:
    BoxedError(Error error)
        : error_(std::make_unique<Error>(std::move(error))) {}  // NOLINT(google-explicit-constructor)
    BoxedError(const BoxedError& other) : error_(other.error_ ? std::make_unique<Error>(*other.error_) : nullptr) {}
    BoxedError& operator=(const BoxedError& other) {
        error_ = other.error_ ? std::make_unique<Error>(*other.error_) : nullptr;
        return *this;
    }
    BoxedError(BoxedError&&) noexcept = default;
    BoxedError& operator=(BoxedError&&) noexcept = default;
    ~BoxedError() = default;

    Error& operator*() const noexcept { return *error_; }

private:
    std::unique_ptr<Error> error_;
};

/// std::expected's members under its names, and no more: g++ 12 has std::expected only in C++23 mode.
template <class T>
class [[nodiscard]] Result {
public:
    using value_type = T;

    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

    bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    T& value() & noexcept { return *std::get_if<0>(&state_); }
    const T& value() const& noexcept { return *std::get_if<0>(&state_); }
    T&& value() && noexcept { return std::move(*std::get_if<0>(&state_)); }
    T& operator*() & noexcept { return value(); }
    const T& operator*() const& noexcept { return value(); }
    T&& operator*() && noexcept { return std::move(*this).value(); }
    T* operator->() noexcept { return std::get_if<0>(&state_); }
    const T* operator->() const noexcept { return std::get_if<0>(&state_); }

    Error& error() & noexcept { return **std::get_if<1>(&state_); }
    const Error& error() const& noexcept { return **std::get_if<1>(&state_); }
    Error&& error() && noexcept { return std::move(**std::get_if<1>(&state_)); }

private:
    std::variant<T, BoxedError> state_;
};

template <>
class [[nodiscard]] Result<void> {
public:
    using value_type = void;

    Result() = default;
    Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

    bool has_value() const noexcept { return !error_; }
    explicit operator bool() const noexcept { return has_value(); }
    Error& error() & noexcept { return **error_; }
    const Error& error() const& noexcept { return **error_; }
    Error&& error() && noexcept { return std::move(**error_); }

private:
    std::optional<BoxedError> error_;
};

}  // namespace oai::core
