#pragma once

namespace CLI {
class App;
}

/// `oaiperf report A [B...]`: a report again, from samples files.
void add_report(CLI::App& app, int& exit_code);
