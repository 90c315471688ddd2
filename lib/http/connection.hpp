#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "http/chunked.hpp"
#include "http/head.hpp"
#include "net/buffer.hpp"
#include "net/stream.hpp"
#include "net/worker.hpp"

namespace oai::http {

struct PoolShelf;

/// A connection of either side, with the bytes that arrived and are not used yet.
struct Connection {
    Connection(net::Worker& worker, std::unique_ptr<net::Stream> connected);
    Connection(net::Worker& worker, net::Socket socket);

    /// Where an answer's head is read to: 4 KiB of fields that would not fit a coroutine frame, made once per
    /// connection.
    ResponseHead& response_head();

    /// Reads more behind what `in` holds: `co_await c.read_more()`, then `c.got(n)`. Two steps, so that a read costs no
    /// coroutine of its own.
    net::Stream::Read read_more() {
        if (in.empty()) in.release();
        return stream->read_some(in);
    }
    /// False when nothing was read: the end, a failure or a deadline; `stream` says which.
    bool got(std::size_t n) noexcept;

    std::unique_ptr<net::Stream> stream;
    net::Buffer in;
    net::Buffer head;  ///< a request's head stays here while its body is read into `in`
    HeadReader head_reader;
    core::TimePoint read_at{};   ///< when the last read returned: the one stamp of all it brought
    bool reused = false;         ///< from the pool: the other side may have closed it meanwhile
    PoolShelf* shelf = nullptr;  ///< of the pool that opened it: where it may be kept
    std::string scratch;         ///< for a head that is being written; keeps its memory
    std::string edit;            ///< for what is spliced into a body that is being written; keeps its memory
    core::TimePoint idle_since{};

private:
    std::unique_ptr<ResponseHead> response_head_;
};

/// Reads a request's head. False when the peer closed between two requests, or sent not a byte until the deadline,
/// which is no error. The views of `out` stay good until the next head is read: the bytes are kept in
/// `connection.head`, the body's first bytes are moved to `connection.in`. Errors: malformed_http, target_too_long,
/// head_too_large, request_timeout, and cancelled for a close in the middle.
net::Awaitable<core::Result<bool>> read_request_head(Connection& connection, RequestHead& out);

/// Reads the head of the answer to a `method` request, skipping interim ones. The views of `out` point into
/// `connection.in`: they are good until the body is read. Errors: upstream_malformed, upstream_timeout,
/// upstream_truncated; `retryable` when a reused connection turned out to be closed and not a byte came.
net::Awaitable<core::Result<void>> read_response_head(Connection& connection, std::string_view method,
                                                      ResponseHead& out);

/// Ends a connection so that its last answer arrives: closing with unread bytes would make the kernel reset it, and a
/// client that is still sending (a body that was refused, say) would lose the answer. Reads and drops for a moment,
/// bounded in time and bytes.
net::Awaitable<void> close_gently(Connection& connection);

/// Hands out a body piece by piece as it arrives, without its framing.
class BodyReader {
public:
    /// `from`: whose failure a cut body is. The connection's unread bytes begin with the body.
    BodyReader(Connection& connection, const Head& head, core::Source from) noexcept;

    /// The next piece, not empty, good until the next call; an empty one at the end. All payload that one read brought
    /// is one piece.
    net::Awaitable<core::Result<std::string_view>> next();
    /// Drops the last piece. After it, and when `done`, the connection stands at its next message.
    void finish() noexcept;

    bool done() const noexcept { return done_; }
    /// The last piece was empty because the stream's wake time came, not because the body is over.
    bool woken() const noexcept { return woken_; }
    std::uint64_t bytes() const noexcept { return bytes_; }

private:
    core::Result<bool> take();

    Connection& connection_;
    BodyFraming framing_;
    core::Source from_;
    std::uint64_t left_;
    std::uint64_t bytes_ = 0;
    ChunkedDecoder chunked_;
    std::size_t raw_ = 0;  ///< bytes of `in` the current piece covers, framing included
    std::string_view piece_;
    bool done_ = false;
    bool woken_ = false;
};

/// The whole of a body in one piece with readable padding behind it. When it already lies in the connection's buffer it
/// is not copied; otherwise it is gathered in `into`, sized from Content-Length. More than `limit` bytes:
/// payload_too_large for a request, upstream_malformed for a response. The view is good until the connection or `into`
/// is used again; call `finish_body` when done with it.
net::Awaitable<core::Result<std::string_view>> read_whole_body(Connection& connection, const Head& head,
                                                               core::Source from, std::size_t limit, net::Buffer& into);
/// Drops a body that `read_whole_body` left in the connection's buffer.
void finish_body(Connection& connection, std::string_view body) noexcept;

}  // namespace oai::http
