#include "integration/scripted_upstream.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace oai::test {
namespace {

constexpr std::size_t kPiece = 8192;

bool wait_readable(int fd, int wake) {
    pollfd both[2] = {{fd, POLLIN, 0}, {wake, POLLIN, 0}};
    return ::poll(both, 2, -1) > 0 && both[1].revents == 0;
}

/// False when the peer is gone or the test ends.
bool receive(int fd, int wake, std::string& into) {
    char buffer[65536];
    if (!wait_readable(fd, wake)) return false;
    const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
    if (n <= 0) return false;
    into.append(buffer, static_cast<std::size_t>(n));
    return true;
}

bool send_all(int fd, int wake, std::string_view bytes, std::chrono::milliseconds pause) {
    while (!bytes.empty()) {
        pollfd both[2] = {{fd, POLLOUT, 0}, {wake, POLLIN, 0}};
        if (::poll(both, 2, -1) <= 0 || both[1].revents != 0) return false;
        const std::size_t piece = pause.count() == 0 ? bytes.size() : std::min(bytes.size(), kPiece);
        const ssize_t n = ::send(fd, bytes.data(), piece, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(n));
        if (pause.count() != 0) std::this_thread::sleep_for(pause);
    }
    return true;
}

}  // namespace

std::string Received::field(const std::string& name) const {
    std::string values;
    for (std::size_t at = head.find("\r\n"); at != std::string::npos; at = head.find("\r\n", at)) {
        at += 2;
        const std::size_t end = head.find("\r\n", at), colon = head.find(':', at);
        if (end == std::string::npos || colon == std::string::npos || colon > end) continue;
        std::string found = head.substr(at, colon - at);
        std::ranges::transform(found, found.begin(),
                               [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        if (found == name) values += head.substr(colon + 2, end - colon - 2) + "\n";
    }
    return values;
}

ScriptedUpstream::ScriptedUpstream(Script script) : script_(std::move(script)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* plain = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, plain, size) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, plain, &size) != 0 || ::pipe(wake_) != 0)
        throw std::runtime_error("no loopback port");
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
}

ScriptedUpstream::~ScriptedUpstream() {
    ::close(wake_[1]);
    acceptor_.join();
    for (std::thread& session : sessions_) session.join();
    ::close(wake_[0]);
    ::close(listener_);
}

void ScriptedUpstream::set_script(Script script) {
    const std::lock_guard lock(mutex_);
    script_ = std::move(script);
}

std::vector<Received> ScriptedUpstream::received() const {
    const std::lock_guard lock(mutex_);
    return received_;
}

Received ScriptedUpstream::last() const {
    const std::lock_guard lock(mutex_);
    return received_.empty() ? Received{} : received_.back();
}

bool ScriptedUpstream::saw_peers_leave(int count, std::chrono::milliseconds patience) const {
    const auto until = std::chrono::steady_clock::now() + patience;
    for (;;) {
        {
            const std::lock_guard lock(mutex_);
            if (left_ >= count) return true;
        }
        if (std::chrono::steady_clock::now() >= until) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
}

void ScriptedUpstream::accept_all() {
    for (int number = 1; wait_readable(listener_, wake_[0]); ++number) {
        const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd >= 0) sessions_.emplace_back([this, fd, number] { serve(fd, number); });
    }
}

void ScriptedUpstream::serve(int fd, int number) {
    std::string in;
    for (bool on = true; on;) {
        std::size_t head_end = 0;
        while (on && (head_end = in.find("\r\n\r\n")) == std::string::npos) on = receive(fd, wake_[0], in);
        if (!on) break;
        Received request{.head = in.substr(0, head_end + 2), .body = {}, .connection = number};
        in.erase(0, head_end + 4);
        const std::size_t length = std::strtoul(request.field("content-length").c_str(), nullptr, 10);
        while (on && in.size() < length) on = receive(fd, wake_[0], in);
        request.body = in.substr(0, length);
        in.erase(0, request.body.size());
        Script script;
        {
            const std::lock_guard lock(mutex_);
            received_.push_back(std::move(request));
            script = script_;
        }
        on = on && send_all(fd, wake_[0], script.bytes, script.pause);
        if (script.hang || !on) {
            std::string rest;
            // Ends when the peer closes, or the test does.
            while (receive(fd, wake_[0], rest)) continue;
            pollfd stopping{wake_[0], POLLIN, 0};
            const std::lock_guard lock(mutex_);
            if (::poll(&stopping, 1, 0) == 0) ++left_;
            on = false;
        }
        if (script.close) on = false;
    }
    ::close(fd);
}

Script json_script(int status, const std::string& body, const std::string& fields) {
    return {.bytes = "HTTP/1.1 " + std::to_string(status) + " Scripted\r\ncontent-type: application/json\r\n" + fields +
                     "content-length: " + std::to_string(body.size()) + "\r\n\r\n" + body,
            .close = false,
            .hang = false,
            .pause = {}};
}

std::string chunk(const std::string& bytes) {
    char size[24];
    std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
    return size + bytes + "\r\n";
}

Script stream_script(const std::string& events, const std::string& fields) {
    Script script = cut_stream_script(events);
    script.bytes.insert(script.bytes.find("\r\n") + 2, fields);
    script.bytes += "0\r\n\r\n";
    script.close = false;
    return script;
}

Script cut_stream_script(const std::string& events) {
    return {
        .bytes =
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n" +
            (events.empty() ? std::string() : chunk(events)),
        .close = true,
        .hang = false,
        .pause = {}};
}

}  // namespace oai::test
