#include "support/canned_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace oai::test {
namespace {

/// False when the test ends, or the peer is gone.
bool wait_readable(int fd, int wake) {
    pollfd both[2] = {{fd, POLLIN, 0}, {wake, POLLIN, 0}};
    return ::poll(both, 2, -1) > 0 && both[1].revents == 0;
}

}  // namespace

std::string http_answer(int status, const std::string& body, const std::string& content_type) {
    return "HTTP/1.1 " + std::to_string(status) + " Canned\r\ncontent-type: " + content_type +
           "\r\nconnection: close\r\ncontent-length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

CannedServer::CannedServer(std::vector<CannedAnswer> answers) : answers_(std::move(answers)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* plain = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, plain, size) != 0 || ::listen(listener_, 16) != 0 ||
        ::getsockname(listener_, plain, &size) != 0 || ::pipe(wake_) != 0)
        throw std::runtime_error("no loopback port");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
}

CannedServer::~CannedServer() {
    ::close(wake_[1]);
    thread_.join();
    ::close(wake_[0]);
    ::close(listener_);
}

std::vector<std::string> CannedServer::requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
}

void CannedServer::run() {
    while (wait_readable(listener_, wake_[0])) {
        const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (connection < 0) continue;
        serve(connection);
        ::close(connection);
    }
}

void CannedServer::serve(int connection) {
    std::string head;
    while (head.find("\r\n\r\n") == std::string::npos) {
        char buffer[4096];
        if (!wait_readable(connection, wake_[0])) return;
        const ssize_t n = ::recv(connection, buffer, sizeof buffer, 0);
        if (n <= 0) return;
        head.append(buffer, static_cast<std::size_t>(n));
    }
    {
        const std::lock_guard lock(mutex_);
        requests_.push_back(head);
    }
    const std::size_t from = head.find(' ') + 1;
    const std::string target = head.substr(from, head.find(' ', from) - from);
    CannedAnswer answer{.path = "", .bytes = http_answer(404, "404 page not found", "text/plain")};
    for (const CannedAnswer& candidate : answers_) {
        if (target.starts_with(candidate.path) && candidate.path.size() >= answer.path.size()) answer = candidate;
    }
    std::size_t sent = 0;
    while (sent < answer.bytes.size()) {
        const ssize_t n = ::send(connection, answer.bytes.data() + sent, answer.bytes.size() - sent, MSG_NOSIGNAL);
        if (n <= 0) return;
        sent += static_cast<std::size_t>(n);
    }
    // A client that gives up closes, which is readable too.
    if (answer.hang) (void)wait_readable(connection, wake_[0]);
    ::shutdown(connection, SHUT_WR);
}

}  // namespace oai::test
