#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "metrics/sample.hpp"

/// Bytes of `samples.oais`, for its writer and its reader. The table is docs/samples-format.md; all numbers are
/// little-endian.
namespace oai::metrics::format {

inline constexpr std::string_view kMagic = "OAIS";
inline constexpr std::uint32_t kVersion = 1;
inline constexpr std::size_t kFileHeadSize = 16;   ///< magic, version, length of the header, CRC of the header
inline constexpr std::size_t kBlockHeadSize = 16;  ///< type, count, CRC of the records, CRC of these twelve bytes
inline constexpr std::uint32_t kSamples = 1, kGaps = 2;
inline constexpr std::size_t kSampleSize = 96, kGapSize = 24;
inline constexpr std::uint32_t kRecordsPerBlock = 4096;  ///< written; also the most a reader accepts
inline constexpr std::uint32_t kMaxHeader = 16 << 20;

void append(std::string& out, const Sample& sample);
void append(std::string& out, const Gap& gap);
void append_u32(std::string& out, std::uint32_t value);

/// False when a field holds what no writer writes.
bool parse(std::string_view record, Sample& sample) noexcept;
bool parse(std::string_view record, Gap& gap) noexcept;
std::uint32_t read_u32(std::string_view bytes, std::size_t at) noexcept;

std::uint32_t crc(std::string_view bytes) noexcept;

}  // namespace oai::metrics::format
