#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace oai::test {

/// An HTTP answer, as it came.
struct Answer {
    int status = 0;                             ///< 0: there was none, or not a whole one
    std::map<std::string, std::string> fields;  ///< names in lower case
    std::string body;                           ///< without chunk framing
    bool whole = false;                         ///< it ended as its head promised

    std::string field(const std::string& name) const {
        const auto found = fields.find(name);
        return found == fields.end() ? std::string() : found->second;
    }
};

/// A connection that says just what the test wants, right or wrong. Every wait ends after the patience.
class RawClient {
public:
    explicit RawClient(std::uint16_t port, std::chrono::milliseconds patience = std::chrono::seconds{20});
    ~RawClient();
    RawClient(const RawClient&) = delete;

    bool connected() const noexcept { return fd_ >= 0; }
    /// False when the peer takes no more.
    bool send(std::string_view bytes);
    void shut_down_writing();
    void close();

    /// The next answer on this connection; 1xx answers are answers.
    Answer read_answer();
    /// The head alone, whatever it says of a body: the answer to a HEAD.
    Answer read_head();
    /// Reads until `what` has arrived; all that was read since the last answer. Empty when it never came.
    std::string read_until(std::string_view what);
    /// Everything until the peer closes. `closed()` says whether it did.
    std::string read_to_end();
    /// The peer closes within the patience, and sends nothing before.
    bool closed();
    /// Reads at most `bytes`, slowly told; for readers that take their time. Empty at the end.
    std::string read_some(std::size_t bytes);

private:
    bool fill();

    int fd_ = -1;
    std::chrono::milliseconds patience_;
    std::string in_;
    bool end_ = false;  ///< the peer closed or reset
};

/// A request with its Content-Length. `head` holds further lines, each with its CRLF.
std::string request(std::string_view method, std::string_view target, std::string_view head, std::string_view body);

/// One request on a connection of its own.
Answer ask(std::uint16_t port, std::string_view bytes);

}  // namespace oai::test
