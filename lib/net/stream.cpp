#include "net/stream.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <sys/socket.h>

#include <boost/asio/buffer.hpp>

#include "net/worker.hpp"

namespace oai::net {

namespace asio = boost::asio;

Pieces::Pieces(std::initializer_list<std::string_view> pieces) {
    for (const std::string_view piece : pieces) add(piece);
}

void Pieces::add(std::string_view piece) noexcept {
    assert(count_ < kMost);
    if (!piece.empty()) pieces_[count_++] = piece;
}

std::size_t Pieces::size() const noexcept {
    std::size_t total = 0;
    for (const std::string_view piece : rest()) total += piece.size();
    return total;
}

void Pieces::consume(std::size_t n) noexcept {
    while (n != 0) {
        std::string_view& piece = pieces_[first_];
        if (n < piece.size()) {
            piece.remove_prefix(n);
            return;
        }
        n -= piece.size();
        ++first_;
    }
}

Stream::Stream(Worker& worker, Socket socket) : worker_(worker), socket_(std::move(socket)) {
    boost::system::error_code ignored;
    // Once per socket: per operation it would be an ioctl each time.
    socket_.non_blocking(true, ignored);
    // Nagle and delayed ACK together hold an event for up to 40 ms (HAProxy without http-no-delay: 200 ms).
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    worker_.enlist(*this);
}

Stream::~Stream() {
    worker_.delist(*this);
}

void Stream::close() noexcept {
    boost::system::error_code ignored;
    socket_.close(ignored);
}

void Stream::reset() noexcept {
    boost::system::error_code ignored;
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    close();
}

void Stream::shutdown_send() noexcept {
    boost::system::error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
}

void Stream::expire() noexcept {
    timed_out_ = true;
    deadline_ = kNever;
    close();
}

Awaitable<bool> Stream::connect(TcpEndpoint endpoint) {
    if (!socket_.is_open()) {
        // Closed at birth by a worker that stops. Asio would open it again by itself, and nobody would close it then.
        error_ = asio::error::operation_aborted;
        co_return false;
    }
    co_await socket_.async_connect(endpoint, asio::redirect_error(use_awaitable, error_));
    co_return !error_;
}

Awaitable<std::size_t> Stream::read_some(std::span<char> into) {
    return socket_.async_read_some(asio::buffer(into.data(), into.size()), asio::redirect_error(use_awaitable, error_));
}

std::size_t Stream::try_read(std::span<char> into) noexcept {
    const ssize_t n = ::recv(socket_.native_handle(), into.data(), into.size(), 0);
    return n > 0 ? static_cast<std::size_t>(n) : 0;
}

namespace {

/// Short messages go out as one piece: copying two kilobytes is cheaper than the kernel's reading of a vector of
/// pieces.
constexpr std::size_t kWorthGathering = 2048;

ssize_t send_pieces(int socket, const Pieces& pieces) noexcept {
    const std::span<const std::string_view> rest = pieces.rest();
    if (rest.size() == 1) return ::send(socket, rest[0].data(), rest[0].size(), MSG_NOSIGNAL);
    if (const std::size_t size = pieces.size(); size <= kWorthGathering) {
        std::array<char, kWorthGathering> gathered;
        char* end = gathered.data();
        for (const std::string_view piece : rest) end = std::copy(piece.begin(), piece.end(), end);
        return ::send(socket, gathered.data(), size, MSG_NOSIGNAL);
    }
    std::array<iovec, 8> vectors{};
    std::size_t count = 0;
    for (const std::string_view piece : rest) vectors[count++] = iovec{const_cast<char*>(piece.data()), piece.size()};
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = count;
    return ::sendmsg(socket, &message, MSG_NOSIGNAL);
}

}  // namespace

Stream::Written Stream::try_write(Pieces& pieces) noexcept {
    while (!pieces.empty()) {
        const ssize_t n = send_pieces(socket_.native_handle(), pieces);
        if (n >= 0) {
            pieces.consume(static_cast<std::size_t>(n));
            continue;
        }
        if (errno == EINTR) continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK) return Written::blocked;
        error_ = boost::system::error_code(errno, boost::system::system_category());
        return Written::failed;
    }
    return Written::done;
}

Awaitable<bool> Stream::write(Pieces pieces) {
    for (;;) {
        const Written written = try_write(pieces);
        if (written == Written::done) co_return true;
        if (written == Written::failed) co_return false;
        co_await socket_.async_wait(Socket::wait_write, asio::redirect_error(use_awaitable, error_));
        if (error_) co_return false;
    }
}

void Stream::look_for_peer() noexcept {
    char byte = 0;
    const ssize_t n = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))) return;
    peer_gone_ = true;
    dependent_->close();
    dependent_ = nullptr;
}

bool Stream::is_stale() noexcept {
    char byte = 0;
    const ssize_t n = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return !(n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK));
}

}  // namespace oai::net
