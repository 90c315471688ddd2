#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace oai::core {

/// Request ids: unique over processes and restarts, cheap to make, of no meaning. Not secret: see crypto/random for
/// that. One per worker; not for several threads at once.
class IdSource {
public:
    IdSource();  ///< seeded by the system
    explicit IdSource(std::uint64_t seed) noexcept : state_(seed) {}

    std::uint64_t next() noexcept;  ///< splitmix64: every value once in 2^64

private:
    std::uint64_t state_;
};

/// "req_" and 24 hex digits, without allocating.
class RequestId {
public:
    RequestId() = default;
    explicit RequestId(IdSource& source) noexcept;
    std::string_view view() const noexcept { return {text_.data(), text_.size()}; }

private:
    std::array<char, 28> text_{};
};

/// Lower-case hex of bytes.
std::string to_hex(std::string_view bytes);
/// Empty when `hex` is not an even number of hex digits.
std::string from_hex(std::string_view hex);

}  // namespace oai::core
