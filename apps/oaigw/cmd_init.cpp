#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <iostream>
#include <memory>
#include <string>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "cli/exit_code.hpp"
#include "cli/program.hpp"
#include "commands.hpp"
#include "crypto/key_file.hpp"
#include "gateway/config.hpp"

namespace {

using namespace oai;

struct InitOptions {
    std::string file = "oaigw.toml";
    std::string data = "data";
};

int run_init(const InitOptions& options, std::ostream& out) {
    const auto failed = [](const std::string& detail) {
        return cli::fail("oaigw init", core::Error{.code = core::Code::io_failed, .detail = detail});
    };
    // O_EXCL: a file that somebody wrote is never lost.
    const int file = ::open(options.file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0)
        return failed(errno == EEXIST ? options.file + " is there already; remove it or give another name"
                                      : options.file + ": " + std::strerror(errno));
    const std::string_view text = gateway::sample_config();
    const bool written = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    const int why = errno;
    ::close(file);
    if (!written) return failed(options.file + ": " + std::strerror(why));
    const std::string key_path = options.data + "/encryption.key";
    if (const auto key = crypto::load_or_create_key_file(key_path); !key) return cli::fail("oaigw init", key.error());
    out << "wrote " << options.file << " and " << key_path << "\n"
        << "next: export OAIGW_ADMIN_KEY, OAIGW_CLIENT_KEY and OPENAI_API_KEY, then\n"
        << "  oaigw check-config " << options.file << "\n  oaigw serve --config " << options.file << "\n";
    return cli::kPass;
}

}  // namespace

void add_init(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<InitOptions>();
    CLI::App* cmd = app.add_subcommand("init", "Write a commented configuration file and make the encryption key");
    cmd->add_option("file", options->file, "Where to write it")->capture_default_str();
    cmd->add_option("--data", options->data, "Folder of the database and the key")->capture_default_str();
    cmd->callback([options, &exit_code] { exit_code = run_init(*options, std::cout); });
}
