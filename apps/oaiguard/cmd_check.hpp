#pragma once

namespace CLI {
class App;
}

/// `oaiguard check`: judges one window of traffic against its limits.
void add_check(CLI::App& app, int& exit_code);
