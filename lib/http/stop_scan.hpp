#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "http/chars.hpp"

namespace oai::http {
namespace detail {

constexpr std::ptrdiff_t kBlock = 64;

/// Bit i: at[i] is a stop. `size` is at most kBlock.
inline std::uint64_t stop_bits(const char* at, std::ptrdiff_t size) noexcept {
    std::uint64_t bits = 0;
    for (std::ptrdiff_t i = 0; i < size; ++i) bits |= static_cast<std::uint64_t>(is_char(at[i], kStop)) << i;
    return bits;
}

/// The same of a whole block.
inline std::uint64_t stop_bits(const char* at) noexcept {
#if defined(__SSE2__)
    std::uint64_t bits = 0;
    for (int i = 0; i < 4; ++i) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at) + i);
        const __m128i below_blank = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
        const __m128i is_delete = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F));
        const __m128i is_colon = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(':'));
        const __m128i stops = _mm_or_si128(_mm_or_si128(below_blank, is_delete), is_colon);
        bits |= static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm_movemask_epi8(stops))) << (16 * i);
    }
    return bits;
#else
    return stop_bits(at, kBlock);
#endif
}

}  // namespace detail

/// Walks over the bytes of a head that decide where a line ends and whether it may stand: control characters, HTAB
/// among them, and colons. Each byte is looked at once.
class StopScan {
public:
    /// Walks from `from` to `end`. `begin` is at or before `from`: all of [begin, end) may be read.
    StopScan(const char* begin, const char* from, const char* end) noexcept
        : begin_(begin), ahead_(from), end_(end), block_(from) {}

    /// The next stop, or `end`.
    [[gnu::always_inline]] const char* next() noexcept {
        while (bits_ == 0) [[unlikely]] {
                if (ahead_ == end_) return end_;
                load();
            }
        const char* const found = block_ + std::countr_zero(bits_);
        bits_ &= bits_ - 1;
        return found;
    }

    /// Past the next stop, which there is.
    void skip() noexcept {
        while (bits_ == 0) load();
        bits_ &= bits_ - 1;
    }
    const char* end() const noexcept { return end_; }

private:
    void load() noexcept {
        const std::ptrdiff_t left = end_ - ahead_;
        block_ = ahead_;
        ahead_ = left > detail::kBlock ? ahead_ + detail::kBlock : end_;
        if (left >= detail::kBlock) {
            bits_ = detail::stop_bits(block_);
        } else if (end_ - begin_ >= detail::kBlock) {
            // The last block overlaps the one before, whose bits are shifted out.
            bits_ = detail::stop_bits(end_ - detail::kBlock) >> (detail::kBlock - left);
        } else {
            bits_ = detail::stop_bits(block_, left);
        }
    }

    const char* begin_;
    const char* ahead_;  ///< not looked at yet
    const char* end_;
    const char* block_;  ///< of `bits_`
    std::uint64_t bits_ = 0;
};

}  // namespace oai::http
