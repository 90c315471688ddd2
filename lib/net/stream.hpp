#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include <boost/asio/redirect_error.hpp>

#include "core/clock.hpp"
#include "net/types.hpp"

namespace oai::net {

class Worker;

/// What is to be written, as up to eight pieces that go out in one system call. Views: the bytes stay where they are.
class Pieces {
public:
    Pieces() = default;
    Pieces(std::initializer_list<std::string_view> pieces);  // NOLINT(google-explicit-constructor)

    void add(std::string_view piece) noexcept;
    bool empty() const noexcept { return first_ == count_; }
    std::size_t size() const noexcept;
    std::span<const std::string_view> rest() const noexcept { return {pieces_.data() + first_, count_ - first_}; }
    void consume(std::size_t n) noexcept;

private:
    static constexpr std::size_t kMost = 8;
    std::array<std::string_view, kMost> pieces_{};
    std::size_t first_ = 0;
    std::size_t count_ = 0;
};

/// A connected TCP socket of one worker, with one deadline for whatever is awaited on it.
///
/// Failures are states, not exceptions: a read of 0 bytes or a write that says `failed` leaves the reason in `error()`,
/// and `timed_out()` tells a deadline from the other side's close. Not movable: the worker keeps a list of its streams.
class Stream {
public:
    static constexpr core::TimePoint kNever = core::TimePoint::max();
    enum class Written { done, blocked, failed };

    Stream(Worker& worker, Socket socket);
    ~Stream();
    Stream(const Stream&) = delete;

    Worker& worker() noexcept { return worker_; }
    bool is_open() const noexcept { return socket_.is_open(); }
    void close() noexcept;
    /// Closes so that the other side sees a reset and loses what it has not read. For scripted failures.
    void reset() noexcept;
    /// Says that nothing more will be sent; the other side's bytes can still be read.
    void shutdown_send() noexcept;

    /// Until when the pending and the following operations may take. The worker's sweep closes what is late, up to 50
    /// ms after.
    void set_deadline(core::TimePoint at) noexcept { deadline_ = at; }
    bool timed_out() const noexcept { return timed_out_; }
    const boost::system::error_code& error() const noexcept { return error_; }

    /// Connects a socket that is open and not connected. False when it failed.
    Awaitable<bool> connect(TcpEndpoint endpoint);

    /// Bytes read, at least one; 0 at the end of the stream or on failure.
    Awaitable<std::size_t> read_some(std::span<char> into);
    /// Reads what is there without waiting; 0 when nothing is.
    std::size_t try_read(std::span<char> into) noexcept;

    /// Writes what the kernel takes now and drops it from `pieces`. This is the usual, whole way; `blocked` is the slow
    /// one.
    Written try_write(Pieces& pieces) noexcept;
    /// Writes all of it, waiting as often as needed. False when it failed.
    Awaitable<bool> write(Pieces pieces);

    /// The other side closed its half while nobody read (see PeerWatch).
    bool peer_gone() const noexcept { return peer_gone_; }

    /// A kept connection that the other side closed or wrote to while nobody asked. One system call.
    bool is_stale() noexcept;

private:
    friend class Worker;
    friend class PeerWatch;
    void expire() noexcept;
    void look_for_peer() noexcept;

    Worker& worker_;
    Socket socket_;
    core::TimePoint deadline_ = kNever;
    boost::system::error_code error_;
    bool timed_out_ = false;
    bool peer_gone_ = false;
    Stream* dependent_ = nullptr;  ///< closed when the peer has gone
    Stream* next_ = nullptr;
    Stream* previous_ = nullptr;
};

/// While it lives, a peer that leaves `watched` closes `dependent`, whose waiter then finds out. The worker's sweep
/// looks, a few times per second: a pending wait on every client's socket would cost a system call per request, this
/// costs nothing for a request that is answered before the next look.
class PeerWatch {
public:
    PeerWatch(Stream& watched, Stream& dependent) noexcept : watched_(watched) { watched_.dependent_ = &dependent; }
    ~PeerWatch() { watched_.dependent_ = nullptr; }
    PeerWatch(const PeerWatch&) = delete;

private:
    Stream& watched_;
};

}  // namespace oai::net
