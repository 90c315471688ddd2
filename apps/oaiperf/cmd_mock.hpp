#pragma once

namespace CLI {
class App;
}

/// `oaiperf mock`: a scripted upstream until SIGINT or SIGTERM.
void add_mock(CLI::App& app, int& exit_code);
