#include "program.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace oai::bench {
namespace {

sockaddr_in loopback(long port) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

void send_at_once(int socket) {
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void assign(const Option& option, std::string_view text) {
    if (std::string* const* words = std::get_if<std::string*>(&option.value)) {
        (*words)->assign(text);
        return;
    }
    long& number = *std::get<long*>(option.value);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size())
        fail(std::string(option.name) + " needs a number, got " + std::string(text));
}

}  // namespace

void fail(std::string_view what) {
    std::fprintf(stderr, "%s: %.*s\n", program_invocation_short_name, static_cast<int>(what.size()), what.data());
    std::exit(1);
}

void fail_errno(std::string_view what) {
    fail(std::string(what) + ": " + std::strerror(errno));
}

void read_options(int argc, char** argv, std::initializer_list<Option> options) {
    for (int i = 1; i < argc; i += 2) {
        const Option* const option =
            std::find_if(options.begin(), options.end(), [&](const Option& o) { return o.name == argv[i]; });
        if (option == options.end()) fail(std::string("unknown option ") + argv[i]);
        if (i + 1 == argc) fail(std::string(argv[i]) + " needs a value");
        assign(*option, argv[i + 1]);
    }
}

std::int64_t now_ns() noexcept {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

int listen_on_loopback() {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const sockaddr_in any_port = loopback(0);
    if (listener < 0 || ::bind(listener, reinterpret_cast<const sockaddr*>(&any_port), sizeof any_port) != 0 ||
        ::listen(listener, 4096) != 0)
        fail_errno("cannot listen");
    return listener;
}

void announce(int listener) {
    sockaddr_in address = {};
    socklen_t size = sizeof address;
    if (::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) fail_errno("getsockname");
    std::printf("listening on http://127.0.0.1:%d\n", static_cast<int>(ntohs(address.sin_port)));
    std::fflush(stdout);
}

std::optional<int> accept_from(int listener) {
    const int socket = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0) return std::nullopt;
    send_at_once(socket);
    return socket;
}

std::optional<int> connect_to_loopback(long port) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(port);
    // Blocks for as long as loopback's handshake takes: connections are made once and kept.
    if (socket < 0 || ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        if (socket >= 0) ::close(socket);
        return std::nullopt;
    }
    send_at_once(socket);
    return socket;
}

Poller::Poller() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0) fail_errno("epoll");
    // The kernel's 50 us of slack would stand in every latency of an open loop.
    ::prctl(PR_SET_TIMERSLACK, 1UL);
}

void Poller::add(int socket, void* owner) {
    epoll_event event = {};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = owner;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) != 0) fail_errno("epoll_ctl");
}

std::span<epoll_event> Poller::wait(std::optional<std::int64_t> timeout_ns) {
    std::timespec timeout = {};
    if (timeout_ns) {
        const std::int64_t left = std::max<std::int64_t>(*timeout_ns, 0);
        timeout = {.tv_sec = left / 1'000'000'000, .tv_nsec = left % 1'000'000'000};
    }
    const int count = ::epoll_pwait2(epoll_, events_.data(), static_cast<int>(events_.size()),
                                     timeout_ns ? &timeout : nullptr, nullptr);
    if (count < 0 && errno != EINTR) fail_errno("epoll_pwait2");
    return std::span(events_).first(static_cast<std::size_t>(std::max(count, 0)));
}

}  // namespace oai::bench
