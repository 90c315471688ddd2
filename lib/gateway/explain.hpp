#pragma once

#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "gateway/tables.hpp"
#include "upstream/sticky.hpp"

namespace oai::gateway {

/// Which version and account a request would get now, and why each other account would not: the same judgement the
/// request path makes, as JSON. `key` is the id or name of a client key, `session` what a client would send; both may
/// be empty. Takes no place at any account. Errors: not_found for a model nobody serves, or a key nobody has.
core::Result<std::string> explain(const Tables& tables, upstream::Sticky& sticky, std::string_view model,
                                  std::string_view key, std::string_view session, core::TimePoint now);

}  // namespace oai::gateway
