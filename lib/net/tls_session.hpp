#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include <boost/asio/error.hpp>

#include "net/pieces.hpp"
#include "net/tls.hpp"

struct ssl_st;

namespace oai::net {

/// The TLS of one connection, over its non-blocking socket. It never waits: what cannot go on says what the socket must
/// become ready for, and is then called again. Stream is the coroutine around it.
class TlsSession {
public:
    enum class Step { done, wait_read, wait_write, failed };
    enum class Peer { quiet, spoke, gone };

    /// The client's side. `host` is what the certificate has to name: a DNS name or an address.
    TlsSession(std::shared_ptr<const TlsClientContext> context, std::string host, int socket);
    /// The server's side.
    TlsSession(const std::shared_ptr<const TlsServerContext>& context, int socket);
    ~TlsSession();
    TlsSession(const TlsSession&) = delete;

    Step handshake() noexcept;
    /// done: `into` has got `n` bytes, at least one and at most a record.
    Step read(std::span<char> into, std::size_t& n) noexcept;
    /// Small pieces are gathered: each record costs 22 bytes on the wire and its own encryption. What was written is
    /// dropped from `pieces`; after a wait it must be called with the same ones.
    Step write(Pieces& pieces) noexcept;
    /// Whether the other side sent anything that counts, or left. Only while nobody reads: it takes in what there is.
    Peer look() noexcept;
    /// Tells the other side that this is a good end. Not after half a write: what follows would be garbage.
    void send_end() noexcept;
    /// The socket is closed: its number may soon be another's.
    void detach() noexcept { usable_ = false; }

    /// Of the last `failed`: asio's eof when the other side said that it ends, and only then; a certificate that was
    /// not believed says why.
    const boost::system::error_code& error() const noexcept { return error_; }
    /// The handshake was a short one, from an earlier session.
    bool resumed() const noexcept;

private:
    struct FreeSsl {
        void operator()(ssl_st* ssl) const noexcept;
    };
    static int keep_session(ssl_st* ssl, ssl_session_st* session);
    bool ready() noexcept;
    Step outcome(int result) noexcept;

    std::shared_ptr<const TlsClientContext> client_;  ///< null on the server's side
    std::string host_;
    std::unique_ptr<ssl_st, FreeSsl> ssl_;
    int socket_;
    bool usable_ = true;
    bool half_written_ = false;
    boost::system::error_code error_;

    friend class TlsClientContext;
};

}  // namespace oai::net
