#pragma once

#include <atomic>

namespace oai::cli {

/// From now on the first SIGINT or SIGTERM sets the flag and the program goes on, to end in good order; the second one
/// kills it as usual.
const std::atomic<bool>& catch_interrupts();

}  // namespace oai::cli
