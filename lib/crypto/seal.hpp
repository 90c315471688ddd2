#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "crypto/key_file.hpp"

namespace oai::crypto {

/// A key for one purpose, made from a key of ours: HMAC-SHA256 of `label`. What is hashed and what is sealed never
/// share a key, and a sub-key that leaks says nothing of the others.
Key derive_key(const Key& key, std::string_view label) noexcept;

/// Which key a text was sealed with: the first 16 hex digits of the SHA-256 of the key's 32 bytes. No secret.
std::string key_id_of(const Key& key);

/// Seals short secrets (upstream credentials, refresh tokens) for the store: AES-256-GCM with a random nonce, under a
/// sub-key of the current key. Older keys only open, so that keys can be changed while everything runs.
///
///   sealed   v1.<key id>.<hex of nonce, ciphertext and tag>
///
/// `context` says what the text is and whose ("account:llm/openai/a1:refresh_token"): it is not stored, and a sealed
/// text opens only in the context it was sealed in, so that no row can be put in another's place. Sealed texts never
/// repeat. Const use from several threads is safe; the keys are wiped on destruction.
class Sealer {
public:
    explicit Sealer(const Key& current, std::span<const Key> older = {});
    Sealer(Sealer&&) = default;
    Sealer& operator=(Sealer&&) = default;
    ~Sealer();

    /// Of the current key.
    const std::string& key_id() const noexcept { return keys_.front().id; }

    std::string seal(std::string_view text, std::string_view context) const;
    /// Errors, none of which repeats the text: parse_failed for what is no sealed text of ours; not_found when its key
    /// is not among these (the detail names the key's id); invalid_argument when it was changed or belongs to another
    /// context.
    core::Result<std::string> open(std::string_view sealed, std::string_view context) const;
    /// Whether another key than the current one sealed it: open it and seal it again. Also true for what is no sealed
    /// text.
    bool needs_resealing(std::string_view sealed) const noexcept;

private:
    struct NamedKey {
        std::string id;
        Key sub_key;
    };
    std::vector<NamedKey> keys_;  ///< the current one first
};

}  // namespace oai::crypto
