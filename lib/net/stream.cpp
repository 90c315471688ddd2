#include "net/stream.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <sys/socket.h>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>

#include "net/stream_read.hpp"
#include "net/tls_session.hpp"
#include "net/worker.hpp"

namespace oai::net {

namespace asio = boost::asio;

Stream::Stream(Worker& worker, Socket socket) : worker_(worker), socket_(std::move(socket)) {
    boost::system::error_code ignored;
    // Once per socket: per operation it would be an ioctl each time.
    socket_.non_blocking(true, ignored);
    // Nagle and delayed ACK together hold an event for up to 40 ms (HAProxy without http-no-delay: 200 ms).
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
#if OAI_OWN_READ
    reading_ = new ReadOperation(*this);
#endif
    worker_.enlist(*this);
}

Stream::~Stream() {
    worker_.delist(*this);
#if OAI_OWN_READ
    reading_->abandon();
#endif
}

void Stream::look_for_end() noexcept {
#if OAI_OWN_READ
    if (!reading_->pending()) return;           // the one that comes may find the end, and still has to be looked for
    if (!std::exchange(silent_, true)) return;  // it may have been read a moment ago
    short_read_ = false;
    reading_->look_for_end();
#endif
}

void Stream::close() noexcept {
    if (tls_) tls_->detach();
    boost::system::error_code ignored;
    socket_.close(ignored);
}

void Stream::reset() noexcept {
    boost::system::error_code ignored;
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    close();
}

void Stream::shutdown_send() noexcept {
    if (tls_) tls_->send_end();
    boost::system::error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
}

void Stream::expire() noexcept {
    late_ = timed_out_ = true;
    deadline_ = kNever;
    boost::system::error_code ignored;
    socket_.cancel(ignored);
}

bool Stream::refuse_late() noexcept {
    if (late_) error_ = asio::error::timed_out;
    return late_;
}

void Stream::wake() noexcept {
    woken_ = true;
    wake_ = kNever;
    boost::system::error_code ignored;
    socket_.cancel(ignored);
}

Awaitable<bool> Stream::connect(TcpEndpoint endpoint) {
    if (!socket_.is_open()) {
        // Closed at birth by a worker that stops. Asio would open it again by itself, and nobody would close it then.
        error_ = asio::error::operation_aborted;
        co_return false;
    }
    co_await socket_.async_connect(endpoint, use_awaitable(error_));
    co_return !error_;
}

Awaitable<bool> Stream::handshake_client(std::shared_ptr<const TlsClientContext> context, std::string host) {
    tls_ = std::make_unique<TlsSession>(std::move(context), std::move(host), socket_.native_handle());
    return handshake();
}

Awaitable<bool> Stream::handshake_server(const std::shared_ptr<const TlsServerContext>& context) {
    tls_ = std::make_unique<TlsSession>(context, socket_.native_handle());
    return handshake();
}

bool Stream::tls_resumed() const noexcept {
    return tls_ && tls_->resumed();
}

namespace {

Socket::wait_type readiness(TlsSession::Step step) noexcept {
    return step == TlsSession::Step::wait_write ? Socket::wait_write : Socket::wait_read;
}

}  // namespace

Awaitable<bool> Stream::handshake() {
    for (;;) {
        if (refuse_late()) co_return false;
        const TlsSession::Step step = tls_->handshake();
        if (step == TlsSession::Step::done) co_return true;
        if (step == TlsSession::Step::failed) {
            error_ = tls_->error();
            co_return false;
        }
        co_await socket_.async_wait(readiness(step), use_awaitable(error_));
        if (error_) co_return false;
    }
}

void Stream::begin(Read& read, Suspension& reader) {
    // A plain socket tells of its end, or of its failure, once: a second read would wait for ever.
    if (tls_ || late_ || read_ended_) [[unlikely]] {
        read.slow_.emplace(read_tls_or_late(read.memory()));
        return;
    }
#if OAI_OWN_READ
    reading_->start(read, reader);
#else
    struct Done {
        using allocator_type = FrameAllocator<void>;
        allocator_type get_allocator() const noexcept { return {}; }
        void operator()(const boost::system::error_code& error, std::size_t bytes) {
            stream.error_ = error;
            stream.read_ended_ = error && error != asio::error::operation_aborted;
            read.bytes_ = bytes;
            resumption();
        }
        Stream& stream;
        Read& read;
        Resumption resumption;
    };
    const std::span<char> into = read.memory();
    socket_.async_read_some(asio::buffer(into.data(), into.size()), Done{*this, read, Resumption(reader)});
#endif
}

Awaitable<std::size_t> Stream::read_tls_or_late(std::span<char> into) {
    // Reads that never wait would keep every other session, and the sweep, from their turn.
    constexpr unsigned kTurn = 16;
    for (;;) {
        if (refuse_late()) co_return 0;
        if (!tls_) co_return 0;
        // OpenSSL may hold bytes while the socket has none: it is asked first, then the socket is waited for.
        std::size_t n = 0;
        const TlsSession::Step step = tls_->read(into, n);
        if (step == TlsSession::Step::failed) {
            error_ = tls_->error();
            co_return 0;
        }
        if (step == TlsSession::Step::done) {
            error_ = {};
            if (++reads_at_once_ % kTurn == 0) co_await asio::post(socket_.get_executor(), use_awaitable);
            co_return n;
        }
        co_await socket_.async_wait(readiness(step), use_awaitable(error_));
        if (error_) co_return 0;
    }
}

std::size_t Stream::try_read(std::span<char> into) noexcept {
    if (tls_) {
        std::size_t read = 0;
        return tls_->read(into, read) == TlsSession::Step::done ? read : 0;
    }
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
    if (tls_ || late_) [[unlikely]]
        return try_write_tls_or_late(pieces);
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

Stream::Written Stream::try_write_tls_or_late(Pieces& pieces) noexcept {
    if (refuse_late()) return Written::failed;
    const TlsSession::Step step = tls_->write(pieces);
    awaits_read_ = step == TlsSession::Step::wait_read;
    switch (step) {
        case TlsSession::Step::done: return Written::done;
        case TlsSession::Step::failed: error_ = tls_->error(); return Written::failed;
        default: return Written::blocked;
    }
}

void Stream::begin_patience(const Write& write) noexcept {
    if (write.patience_) set_deadline(write.patience_->count() == 0 ? kNever : worker_.coarse_now() + *write.patience_);
}

Awaitable<bool> Stream::write_rest(Write& write) {
    begin_patience(write);
    Written written = Written::blocked;
    while (written == Written::blocked) {
        co_await socket_.async_wait(awaits_read_ ? Socket::wait_read : Socket::wait_write, use_awaitable(error_));
        written = error_ ? Written::failed : try_write(write.pieces_);
    }
    if (write.patience_) set_deadline(kNever);
    co_return written == Written::done;
}

namespace {

/// Pieces as Asio takes them.
struct Buffers {
    using value_type = asio::const_buffer;
    using const_iterator = const asio::const_buffer*;

    explicit Buffers(const Pieces& pieces) noexcept {
        for (const std::string_view piece : pieces.rest()) all[count++] = asio::buffer(piece.data(), piece.size());
    }
    const_iterator begin() const noexcept { return all.data(); }
    const_iterator end() const noexcept { return all.data() + count; }

    std::array<asio::const_buffer, Pieces::kMost> all;
    std::size_t count = 0;
};

}  // namespace

void Stream::enqueue(Write& write, Suspension& writer) {
    struct Done {
        using allocator_type = FrameAllocator<void>;
        allocator_type get_allocator() const noexcept { return {}; }
        void operator()(const boost::system::error_code& error, std::size_t bytes) {
            write.pieces_.consume(bytes);
            if (!error && !write.pieces_.empty() && !stream.late_)
                return stream.socket_.async_write_some(Buffers(write.pieces_), std::move(*this));
            stream.error_ = error;
            stream.refuse_late();
            write.written_ = write.pieces_.empty() ? Written::done : Written::failed;
            if (write.patience_) stream.set_deadline(kNever);
            resumption();
        }
        Stream& stream;
        Write& write;
        Resumption resumption;
    };
    begin_patience(write);
    socket_.async_write_some(Buffers(write.pieces_), Done{*this, write, Resumption(writer)});
}

namespace {

/// What has arrived on a plain socket while nobody reads.
TlsSession::Peer look_at(int socket) noexcept {
    char byte = 0;
    const ssize_t n = ::recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n > 0) return TlsSession::Peer::spoke;
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) ? TlsSession::Peer::quiet
                                                                                : TlsSession::Peer::gone;
}

}  // namespace

bool Stream::look_for_peer() noexcept {
    const TlsSession::Peer peer = tls_ ? tls_->look() : look_at(socket_.native_handle());
    if (peer != TlsSession::Peer::gone) return peer_gone_;
    peer_gone_ = true;
    if (dependent_ != nullptr) std::exchange(dependent_, nullptr)->close();
    return true;
}

bool Stream::is_stale() noexcept {
    const TlsSession::Peer peer = tls_ ? tls_->look() : look_at(socket_.native_handle());
    return peer != TlsSession::Peer::quiet;
}

}  // namespace oai::net
