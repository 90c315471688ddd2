#pragma once

namespace oai::cli {

/// What a program's exit means for a pipeline (MEASUREMENT 4). Usage errors are `error`, never `breach`.
inline constexpr int kPass = 0;          ///< every required rule was evaluated and is ok: may advance
inline constexpr int kError = 1;         ///< usage, network, parse: do not advance
inline constexpr int kBreach = 2;        ///< a required rule breached on valid data: roll back
inline constexpr int kInconclusive = 3;  ///< nothing breached, something could not be judged: do not advance

}  // namespace oai::cli
