#include "integration/raw_client.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace oai::test {
namespace {

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

std::string trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return std::string(text);
}

}  // namespace

RawClient::RawClient(std::uint16_t port, std::chrono::milliseconds patience) : patience_(patience) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) close();
}

RawClient::~RawClient() {
    close();
}

void RawClient::close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void RawClient::shut_down_writing() {
    ::shutdown(fd_, SHUT_WR);
}

bool RawClient::send(std::string_view bytes) {
    while (!bytes.empty()) {
        pollfd writable{fd_, POLLOUT, 0};
        if (::poll(&writable, 1, static_cast<int>(patience_.count())) != 1) return false;
        const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN) continue;
        if (n <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

bool RawClient::fill() {
    if (end_ || fd_ < 0) return false;
    pollfd readable{fd_, POLLIN, 0};
    if (::poll(&readable, 1, static_cast<int>(patience_.count())) != 1) return false;
    char buffer[65536];
    const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
    if (n <= 0) {
        end_ = true;
        return false;
    }
    in_.append(buffer, static_cast<std::size_t>(n));
    return true;
}

Answer RawClient::read_head() {
    Answer answer;
    std::size_t head_end = 0;
    while ((head_end = in_.find("\r\n\r\n")) == std::string::npos) {
        if (!fill()) return answer;
    }
    const std::string head = in_.substr(0, head_end + 2);
    in_.erase(0, head_end + 4);
    if (!head.starts_with("HTTP/1.1 ")) return answer;
    answer.status = std::atoi(head.c_str() + 9);
    for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
        const std::size_t end = head.find("\r\n", at);
        const std::string line = head.substr(at, end - at);
        const std::size_t colon = line.find(':');
        answer.fields[lower(line.substr(0, colon))] = colon == std::string::npos ? "" : trimmed(line.substr(colon + 1));
        at = end + 2;
    }
    return answer;
}

Answer RawClient::read_answer() {
    Answer answer = read_head();
    if (answer.status == 0) return answer;
    if (answer.status < 200) {
        answer.whole = true;
        return answer;
    }
    if (answer.field("transfer-encoding") == "chunked") {
        for (;;) {
            std::size_t line_end = 0;
            while ((line_end = in_.find("\r\n")) == std::string::npos) {
                if (!fill()) return answer;
            }
            const std::size_t size = std::strtoul(in_.c_str(), nullptr, 16);
            while (in_.size() < line_end + 2 + size + 2) {
                if (fill()) continue;
                answer.body += in_.substr(std::min(in_.size(), line_end + 2));
                return answer;
            }
            answer.body += in_.substr(line_end + 2, size);
            in_.erase(0, line_end + 2 + size + 2);
            if (size != 0) continue;
            answer.whole = true;
            return answer;
        }
    }
    const std::string length = answer.field("content-length");
    const std::size_t size = length.empty() ? std::string::npos : std::strtoul(length.c_str(), nullptr, 10);
    while (in_.size() < size && fill()) continue;
    answer.body = in_.substr(0, size);
    in_.erase(0, answer.body.size());
    answer.whole = length.empty() ? end_ : answer.body.size() == size;
    return answer;
}

std::string RawClient::read_until(std::string_view what) {
    while (in_.find(what) == std::string::npos) {
        if (!fill()) return {};
    }
    return in_;
}

std::string RawClient::read_to_end() {
    while (fill()) continue;
    return std::exchange(in_, {});
}

bool RawClient::closed() {
    while (in_.empty() && fill()) continue;
    return in_.empty() && end_;
}

std::string RawClient::read_some(std::size_t bytes) {
    if (in_.empty() && !fill()) return {};
    std::string piece = in_.substr(0, bytes);
    in_.erase(0, piece.size());
    return piece;
}

std::string request(std::string_view method, std::string_view target, std::string_view head, std::string_view body) {
    std::string bytes(method);
    bytes.append(" ").append(target).append(" HTTP/1.1\r\nhost: gateway.test\r\n").append(head);
    if (method != "GET") bytes += "content-length: " + std::to_string(body.size()) + "\r\n";
    return bytes.append("\r\n").append(body);
}

Answer ask(std::uint16_t port, std::string_view bytes) {
    RawClient client(port);
    client.send(bytes);
    return client.read_answer();
}

}  // namespace oai::test
