#include "net/tls_session.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <string_view>
#include <sys/socket.h>
#include <utility>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace oai::net {
namespace {

/// What a record holds at most.
constexpr std::size_t kRecord = 16 * 1024;

// The base class has a protected destructor, and nobody deletes a category.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"

/// OpenSSL's own errors, by their packed code.
class OpenSslCategory final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "tls"; }
    std::string message(int code) const override {
        const char* const text = ERR_reason_error_string(static_cast<unsigned long>(static_cast<unsigned int>(code)));
        return std::string("TLS: ") + (text == nullptr ? "failed" : text);
    }
};

/// Why a certificate was not believed.
class VerifyCategory final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "certificate"; }
    std::string message(int code) const override {
        return std::string("the certificate is not to be trusted: ") + X509_verify_cert_error_string(code);
    }
};

#pragma GCC diagnostic pop

const OpenSslCategory openssl_category;
const VerifyCategory verify_category;

/// The bytes of the next record: those of the first piece when it fills one, else pieces gathered until they do.
std::string_view next_record(const Pieces& pieces, std::array<char, kRecord>& gathered) {
    const std::span<const std::string_view> rest = pieces.rest();
    if (rest.size() == 1 || rest.front().size() >= kRecord) return rest.front().substr(0, kRecord);
    std::size_t size = 0;
    for (const std::string_view piece : rest) size += piece.copy(gathered.data() + size, kRecord - size);
    return {gathered.data(), size};
}

void expect_host(SSL* ssl, const std::string& host, bool is_address) {
    if (is_address) {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str());
        return;
    }
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    SSL_set1_host(ssl, host.c_str());
}

bool is_address(const std::string& host) {
    ASN1_OCTET_STRING* const bytes = a2i_IPADDRESS(host.c_str());
    ASN1_OCTET_STRING_free(bytes);
    return bytes != nullptr;
}

}  // namespace

void TlsSession::FreeSsl::operator()(SSL* ssl) const noexcept {
    SSL_free(ssl);
}

TlsSession::TlsSession(std::shared_ptr<const TlsClientContext> context, std::string host, int socket)
    : client_(std::move(context)), host_(std::move(host)), ssl_(SSL_new(client_->context_.get())), socket_(socket) {
    if (!ssl_ || SSL_set_fd(ssl_.get(), socket) != 1) throw std::bad_alloc();
    SSL_set_connect_state(ssl_.get());
    SSL_set_app_data(ssl_.get(), this);
    const bool address = is_address(host_);
    if (!address) SSL_set_tlsext_host_name(ssl_.get(), host_.c_str());  // an address is no server name (RFC 6066)
    if (client_->verify_) expect_host(ssl_.get(), host_, address);
    if (const TlsClientContext::Session session = client_->recall(host_); session)
        SSL_set_session(ssl_.get(), session.get());
    ERR_clear_error();
}

TlsSession::TlsSession(const std::shared_ptr<const TlsServerContext>& context, int socket)
    : ssl_(SSL_new(context->context_.get())), socket_(socket) {
    if (!ssl_ || SSL_set_fd(ssl_.get(), socket) != 1) throw std::bad_alloc();
    SSL_set_accept_state(ssl_.get());
}

TlsSession::~TlsSession() = default;

int TlsSession::keep_session(SSL* ssl, SSL_SESSION* session) {
    const auto& self = *static_cast<TlsSession*>(SSL_get_app_data(ssl));
    self.client_->remember(self.host_, TlsClientContext::Session(SSL_SESSION_dup(session)));
    return 0;  // the connection's own stays its own
}

bool TlsSession::ready() noexcept {
    ERR_clear_error();  // what another connection left would be taken for this one's
    return usable_;
}

TlsSession::Step TlsSession::outcome(int result) noexcept {
    const int system_error = errno;
    switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_WANT_READ: return Step::wait_read;
        case SSL_ERROR_WANT_WRITE: return Step::wait_write;
        case SSL_ERROR_ZERO_RETURN: error_ = boost::asio::error::eof; return Step::failed;
        case SSL_ERROR_SYSCALL:
            error_ = boost::system::error_code(system_error == 0 ? ECONNRESET : system_error,
                                               boost::system::system_category());
            break;
        default: {
            const unsigned long last = ERR_peek_last_error();
            if (ERR_GET_LIB(last) == ERR_LIB_SSL && ERR_GET_REASON(last) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
                const long why = SSL_get_verify_result(ssl_.get());
                error_ = boost::system::error_code(static_cast<int>(why), verify_category);
            } else {
                error_ = boost::system::error_code(static_cast<int>(ERR_peek_error()), openssl_category);
            }
        }
    }
    usable_ = false;
    return Step::failed;
}

TlsSession::Step TlsSession::handshake() noexcept {
    if (!ready()) return Step::failed;
    const int result = SSL_do_handshake(ssl_.get());
    return result == 1 ? Step::done : outcome(result);
}

TlsSession::Step TlsSession::read(std::span<char> into, std::size_t& n) noexcept {
    if (!ready()) return Step::failed;
    const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &n);
    return result == 1 ? Step::done : outcome(result);
}

TlsSession::Step TlsSession::write(Pieces& pieces) noexcept {
    std::array<char, kRecord> gathered;
    while (!pieces.empty()) {
        if (!ready()) return Step::failed;
        const std::string_view record = next_record(pieces, gathered);
        std::size_t n = 0;
        const int result = SSL_write_ex(ssl_.get(), record.data(), record.size(), &n);
        half_written_ = result != 1;
        if (half_written_) return outcome(result);
        pieces.consume(n);
    }
    return Step::done;
}

TlsSession::Peer TlsSession::look() noexcept {
    if (!ready()) return Peer::gone;
    char byte = 0;
    if (SSL_has_pending(ssl_.get()) == 0) {
        // The usual, quiet case without a buffer for a record.
        const ssize_t n = ::recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return Peer::quiet;
    }
    std::size_t n = 0;
    const int result = SSL_peek_ex(ssl_.get(), &byte, 1, &n);
    if (result == 1) return Peer::spoke;
    // Tickets and new keys are between the two libraries: nobody spoke.
    return outcome(result) == Step::failed ? Peer::gone : Peer::quiet;
}

void TlsSession::send_end() noexcept {
    if (ready() && !half_written_ && SSL_is_init_finished(ssl_.get()) == 1) SSL_shutdown(ssl_.get());
    ERR_clear_error();
}

bool TlsSession::resumed() const noexcept {
    return SSL_session_reused(ssl_.get()) == 1;
}

}  // namespace oai::net
