#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/hash.hpp"
#include "http/head.hpp"

namespace oai::mock {

/// One request as it arrived.
struct ReceivedRequest {
    std::uint64_t number = 0;  ///< as in the send log
    std::string method;
    std::string target;  ///< path and query
    std::vector<std::pair<std::string, std::string>> headers;
    std::uint64_t body_bytes = 0;  ///< without framing
    std::string body_sha256;       ///< hex
    std::string body;              ///< its first bytes

    /// Value of the first header of that name, case-insensitive, or empty.
    std::string_view header(std::string_view name) const noexcept;
};

/// The latest requests, so that a test can see what really arrived. From any thread.
class Received {
public:
    static constexpr std::size_t kMost = 1'000;

    /// `kept_bytes`: of each body.
    explicit Received(std::size_t kept_bytes) : kept_bytes_(kept_bytes) {}
    std::size_t kept_bytes() const noexcept { return kept_bytes_; }

    void add(ReceivedRequest request);
    void clear();
    /// Oldest first.
    std::vector<ReceivedRequest> all() const;

private:
    const std::size_t kept_bytes_;
    mutable std::mutex mutex_;
    std::deque<ReceivedRequest> requests_;
};

/// Makes the record of one request while its body comes.
class Receipt {
public:
    Receipt(const http::RequestHead& head, std::size_t kept_bytes);
    void add_body(std::string_view bytes);
    ReceivedRequest finish(std::uint64_t number);

private:
    ReceivedRequest request_;
    const std::size_t kept_bytes_;
    crypto::Sha256 hash_;
};

/// `{"requests":[...]}`, as GET /mock/requests answers.
void append_requests(std::string& out, const std::vector<ReceivedRequest>& requests);

}  // namespace oai::mock
