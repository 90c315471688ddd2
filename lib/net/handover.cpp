#include "net/handover.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <climits>

#include "core/clock.hpp"
#include "core/units.hpp"

namespace oai::net {

using core::Result;

namespace {

core::Error failure(std::string what) {
    return core::Error{.code = core::Code::io_failed, .detail = std::move(what)};
}

core::Error system_failure(const std::string& what) {
    return failure(what + ": " + std::strerror(errno));
}

/// SEQPACKET: a message arrives whole and with its sockets, or not at all.
Result<Descriptor> control_socket() {
    Descriptor socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    if (!socket) return system_failure("cannot make a control socket");
    return socket;
}

Result<sockaddr_un> address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path)
        return failure("the path of a control socket must have 1 to " + std::to_string(sizeof address.sun_path - 1) +
                       " characters: " + path);
    path.copy(address.sun_path, path.size());
    return address;
}

const sockaddr* as_sockaddr(const sockaddr_un& address) noexcept {
    return reinterpret_cast<const sockaddr*>(&address);
}

Result<void> wait_readable(const Descriptor& control, std::chrono::milliseconds patience) {
    const core::TimePoint until = std::chrono::steady_clock::now() + patience;
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        pollfd entry{.fd = control.get(), .events = POLLIN, .revents = 0};
        const int ready = ::poll(&entry, 1, static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, INT_MAX)));
        if (ready > 0) return {};
        if (ready < 0 && errno != EINTR) return system_failure("cannot wait for the other process");
        if (ready == 0)
            return core::Error{.code = core::Code::timed_out, .detail = "the other process said nothing in time"};
    }
}

bool same_user(const Descriptor& peer) noexcept {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    return ::getsockopt(peer.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 &&
           credentials.uid == ::geteuid();
}

/// Room for the sockets of one message, aligned as the kernel wants it.
struct ControlData {
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * Handover::kMostSockets)> bytes{};
};

/// Owned from here on, whatever else is wrong with the message.
std::vector<Descriptor> sockets_in(msghdr& header) {
    std::vector<Descriptor> sockets;
    for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
            sockets.emplace_back(fd);
        }
    }
    return sockets;
}

}  // namespace

Result<Descriptor> listen_control(const std::string& path) {
    const std::string fresh = path + "." + std::to_string(::getpid());
    const Result<sockaddr_un> address = address_of(fresh);
    if (!address) return address.error();
    Result<Descriptor> socket = control_socket();
    if (!socket) return socket;
    ::unlink(fresh.c_str());
    const std::string step = "cannot listen on the control socket " + path;
    if (::bind(socket->get(), as_sockaddr(*address), sizeof *address) != 0) return system_failure(step);
    // Before it listens and before it has its name: nobody else's connection can have come in between.
    const bool listens = ::chmod(fresh.c_str(), S_IRUSR | S_IWUSR) == 0 && ::listen(socket->get(), 4) == 0 &&
                         std::rename(fresh.c_str(), path.c_str()) == 0;
    if (listens) return socket;
    const core::Error error = system_failure(step);
    ::unlink(fresh.c_str());
    return error;
}

Result<Descriptor> accept_control(const Descriptor& listener, std::chrono::milliseconds patience) {
    const core::TimePoint until = std::chrono::steady_clock::now() + patience;
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        if (Result<void> ready = wait_readable(listener, left); !ready) return ready.error();
        Descriptor peer(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!peer) return system_failure("cannot accept on the control socket");
        if (same_user(peer)) return peer;
    }
}

Result<Descriptor> connect_control(const std::string& path) {
    const Result<sockaddr_un> address = address_of(path);
    if (!address) return address.error();
    Result<Descriptor> socket = control_socket();
    if (!socket) return socket;
    if (::connect(socket->get(), as_sockaddr(*address), sizeof *address) != 0)
        return system_failure("cannot connect to the control socket " + path);
    return socket;
}

Result<void> send_handover(const Descriptor& control, std::span<const int> sockets, std::string_view message) {
    if (sockets.size() > Handover::kMostSockets)
        return failure("cannot hand over " + std::to_string(sockets.size()) + " sockets at once, only " +
                       std::to_string(Handover::kMostSockets));
    if (message.empty() || message.size() > Handover::kMostBytes)
        return failure("a handover's message must have 1 to 65536 bytes");
    ControlData data;
    iovec bytes{const_cast<char*>(message.data()), message.size()};
    msghdr header{};
    header.msg_iov = &bytes;
    header.msg_iovlen = 1;
    if (!sockets.empty()) {
        header.msg_control = data.bytes.data();
        header.msg_controllen = CMSG_SPACE(sockets.size_bytes());
        cmsghdr* part = CMSG_FIRSTHDR(&header);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(sockets.size_bytes());
        std::memcpy(CMSG_DATA(part), sockets.data(), sockets.size_bytes());
    }
    ssize_t sent = -1;
    do {
        sent = ::sendmsg(control.get(), &header, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) return system_failure("cannot hand over");
    return {};
}

Result<Handover> receive_handover(const Descriptor& control, std::chrono::milliseconds patience) {
    if (Result<void> ready = wait_readable(control, patience); !ready) return ready.error();
    ControlData data;
    Handover got;
    got.message.resize(Handover::kMostBytes);
    iovec bytes{got.message.data(), got.message.size()};
    msghdr header{};
    header.msg_iov = &bytes;
    header.msg_iovlen = 1;
    header.msg_control = data.bytes.data();
    header.msg_controllen = data.bytes.size();
    ssize_t received = -1;
    do {
        received = ::recvmsg(control.get(), &header, MSG_CMSG_CLOEXEC);
    } while (received < 0 && errno == EINTR);
    if (received < 0) return system_failure("cannot receive a handover");
    got.sockets = sockets_in(header);
    if (received == 0) return failure("the other process closed the control socket");
    // Out of descriptors, the kernel drops the rest and says so: with some of the sockets connections would be lost.
    if ((header.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) != 0) return failure("a handover arrived incomplete");
    got.message.resize(static_cast<std::size_t>(received));
    return got;
}

Result<std::vector<Descriptor>> inherited_listeners(int first) {
    const char* const pid = std::getenv("LISTEN_PID");
    const char* const count = std::getenv("LISTEN_FDS");
    std::vector<Descriptor> sockets;
    if (pid == nullptr || count == nullptr) return sockets;
    const Result<std::uint64_t> for_whom = core::parse_unsigned(pid);
    const Result<std::uint64_t> how_many = core::parse_unsigned(count);
    ::unsetenv("LISTEN_PID");
    ::unsetenv("LISTEN_FDS");
    ::unsetenv("LISTEN_FDNAMES");
    if (!for_whom || !how_many || *how_many > Handover::kMostSockets)
        return failure("LISTEN_PID and LISTEN_FDS must be a process id and a number of sockets");
    if (*for_whom != static_cast<std::uint64_t>(::getpid())) return sockets;
    for (int fd = first; fd < first + static_cast<int>(*how_many); ++fd) {
        if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
            return system_failure("LISTEN_FDS names descriptor " + std::to_string(fd));
        sockets.emplace_back(fd);
    }
    return sockets;
}

}  // namespace oai::net
