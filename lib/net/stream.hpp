#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/clock.hpp"
#include "net/buffer.hpp"
#include "net/pieces.hpp"
#include "net/tls.hpp"
#include "net/types.hpp"

namespace oai::net {

class ReadOperation;
class TlsSession;
class Worker;

/// A connected TCP socket of one worker, plain or with TLS after a handshake, with one deadline for whatever is awaited
/// on it.
///
/// Failures are states, not exceptions: a read of 0 bytes or a write that says `failed` leaves the reason in `error()`,
/// and `timed_out()` tells a deadline from the other side's close. `error()` is asio's eof for a clean end only: with
/// TLS that is the other side's word for it, so that nobody on the way can cut an answer and have it look whole.
/// Not movable: the worker keeps a list of its streams.
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
    /// Says that nothing more will be sent, and that this is a good end; the other side's bytes can still be read.
    void shutdown_send() noexcept;

    /// Until when the pending and the following operations may take. Up to 50 ms after it the worker's sweep ends the
    /// pending one, and every following one fails at once until there is a new deadline: a server that waited in vain
    /// can still say so.
    void set_deadline(core::TimePoint at) noexcept {
        deadline_ = at;
        late_ = false;
    }
    /// A deadline has passed on this stream, now or earlier. Nobody knows what of the last operation was done: it must
    /// not carry another exchange.
    bool timed_out() const noexcept { return timed_out_; }
    const boost::system::error_code& error() const noexcept { return error_; }

    /// Ends a pending read at that time without harm to the stream, up to 50 ms after: for a reader that has something
    /// to say now and then while it waits. `take_woken` tells such a read, once.
    void set_wake(core::TimePoint at) noexcept {
        wake_ = at;
        woken_ = false;
    }
    bool take_woken() noexcept { return std::exchange(woken_, false); }

    /// Connects a socket that is open and not connected. False when it failed.
    Awaitable<bool> connect(TcpEndpoint endpoint);

    /// From here on everything read and written is TLS. `host` is what the other side has to be: a name or an address.
    /// False when it failed: nothing but `close` makes sense then.
    Awaitable<bool> handshake_client(std::shared_ptr<const TlsClientContext> context, std::string host);
    Awaitable<bool> handshake_server(const std::shared_ptr<const TlsServerContext>& context);
    /// The handshake went on from an earlier session with the same host.
    bool tls_resumed() const noexcept;

    class Read;
    /// Bytes read, at least one; 0 at the end of the stream or on failure. To be awaited at once: it is no coroutine,
    /// and begins when it is awaited.
    Read read_some(std::span<char> into) noexcept;
    /// The same behind what `into` holds; to be committed there. Memory is taken when there is something to read: a
    /// stream that waits with an empty buffer needs none, and what many streams read one after the other goes through
    /// the same few blocks, which stay in the cache.
    Read read_some(Buffer& into) noexcept;
    /// Who reads waits for the end, which may come with the last bytes: it is looked for at once, at the price of a
    /// system call per read. Otherwise such an end is noticed within 150 ms.
    void expect_end() noexcept { expects_end_ = true; }
    /// Reads what is there without waiting; 0 when nothing is.
    std::size_t try_read(std::span<char> into) noexcept;

    class Write;
    /// Writes all of it, and says whether it did. To be awaited at once: it is no coroutine, and suspends nobody when
    /// the kernel takes all at once, which it does nearly always. In the io_uring build it always waits for its turn.
    Write write(const Pieces& pieces) noexcept;
    /// The same with a deadline of its own, if it has to wait; there is none afterwards. 0: as long as it takes.
    Write write(const Pieces& pieces, std::chrono::nanoseconds patience) noexcept;
    /// Writes what the kernel takes now and drops it from `pieces`.
    Written try_write(Pieces& pieces) noexcept;

    /// The other side closed its half while nobody read (see PeerWatch and look_for_peer).
    bool peer_gone() const noexcept { return peer_gone_; }
    /// Looks now, for a waiter that has no other stream to be closed. One system call; the bytes stay. As for
    /// `is_stale`, no TLS read may be pending.
    bool look_for_peer() noexcept;

