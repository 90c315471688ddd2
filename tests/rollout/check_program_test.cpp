#include <algorithm>
#include <cstdio>
#include <string>
#include <sys/wait.h>

#include <doctest/doctest.h>

#include "support/canned_server.hpp"

#ifdef OAI_OAIGUARD

using namespace oai::test;

namespace {

struct Ended {
    int exit = -1;
    std::string text;  ///< stdout and stderr
};

Ended oaiguard(const std::string& arguments) {
    Ended ended;
    std::FILE* pipe = ::popen((std::string(OAI_OAIGUARD) + " " + arguments + " 2>&1").c_str(), "r");
    REQUIRE(pipe != nullptr);
    char buffer[4096];
    for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, pipe)) != 0;) ended.text.append(buffer, n);
    const int status = ::pclose(pipe);
    ended.exit = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return ended;
}

}  // namespace

TEST_CASE("a usage error of the program is exit 1, never 2, and help is 0") {
    struct Row {
        std::string arguments;
        int exit;
        const char* said;
    };
    const Row rows[] = {
        {"check --base-url http://127.0.0.1:1 --time-rnage 30m", 1, "--time-rnage"},
        {"check", 1, "say what to judge: --base-url URL of a gateway, or --report FILE"},
        {"check --base-url", 1, "--base-url"},
        {"check --base-url http://127.0.0.1:1 --timeout 15", 1, "--timeout"},
        {"check --base-url http://127.0.0.1:1 --limit 'ttft.p99 <= 900'", 1, "the unit is missing"},
        {"check extra --base-url http://127.0.0.1:1", 1, "extra"},
        {"check --base-url http://127.0.0.1:1 --version ''", 1, "--version: its value is empty"},
        {"check --base-url http://127.0.0.1:1 --limits ''", 1, "--limits: its value is empty"},
        {"check --base-url http://127.0.0.1:1 --limit 'ttft.p99 <= 1s' extra", 1, "extra"},
        {"check --base-url http://127.0.0.1:1 --limit 'ttft.p99 <= 1s' --limit 'sla >= 99%' --admin-token '' "
         "--group-id ''",
         1, "Connection refused"},
        {"chekc", 1, "A subcommand is required"},
        {"", 1, "A subcommand is required"},
        {"check --help", 0, "--base-url"},
        {"--version", 0, "oaiguard "},
    };
    for (const Row& row : rows) {
        CAPTURE(row.arguments);
        const Ended ended = oaiguard(row.arguments);
        CAPTURE(ended.text);
        CHECK(ended.exit == row.exit);
        CHECK(ended.text.find(row.said) != std::string::npos);
        // What went wrong is one line on stderr, and the verdict one on stdout.
        if (row.exit == 0) CHECK(ended.text.find("verdict=") == std::string::npos);
        if (row.exit == 1) CHECK(ended.text.find("verdict=ERROR exit=1 rules=0\n") != std::string::npos);
        if (row.exit == 1) CHECK(std::ranges::count(ended.text, '\n') == 2);
    }
}

TEST_CASE("the program takes the arguments of the script it replaces") {
    const std::string rollback = R"({"code":0,"data":{"sla":97.10,"ttft":{"p99_ms":1550},"error_rate":6.30,)"
                                 R"("upstream_error_rate":5.60}})";
    const CannedServer server({{.path = "/api/v1/admin/ops/dashboard/overview", .bytes = http_answer(200, rollback)}});
    const Ended ended = oaiguard("check --base-url " + server.url() +
                                 " --admin-token t0ken --platform openai --time-range 30m --group-id rollback");
    CAPTURE(ended.text);
    CHECK(ended.exit == 2);
    CHECK(ended.text.ends_with("verdict=BREACH exit=2 rules=4 breached=sla,ttft.p99,error_rate,upstream_error_rate\n"));
    REQUIRE(server.requests().size() == 2);
    CHECK(server.requests()[0].starts_with(
        "GET /api/v1/admin/ops/dashboard/overview?platform=openai&time_range=30m&group_id=rollback HTTP/1.1\r\n"));
}

#endif
