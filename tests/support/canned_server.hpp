#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace oai::test {

/// What a path is answered with. The longest prefix that fits the request's target counts.
struct CannedAnswer {
    std::string path;        ///< prefix of the target, such as "/api/v1/x"
    std::string bytes = {};  ///< sent as they are; then the connection is closed
    bool hang = false;       ///< keeps the connection open without another byte, until the test ends
};

/// A whole HTTP answer with its length.
std::string http_answer(int status, const std::string& body, const std::string& content_type = "application/json");

/// A tiny scripted HTTP server on a loopback port of the system's choice, with one thread and one connection at a time.
/// Targets nobody scripted are answered 404.
class CannedServer {
public:
    explicit CannedServer(std::vector<CannedAnswer> answers);
    ~CannedServer();
    CannedServer(const CannedServer&) = delete;

    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    /// Heads of the requests so far.
    std::vector<std::string> requests() const;

private:
    void run();
    void serve(int connection);

    std::vector<CannedAnswer> answers_;
    int listener_ = -1;
    int wake_[2] = {-1, -1};  ///< a pipe; its closed writing end means: stop
    std::uint16_t port_ = 0;
    mutable std::mutex mutex_;
    std::vector<std::string> requests_;
    std::thread thread_;
};

}  // namespace oai::test
