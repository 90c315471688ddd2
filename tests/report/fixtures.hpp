#pragma once

#include <string>
#include <utility>
#include <vector>

#include "report/baseline.hpp"
#include "report/guard.hpp"

/// The three reports every golden file shows: all is well; limits missed, with failures and texts that try to break
/// out; nothing measured on a run that invalidated itself.
namespace oai::report::fixtures {

BaselineReport passing_baseline();
BaselineReport breached_baseline();
BaselineReport invalid_baseline();
std::vector<std::pair<std::string, BaselineReport>> baselines();

GuardReport passing_guard();
GuardReport breached_guard();
GuardReport undecided_guard();
std::vector<std::pair<std::string, GuardReport>> guards();

/// A text with everything a form could trip over.
std::string hostile();

}  // namespace oai::report::fixtures
