#include "crypto/seal.hpp"

#include <algorithm>
#include <memory>
#include <stdexcept>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "core/ids.hpp"
#include "crypto/hash.hpp"
#include "crypto/keyed_hash.hpp"
#include "crypto/random.hpp"

namespace oai::crypto {
namespace {

using core::Code;
using core::Error;
using core::Result;

constexpr std::string_view kFormat = "v1.";
constexpr std::size_t kIdDigits = 16;
constexpr std::size_t kPrefix = kFormat.size() + kIdDigits + 1;
/// Random 96-bit nonces are good for 2^32 texts under one key (NIST SP 800-38D); we seal a few per account and hour.
constexpr std::size_t kNonce = 12;
constexpr std::size_t kTag = 16;

struct FreeContext {
    void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const unsigned char* bytes_of(std::string_view text) noexcept {
    return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) noexcept {
    return reinterpret_cast<unsigned char*>(text.data());
}

/// Without memory or without AES there is nothing to go on with; neither happens on a machine that works.
void require(int done) {
    if (done != 1) throw std::runtime_error("OpenSSL cannot do AES-256-GCM here");
}

std::string encrypt(const Key& key, const std::string& nonce, std::string_view text, std::string_view context) {
    const Context cipher(EVP_CIPHER_CTX_new());
    std::string out(text.size() + kTag, '\0');
    int length = 0;
    require(EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.data(), bytes_of(nonce)));
    require(EVP_EncryptUpdate(cipher.get(), nullptr, &length, bytes_of(context), static_cast<int>(context.size())));
    require(EVP_EncryptUpdate(cipher.get(), bytes_of(out), &length, bytes_of(text), static_cast<int>(text.size())));
    require(EVP_EncryptFinal_ex(cipher.get(), bytes_of(out) + length, &length));
    require(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTag, bytes_of(out) + text.size()));
    return out;
}

/// False when the tag does not fit.
bool decrypt(const Key& key, std::string_view nonce, std::string_view sealed, std::string_view context,
             std::string& text) {
    const Context cipher(EVP_CIPHER_CTX_new());
    const std::string_view body = sealed.substr(0, sealed.size() - kTag);
    std::string tag(sealed.substr(body.size()));
    text.resize(body.size());
    int length = 0;
    require(EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.data(), bytes_of(nonce)));
    require(EVP_DecryptUpdate(cipher.get(), nullptr, &length, bytes_of(context), static_cast<int>(context.size())));
    require(EVP_DecryptUpdate(cipher.get(), bytes_of(text), &length, bytes_of(body), static_cast<int>(body.size())));
    require(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTag, tag.data()));
    return EVP_DecryptFinal_ex(cipher.get(), bytes_of(text) + length, &length) == 1;
}

bool has_our_form(std::string_view sealed) noexcept {
    return sealed.size() >= kPrefix && sealed.starts_with(kFormat) && sealed[kPrefix - 1] == '.';
}

std::string_view id_in(std::string_view sealed) noexcept {
    return sealed.substr(kFormat.size(), kIdDigits);
}

}  // namespace

Key derive_key(const Key& key, std::string_view label) noexcept {
    return KeyedHash(as_bytes(key)).digest(label);
}

std::string key_id_of(const Key& key) {
    return sha256_hex(as_bytes(key)).substr(0, kIdDigits);
}

Sealer::Sealer(const Key& current, std::span<const Key> older) {
    constexpr std::string_view kLabel = "oaigw sealing v1";
    keys_.reserve(1 + older.size());  // a vector that grows would leave copies of keys behind
    keys_.push_back({key_id_of(current), derive_key(current, kLabel)});
    for (const Key& key : older) keys_.push_back({key_id_of(key), derive_key(key, kLabel)});
}

Sealer::~Sealer() {
    for (NamedKey& key : keys_) OPENSSL_cleanse(key.sub_key.data(), key.sub_key.size());
}

std::string Sealer::seal(std::string_view text, std::string_view context) const {
    const std::string nonce = random_bytes(kNonce);
    const std::string body = encrypt(keys_.front().sub_key, nonce, text, context);
    return std::string(kFormat) + key_id() + "." + core::to_hex(nonce + body);
}

Result<std::string> Sealer::open(std::string_view sealed, std::string_view context) const {
    const std::string bytes = has_our_form(sealed) ? core::from_hex(sealed.substr(kPrefix)) : std::string();
    if (bytes.size() < kNonce + kTag)
        return Error{.code = Code::parse_failed,
                     .detail = std::string(context) + ": this is not a sealed text of ours"};
    const auto key = std::find_if(keys_.begin(), keys_.end(),
                                  [id = id_in(sealed)](const NamedKey& candidate) { return candidate.id == id; });
    if (key == keys_.end())
        return Error{.code = Code::not_found,
                     .detail = std::string(context) + ": sealed with the encryption key of id " +
                               std::string(id_in(sealed)) + ", and that key is missing here; the current one is " +
                               key_id()};
    std::string text;
    const std::string_view all = bytes;
    if (!decrypt(key->sub_key, all.substr(0, kNonce), all.substr(kNonce), context, text))
        return Error{.code = Code::invalid_argument,
                     .detail = std::string(context) + ": the sealed text was changed, or it belongs to another place"};
    return text;
}

bool Sealer::needs_resealing(std::string_view sealed) const noexcept {
    return !has_our_form(sealed) || id_in(sealed) != key_id();
}

}  // namespace oai::crypto
