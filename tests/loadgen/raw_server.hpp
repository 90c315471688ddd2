#pragma once

#include <arpa/inet.h>
#include <atomic>
#include <functional>
#include <mutex>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

/// A server that says exactly the bytes a test asks for. Blocking, a thread per connection: for a few requests.
class RawServer {
public:
    struct Reply {
        std::string bytes;
        enum class Then { keep, close, hang } then = Then::keep;
        std::string later = {};  ///< sent `pause_ms` after `bytes`
        int pause_ms = 0;
    };
    using Script = std::function<Reply(unsigned request, const std::string& head_and_body)>;

    explicit RawServer(Script script) : script_(std::move(script)) {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
        ::listen(listener_, 64);
        socklen_t size = sizeof address;
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
        port_ = ntohs(address.sin_port);
        acceptor_ = std::thread([this] { accept_loop(); });
    }
    ~RawServer() {
        stopping_ = true;
        acceptor_.join();
        for (std::thread& session : sessions_) session.join();
        ::close(listener_);
    }
    RawServer(const RawServer&) = delete;

    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    unsigned connections() const { return connections_; }

private:
    bool readable(int fd) const {
        while (!stopping_) {
            pollfd poll{fd, POLLIN, 0};
            if (::poll(&poll, 1, 2) > 0) return true;
        }
        return false;
    }
    void accept_loop() {
        while (readable(listener_)) {
            const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            if (fd < 0) return;
            ++connections_;
            sessions_.emplace_back([this, fd] {
                serve(fd);
                ::close(fd);
            });
        }
    }
    void serve(int fd) {
        std::string in;
        while (readable(fd)) {
            char bytes[16384];
            const ssize_t n = ::recv(fd, bytes, sizeof bytes, 0);
            if (n <= 0) return;
            in.append(bytes, static_cast<std::size_t>(n));
            const std::size_t head = in.find("\r\n\r\n");
            if (head == std::string::npos) continue;
            const std::size_t length = in.find("content-length: ");
            const std::size_t body = std::stoul(in.substr(length + 16));
            if (in.size() < head + 4 + body) continue;
            const Reply reply = script_(requests_++, in);
            in.clear();
            say(fd, reply.bytes);
            if (reply.pause_ms != 0) std::this_thread::sleep_for(std::chrono::milliseconds{reply.pause_ms});
            say(fd, reply.later);
            if (reply.then == Reply::Then::close) return;
            if (reply.then == Reply::Then::hang) {
                while (!stopping_) std::this_thread::sleep_for(std::chrono::milliseconds{2});
                return;
            }
        }
    }
    static void say(int fd, const std::string& bytes) {
        if (!bytes.empty()) (void)!::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }

    Script script_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<bool> stopping_{false};
    std::atomic<unsigned> connections_{0};
    std::atomic<unsigned> requests_{0};
    std::thread acceptor_;
    std::vector<std::thread> sessions_;
};
