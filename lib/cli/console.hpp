#pragma once

#include "config/environment.hpp"

namespace oai::cli {

/// What the reader of an output stream can show.
struct Console {
    bool terminal = false;
    bool color = false;    ///< a terminal, and NO_COLOR is not set
    bool unicode = false;  ///< a terminal with a UTF-8 locale
};

Console stdout_console(const config::Environment& environment);
Console stderr_console(const config::Environment& environment);

}  // namespace oai::cli
