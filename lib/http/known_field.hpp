#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace oai::http {

/// The names of known_fields.def, as numbers: told apart once, when a head is read, and never compared again.
enum class KnownField : std::uint8_t {
#define OAI_FIELD(id, name) id,
#include "http/known_fields.def"
    other,  ///< any other name
};
inline constexpr std::size_t kKnownFields = static_cast<std::size_t>(KnownField::other);

/// Case-insensitive and exact, for any bytes.
KnownField known_field(std::string_view name) noexcept;

/// Some of the known fields.
class FieldSet {
public:
    constexpr FieldSet() noexcept = default;
    constexpr FieldSet(std::initializer_list<KnownField> fields) noexcept {
        for (const KnownField field : fields) add(field);
    }
    constexpr bool has(KnownField field) const noexcept { return (bits_ & bit(field)) != 0; }
    constexpr void add(KnownField field) noexcept { bits_ |= bit(field); }
    friend constexpr FieldSet operator|(FieldSet a, FieldSet b) noexcept {
        a.bits_ |= b.bits_;
        return a;
    }

private:
    static_assert(kKnownFields < 64, "one bit for each, and one for `other`");
    static constexpr std::uint64_t bit(KnownField field) noexcept {
        return std::uint64_t{1} << static_cast<unsigned>(field);
    }
    std::uint64_t bits_ = 0;
};

/// Fields that end at each hop and are never forwarded (RFC 9110 7.6.1). The ones that Connection lists come on top.
inline constexpr FieldSet kHopByHop = {
    KnownField::connection,
    KnownField::http2_settings,
    KnownField::keep_alive,
    KnownField::proxy_authenticate,
    KnownField::proxy_authorization,
    KnownField::proxy_connection,
    KnownField::te,
    KnownField::trailer,
    KnownField::trailers,
    KnownField::transfer_encoding,
    KnownField::upgrade,
};

}  // namespace oai::http
