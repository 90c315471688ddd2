#include "sockets.hpp"

#include <cstdio>
#include <cstdlib>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace oai::bench {
namespace {

int must(int result, const char* what) {
    if (result >= 0) return result;
    std::perror(what);
    std::exit(1);
}

}  // namespace

Link::Link(net::Worker& worker) : ours_(worker.executor()), theirs_(must(::socket(AF_INET, SOCK_STREAM, 0), "socket")) {
    const int listener = must(::socket(AF_INET, SOCK_STREAM, 0), "socket");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const at = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    must(::bind(listener, at, size), "bind");
    must(::listen(listener, 1), "listen");
    must(::getsockname(listener, at, &size), "getsockname");
    // Set before the connection is made: the window's scale follows from it. The system's usual most.
    const int room = 212992, yes = 1;
    must(::setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &room, sizeof room), "SO_RCVBUF");
    must(::setsockopt(theirs_, SOL_SOCKET, SO_RCVBUF, &room, sizeof room), "SO_RCVBUF");
    must(::setsockopt(theirs_, SOL_SOCKET, SO_SNDBUF, &room, sizeof room), "SO_SNDBUF");
    must(::setsockopt(theirs_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes), "TCP_NODELAY");
    must(::connect(theirs_, at, size), "connect");
    ours_.assign(boost::asio::ip::tcp::v4(), must(::accept(listener, nullptr, nullptr), "accept"));
    ::close(listener);
}

Link::~Link() {
    ::close(theirs_);
}

void Link::send(std::string_view bytes) noexcept {
    const long sent = ::syscall(SYS_sendto, theirs_, bytes.data(), bytes.size(), MSG_DONTWAIT, nullptr, 0);
    if (sent == static_cast<long>(bytes.size())) return;
    std::fprintf(stderr, "the other side's socket takes %ld of %zu bytes\n", sent, bytes.size());
    std::exit(1);
}

std::string Link::receive() {
    std::string bytes(1 << 20, '\0');
    const long got = ::syscall(SYS_recvfrom, theirs_, bytes.data(), bytes.size(), MSG_DONTWAIT, nullptr, nullptr);
    bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return bytes;
}

void Link::drain() noexcept {
    // MSG_TRUNC: TCP drops the bytes without copying them.
    while (::syscall(SYS_recvfrom, theirs_, nullptr, 1 << 20, MSG_DONTWAIT | MSG_TRUNC, nullptr, nullptr) > 0) {
    }
}

}  // namespace oai::bench
