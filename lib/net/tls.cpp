#include "net/tls.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <new>
#include <string_view>
#include <unistd.h>
#include <utility>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "net/tls_session.hpp"

namespace oai::net {

using core::Code;
using core::Error;
using core::Result;

namespace {

/// The one protocol both sides speak, as ALPN writes a list.
constexpr std::string_view kAlpn = "\x08http/1.1";

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

std::unique_ptr<SSL_CTX, FreeTls> new_context(const SSL_METHOD* method) {
    std::unique_ptr<SSL_CTX, FreeTls> context(SSL_CTX_new(method));
    if (!context) throw std::bad_alloc();
    SSL_CTX* const raw = context.get();
    SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
    SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    // Partial writes and moving buffers: a write goes on where the socket stopped it, from bytes that were gathered
    // anew. Released buffers: an idle connection holds no 32 KB of them.
    SSL_CTX_set_mode(raw,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    // One system call for a record's head and body instead of two.
    SSL_CTX_set_read_ahead(raw, 1);
    return context;
}

/// OpenSSL's first word about what went wrong.
std::string reason() {
    const unsigned long code = ERR_get_error();
    ERR_clear_error();
    if (ERR_SYSTEM_ERROR(code)) return std::strerror(ERR_GET_REASON(code));
    const char* const text = ERR_reason_error_string(code);
    return text == nullptr ? "it cannot be used" : text;
}

Error bad_file(const std::string& file, const std::string& what) {
    return Error{.code = Code::invalid_argument, .detail = file + ": " + what};
}

/// Asked first: OpenSSL's words for a file that is not there are about its own source.
Result<void> check_readable(const std::string& file) {
    if (::access(file.c_str(), R_OK) == 0) return {};
    return bad_file(file, std::strerror(errno));
}

int select_alpn(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                unsigned int offered_size, void*) {
    unsigned char* found = nullptr;
    const int result = SSL_select_next_proto(&found, size, bytes_of(kAlpn), static_cast<unsigned int>(kAlpn.size()),
                                             offered, offered_size);
    *chosen = found;
    // A client that speaks HTTP/2 alone is told so here rather than by an answer it cannot read.
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/// A key with a passphrase is refused instead of asked for on the terminal.
int no_passphrase(char*, int, int, void*) {
    return -1;
}

struct FreePem {
    void operator()(BIO* file) const noexcept { BIO_free(file); }
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};

std::unique_ptr<EVP_PKEY, FreePem> read_key(const std::string& file) {
    const std::unique_ptr<BIO, FreePem> bio(BIO_new_file(file.c_str(), "r"));
    if (!bio) return nullptr;
    return std::unique_ptr<EVP_PKEY, FreePem>(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
}

}  // namespace

void FreeTls::operator()(SSL_CTX* context) const noexcept {
    SSL_CTX_free(context);
}

void FreeTls::operator()(SSL_SESSION* session) const noexcept {
    SSL_SESSION_free(session);
}

TlsClientContext::TlsClientContext(bool verify) : verify_(verify), context_(new_context(TLS_client_method())) {
    static std::atomic<std::uint64_t> made{0};
    id_ = ++made;
    SSL_CTX_set_verify(context_.get(), verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_alpn_protos(context_.get(), bytes_of(kAlpn), static_cast<unsigned int>(kAlpn.size()));
    SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context_.get(), &TlsSession::keep_session);
}

Result<std::shared_ptr<const TlsClientContext>> TlsClientContext::make(const TlsClientOptions& options) {
    std::shared_ptr<const TlsClientContext> made(new TlsClientContext(options.verify));
    SSL_CTX* const context = made->context_.get();
    if (options.ca_file.empty()) {
        SSL_CTX_set_default_verify_paths(context);
        return made;
    }
    if (Result<void> readable = check_readable(options.ca_file); !readable) return readable.error();
    if (SSL_CTX_load_verify_file(context, options.ca_file.c_str()) != 1)
        return bad_file(options.ca_file, "holds no certificates in PEM: " + reason());
    return made;
}

const std::shared_ptr<const TlsClientContext>& TlsClientContext::system() {
    static const std::shared_ptr<const TlsClientContext> context = *make({});
    return context;
}

// The cache holds copies of its own: into a session that a connection uses OpenSSL writes, on that connection's thread.
void TlsClientContext::remember(const std::string& host, Session session) const {
    const std::lock_guard lock(mutex_);
    if (sessions_.size() >= kMostSessions && !sessions_.contains(host)) sessions_.clear();
    sessions_[host] = std::move(session);
}

TlsClientContext::Session TlsClientContext::recall(const std::string& host) const {
    const std::lock_guard lock(mutex_);
    const auto found = sessions_.find(host);
    return Session(found == sessions_.end() ? nullptr : SSL_SESSION_dup(found->second.get()));
}

TlsServerContext::TlsServerContext() : context_(new_context(TLS_server_method())) {
    SSL_CTX_set_alpn_select_cb(context_.get(), &select_alpn, nullptr);
    // What a session needs is in its ticket, at the client.
    SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_OFF);
}

Result<std::shared_ptr<const TlsServerContext>> TlsServerContext::make(const std::string& certificate_file,
                                                                       const std::string& key_file) {
    std::shared_ptr<const TlsServerContext> made(new TlsServerContext());
    SSL_CTX* const context = made->context_.get();
    for (const std::string& file : {certificate_file, key_file}) {
        if (Result<void> readable = check_readable(file); !readable) return readable.error();
    }
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) != 1)
        return bad_file(certificate_file, "holds no certificate in PEM that can be used: " + reason());
    const auto key = read_key(key_file);
    if (!key) return bad_file(key_file, "holds no key in PEM, or one with a passphrase: " + reason());
    if (X509_check_private_key(SSL_CTX_get0_certificate(context), key.get()) != 1) {
        ERR_clear_error();
        return bad_file(key_file, "this is not the key of the certificate in " + certificate_file);
    }
    if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) return bad_file(key_file, reason());
    return made;
}

}  // namespace oai::net
