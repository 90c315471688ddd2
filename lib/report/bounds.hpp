#pragma once

#include <cstddef>

/// How much of what targets say a document repeats. Private to this folder.
namespace oai::report {

inline constexpr std::size_t kMaxExamples = 5;         ///< for each class of errors
inline constexpr std::size_t kMaxMessageLength = 300;  ///< code points, in JSON
inline constexpr std::size_t kMaxShownLength = 160;    ///< where people read it, in a cell of a table

}  // namespace oai::report
