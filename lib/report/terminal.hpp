#pragma once

namespace oai::report {

/// What the reader's terminal can show. The caller knows: is it one, and is NO_COLOR set?
struct Terminal {
    bool unicode = false;  ///< ✓ and ✗; otherwise words only
    bool color = false;    ///< never without the word it colours
};

}  // namespace oai::report
