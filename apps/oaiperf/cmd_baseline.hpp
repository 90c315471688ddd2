#pragma once

#include "loadgen/baseline.hpp"

namespace CLI {
class App;
}

/// `oaiperf baseline`. With `start_embedded` there is `--embedded`: a gateway and an upstream in this process.
void add_baseline(CLI::App& app, int& exit_code, oai::loadgen::StartEmbedded start_embedded = {});