    /// A kept connection that the other side closed or wrote to while nobody asked. One system call. TLS: not while a
    /// read is pending, and neither is PeerWatch.
    bool is_stale() noexcept;

private:
    friend class Worker;
    friend class PeerWatch;
    friend class ReadOperation;
    void expire() noexcept;
    void look_for_end() noexcept;
    void wake() noexcept;
    bool refuse_late() noexcept;
    Awaitable<bool> handshake();
    void begin(Read& read, Suspension& reader);
    bool is_batched(const Write& write) const noexcept;
    void enqueue(Write& write, Suspension& writer);
    void begin_patience(const Write& write) noexcept;
    Awaitable<std::size_t> read_tls_or_late(std::span<char> into);
    Written try_write_tls_or_late(Pieces& pieces) noexcept;
    Awaitable<bool> write_rest(Write& write);

    Worker& worker_;
    Socket socket_;
    core::TimePoint deadline_ = kNever;
    core::TimePoint wake_ = kNever;
    bool woken_ = false;
    boost::system::error_code error_;
    std::unique_ptr<TlsSession> tls_;   ///< null: plain
    ReadOperation* reading_ = nullptr;  ///< for a plain socket; it may outlive the stream
    unsigned reads_at_once_ = 0;
    bool late_ = false;  ///< the deadline has passed, and no new one was set
    bool timed_out_ = false;
    bool read_ended_ = false;  ///< a plain socket's read found the end or a failure: there will be nothing more
    bool peer_gone_ = false;
    bool expects_end_ = false;
    bool short_read_ = false;      ///< the last read brought less than there was room for
    bool silent_ = false;          ///< and the sweep has been here since
    bool awaits_read_ = false;     ///< a TLS write that cannot go on before something is read
    Stream* dependent_ = nullptr;  ///< closed when the peer has gone
    Stream* next_ = nullptr;
    Stream* previous_ = nullptr;
};

/// One read, in the frame that awaits it.
class [[nodiscard]] Stream::Read {
public:
    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> reader) {
        stream_.begin(*this, reader.promise());
        return slow_ ? slow_->await_suspend(reader) : true;
    }
    std::size_t await_resume() { return slow_ ? slow_->await_resume() : bytes_; }

private:
    friend class Stream;
    friend class ReadOperation;
    Read(Stream& stream, std::span<char> into, Buffer* buffer) noexcept
        : stream_(stream), into_(into), buffer_(buffer) {}
    std::span<char> memory() {
        if (buffer_ == nullptr) return into_;
        if (buffer_->writable().empty()) buffer_->reserve(buffer_->size() + 1);
        return buffer_->writable();
    }

    Stream& stream_;
    std::span<char> into_;
    Buffer* buffer_;
    std::size_t bytes_ = 0;
    std::optional<Awaitable<std::size_t>> slow_;  ///< for what a plain socket does not need
};

inline Stream::Read Stream::read_some(std::span<char> into) noexcept {
    return Read(*this, into, nullptr);
}

inline Stream::Read Stream::read_some(Buffer& into) noexcept {
    return Read(*this, {}, &into);
}

/// One write, in the frame that awaits it.
class [[nodiscard]] Stream::Write {
public:
    bool await_ready() noexcept {
        if (stream_.is_batched(*this)) return false;
        written_ = stream_.try_write(pieces_);
        return written_ != Written::blocked;
    }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> writer) {
        if (stream_.is_batched(*this)) {
            stream_.enqueue(*this, writer.promise());
            return true;
        }
        rest_.emplace(stream_.write_rest(*this));
        return rest_->await_suspend(writer);
    }
    bool await_resume() { return rest_ ? rest_->await_resume() : written_ == Written::done; }

private:
    friend class Stream;
    Write(Stream& stream, const Pieces& pieces, std::optional<std::chrono::nanoseconds> patience) noexcept
        : stream_(stream), pieces_(pieces), patience_(patience) {}

    Stream& stream_;
    Pieces pieces_;
    std::optional<std::chrono::nanoseconds> patience_;
    Written written_ = Written::blocked;
    std::optional<Awaitable<bool>> rest_;  ///< for what could not be written at once
};

/// Not with TLS, which writes by itself, and not what fails at once.
inline bool Stream::is_batched(const Write& write) const noexcept {
    return kBatchesCalls && !tls_ && !late_ && !write.pieces_.empty();
}

inline Stream::Write Stream::write(const Pieces& pieces) noexcept {
    return Write(*this, pieces, std::nullopt);
}

inline Stream::Write Stream::write(const Pieces& pieces, std::chrono::nanoseconds patience) noexcept {
    return Write(*this, pieces, patience);
}

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
