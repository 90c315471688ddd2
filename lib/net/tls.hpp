#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "core/result.hpp"

struct ssl_ctx_st;
struct ssl_session_st;

namespace oai::net {

struct FreeTls {
    void operator()(ssl_ctx_st* context) const noexcept;
    void operator()(ssl_session_st* session) const noexcept;
};

/// How a client checks who answers.
struct TlsClientOptions {
    std::string ca_file = {};  ///< authorities to trust, PEM; empty: the system's
    bool verify = true;        ///< false: whoever answers is believed
};

/// What the connections of a client have in common: TLS 1.2 or newer, ALPN http/1.1, whom to trust, and the last
/// session of each host, so that the next handshake with it is short. Never changes, but for those sessions: new
/// settings are a new context. For any thread.
class TlsClientContext {
public:
    /// The error names the file and what is wrong with it.
    static core::Result<std::shared_ptr<const TlsClientContext>> make(const TlsClientOptions& options);
    /// The one with the default options, made when it is first asked for.
    static const std::shared_ptr<const TlsClientContext>& system();

    /// No other context of this process has it: a connection made under one is not used under another.
    std::uint64_t id() const noexcept { return id_; }

private:
    friend class TlsSession;
    using Session = std::unique_ptr<ssl_session_st, FreeTls>;
    static constexpr std::size_t kMostSessions = 256;

    explicit TlsClientContext(bool verify);
    void remember(const std::string& host, Session session) const;
    Session recall(const std::string& host) const;

    std::uint64_t id_;
    bool verify_;
    std::unique_ptr<ssl_ctx_st, FreeTls> context_;
    mutable std::mutex mutex_;
    mutable std::map<std::string, Session> sessions_;
};

/// What the connections of a server have in common: TLS 1.2 or newer, its certificate, ALPN http/1.1, session tickets.
/// Never changes: a renewed certificate is a new context. For any thread.
class TlsServerContext {
public:
    /// PEM files: the certificate with the chain up to its authority, and its key, without a passphrase. The error
    /// names the file and what is wrong with it.
    static core::Result<std::shared_ptr<const TlsServerContext>> make(const std::string& certificate_file,
                                                                      const std::string& key_file);

private:
    friend class TlsSession;
    TlsServerContext();

    std::unique_ptr<ssl_ctx_st, FreeTls> context_;
};

}  // namespace oai::net
