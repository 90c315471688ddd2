// A gateway that changes while it is used: reload, shut-down, and the process that comes next.

#include <atomic>
#include <csignal>
#include <thread>

#include <doctest/doctest.h>

#include "integration/system.hpp"

using namespace oai::test;
using namespace std::chrono_literals;

namespace {

std::string config(const Mock& mock, const std::string& map) {
    return "[[provider]]\nname = \"openai\"\n[[provider.version]]\nversion = \"v1\"\nprops = { base_url = \"" +
           mock.url() + "\", api_key = \"sk-up\" }\n[[route]]\nmodel = \"*\"\nprovider = \"llm/openai\"\nmap = { " +
           map + " }\n";
}

/// A gateway with a store of its own, so that another process can follow it.
Command serve(const Folder& folder, const Mock& mock, std::uint16_t port, std::vector<std::string> more = {}) {
    Command command{.program = kOaigw,
                    .arguments = {"serve", "--listen", "127.0.0.1:" + std::to_string(port), "--upstream", mock.url(),
                                  "--drain", "10s"},
                    .environment = {{"OAIGW_CLIENT_KEY", kClientKey}, {"OAIGW_ADMIN_KEY", kAdminKey}},
                    .folder = folder.path()};
    command.arguments.insert(command.arguments.end(), more.begin(), more.end());
    return command;
}

/// Requests until it is told to stop, each on a connection of its own or all on one.
class Load {
public:
    Load(std::uint16_t port, int threads, bool fresh_connections) {
        for (int i = 0; i < threads; ++i) threads_.emplace_back([=, this] { run(port, fresh_connections); });
    }
    ~Load() { stop(); }
    void stop() {
        stopping_ = true;
        for (std::thread& thread : threads_) {
            if (thread.joinable()) thread.join();
        }
    }
    int good() const { return good_; }
    int bad() const { return bad_; }

private:
    void run(std::uint16_t port, bool fresh) {
        std::optional<RawClient> client;
        while (!stopping_) {
            if (fresh || !client) client.emplace(port);
            const bool sent =
                client->send(post("/v1/responses", responses_body("gpt-5"), fresh ? "connection: close\r\n" : ""));
            const Answer answer = sent ? client->read_answer() : Answer{};
            ++(answer.status == 200 && answer.whole ? good_ : bad_);
            if (answer.field("connection") == "close" || answer.status != 200) client.reset();
        }
    }

    std::atomic<bool> stopping_{false};
    std::atomic<int> good_{0}, bad_{0};
    std::vector<std::thread> threads_;
};

/// Until the gateway's log says so.
bool says(const Process& process, std::string_view words) {
    for (int i = 0; i < 200; ++i) {
        if (process.err().find(words) != std::string::npos) return true;
        std::this_thread::sleep_for(25ms);
    }
    return false;
}

}  // namespace

TEST_CASE("SIGHUP puts a changed file in force; a bad one changes nothing and says why") {
    const Mock mock;
    const Folder folder;
    write_file(folder / "oaigw.toml", config(mock, "\"alias\" = \"first\""));
    Process gateway(
        Command{.program = kOaigw,
                .arguments = {"serve", "--listen", "127.0.0.1:0", "--config", "oaigw.toml", "--drain", "1ms"},
                .environment = {{"OAIGW_CLIENT_KEY", kClientKey}, {"OAIGW_ADMIN_KEY", kAdminKey}},
                .folder = folder.path()});
    const std::uint16_t port = gateway.port();
    REQUIRE(port != 0);
    const auto models = [&] { return ask(port, request("GET", "/v1/models", key_line(), "")).body; };
    CHECK(models().find("\"alias\"") != std::string::npos);

    write_file(folder / "oaigw.toml", config(mock, "\"other\" = \"second\""));
    gateway.signal(SIGHUP);
    REQUIRE(says(gateway, "configuration reloaded"));
    CHECK(models().find("\"other\"") != std::string::npos);
    CHECK(models().find("\"alias\"") == std::string::npos);

    write_file(folder / "oaigw.toml", config(mock, "\"other\" = \"\""));
    gateway.signal(SIGHUP);
    REQUIRE(says(gateway, "configuration not reloaded"));
    CHECK(gateway.err().find("oaigw.toml:") != std::string::npos);
    CHECK(models().find("\"other\"") != std::string::npos);
    gateway.signal(SIGTERM);
    CHECK(gateway.wait() == 0);
}

TEST_CASE("a reload under load loses no request") {
    const Mock mock;
    const Folder folder;
    write_file(folder / "oaigw.toml", config(mock, "\"a\" = \"b\""));
    Process gateway(
        Command{.program = kOaigw,
                .arguments = {"serve", "--listen", "127.0.0.1:0", "--config", "oaigw.toml", "--drain", "1ms"},
                .environment = {{"OAIGW_CLIENT_KEY", kClientKey}, {"OAIGW_ADMIN_KEY", kAdminKey}},
                .folder = folder.path()});
    const std::uint16_t port = gateway.port();
    REQUIRE(port != 0);
    Load load(port, 4, false);
    for (int i = 0; i < 20; ++i) {
        gateway.signal(SIGHUP);
        std::this_thread::sleep_for(50ms);
    }
    load.stop();
    CHECK(load.good() > 100);
    CHECK(load.bad() == 0);
    gateway.signal(SIGTERM);
    CHECK(gateway.wait() == 0);
}

TEST_CASE("SIGTERM lets running streams come to their end") {
    const Mock mock({"--gap", "50ms", "--tokens", "20"});
    const Folder folder;
    Process gateway(serve(folder, mock, 0));
    const std::uint16_t port = gateway.port();
    REQUIRE(port != 0);
    RawClient stream(port);
    CHECK(stream.send(post("/v1/responses", responses_body("gpt-5", true))));
    REQUIRE(!stream.read_until("output_text.delta").empty());
    gateway.signal(SIGTERM);
    const std::string rest = stream.read_until("0\r\n\r\n");
    CHECK(rest.find("response.completed") != std::string::npos);
    CHECK(gateway.wait() == 0);
    CHECK(gateway.err().find("were cut") == std::string::npos);
}

TEST_CASE("the next process takes the same sockets over: of 500 connections a second none is refused") {
    const Mock mock;
    const Folder folder;
    Process first(serve(folder, mock, 0));
    const std::uint16_t port = first.port();
    REQUIRE(port != 0);
    Load load(port, 8, true);
    std::this_thread::sleep_for(500ms);
    Process second(serve(folder, mock, port, {"--take-over"}));
    CHECK(second.port() == port);
    CHECK(first.wait() == 0);
    std::this_thread::sleep_for(500ms);
    load.stop();
    CAPTURE(first.err());
    CHECK(load.good() > 200);
    CHECK(load.bad() == 0);
    second.signal(SIGTERM);
    CHECK(second.wait() == 0);
}

TEST_CASE("nobody to take over from is an error that says so, and changes nothing") {
    const Mock mock;
    const Folder folder;
    Process gateway(serve(folder, mock, 0, {"--take-over"}));
    CHECK(gateway.wait() == 1);
    CHECK(gateway.err().find("control.sock") != std::string::npos);
}
