#pragma once

#include <chrono>
#include <string_view>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "store/settings_store.hpp"

namespace oai::store {

// A lease lets one of several processes do what must not be done twice at a time. It is kept as a setting, and it runs
// out by itself: a holder that was killed blocks nobody for longer than `length`. `holder` is a word of one's own,
// without blanks. Both calls block. Errors: io_failed.

/// False while another holder has it. Taking it again makes it last from `now`.
core::Result<bool> take_lease(SettingsStore& settings, std::string_view name, std::string_view holder,
                              core::WallTime now, std::chrono::seconds length);
/// Fine when it is another's by now.
core::Result<void> release_lease(SettingsStore& settings, std::string_view name, std::string_view holder);

}  // namespace oai::store
