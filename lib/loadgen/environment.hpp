#pragma once

#include "report/baseline.hpp"

namespace oai::loadgen {

/// This program and the machine it runs on, for a report.
report::Build this_build();
report::Machine this_machine();

}  // namespace oai::loadgen
