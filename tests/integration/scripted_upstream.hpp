#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace oai::test {

/// What an upstream got.
struct Received {
    std::string head;  ///< with its request line and its last CRLF
    std::string body;
    int connection = 0;  ///< numbers from 1

    /// The values of all fields of that name (lower case), each followed by a line end.
    std::string field(const std::string& name) const;
};

/// How a request is answered.
struct Script {
    std::string bytes;                  ///< as they are
    bool close = true;                  ///< after them; else the next request may follow on the connection
    bool hang = false;                  ///< before the close: until the peer closes, or the test ends
    std::chrono::milliseconds pause{};  ///< between pieces of 8 KiB
};

/// An upstream that answers every request by one script and remembers what it got, bodies too; a thread for each
/// connection.
class ScriptedUpstream {
public:
    explicit ScriptedUpstream(Script script);
    ~ScriptedUpstream();
    ScriptedUpstream(const ScriptedUpstream&) = delete;

    std::uint16_t port() const noexcept { return port_; }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    void set_script(Script script);
    std::vector<Received> received() const;
    /// The last request.
    Received last() const;
    /// Waits until the peer has closed that many connections while they hung.
    bool saw_peers_leave(int count, std::chrono::milliseconds patience = std::chrono::seconds{20}) const;

private:
    void accept_all();
    void serve(int fd, int number);

    int listener_ = -1;
    int wake_[2] = {-1, -1};  ///< a pipe; its closed writing end means: stop
    std::uint16_t port_ = 0;
    mutable std::mutex mutex_;
    Script script_;
    std::vector<Received> received_;
    int left_ = 0;
    std::vector<std::thread> sessions_;
    std::thread acceptor_;
};

/// An answer with its length that leaves the connection open.
Script json_script(int status, const std::string& body, const std::string& fields = "");
/// A stream of events, chunked, that ends well.
Script stream_script(const std::string& events, const std::string& fields = "");
/// The same, without its end: the connection is closed behind the events.
Script cut_stream_script(const std::string& events);

std::string chunk(const std::string& bytes);

}  // namespace oai::test
