#pragma once

namespace CLI {
class App;
}

void add_serve(CLI::App& app, int& exit_code);
void add_check_config(CLI::App& app, int& exit_code);
void add_explain(CLI::App& app, int& exit_code);
void add_init(CLI::App& app, int& exit_code);
