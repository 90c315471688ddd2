#include "gateway/config.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <unistd.h>

#include <doctest/doctest.h>

#include "support/authority.hpp"

using namespace oai;
using namespace oai::gateway;

namespace {

/// A file of its own, gone at the end.
struct TempFile {
    explicit TempFile(std::string_view text)
        : path(std::filesystem::temp_directory_path() / ("oaigw-config-" + std::to_string(::getpid()) + ".toml")) {
        std::ofstream(path) << text;
    }
    ~TempFile() { std::filesystem::remove(path); }
    std::filesystem::path path;
};

config::Environment environment(std::map<std::string, std::string, std::less<>> values) {
    return [values = std::move(values)](std::string_view name) -> std::optional<std::string> {
        const auto found = values.find(name);
        return found == values.end() ? std::nullopt : std::optional(found->second);
    };
}

}  // namespace

TEST_CASE("the sample that init writes is good once its three variables are set") {
    const TempFile file(sample_config());
    const auto good = load_config(
        file.path,
        environment({{"OAIGW_ADMIN_KEY", "admin-1"}, {"OAIGW_CLIENT_KEY", "sk-client"}, {"OPENAI_API_KEY", "sk-up"}}));
    REQUIRE(good);
    CHECK(good->listen.port == 5231);
    CHECK(good->keys.size() == 1);
    CHECK(good->catalog.find_route("anything") != nullptr);
    CHECK(good->timeouts.total == std::chrono::seconds{600});
    const auto missing = load_config(file.path, config::empty_environment());
    REQUIRE_FALSE(missing);
    CHECK(missing.error().detail.find("OAIGW_CLIENT_KEY") != std::string::npos);
    CHECK(missing.error().detail.find("OPENAI_API_KEY") != std::string::npos);
}

TEST_CASE("every mistake is said at once, each with its line") {
    const TempFile file(
        "listen = \"nowhere\"\nlisten_port = 3\n[timeouts]\ntotal = \"3\"\n[[key]]\nname = \"a\"\nvalue = \"short\"\n");
    const auto bad = load_config(file.path, config::empty_environment());
    REQUIRE_FALSE(bad);
    const std::string& text = bad.error().detail;
    CAPTURE(text);
    CHECK(text.find(".toml:1: ") != std::string::npos);
    CHECK(text.find(".toml:2: unknown key \"listen_port\"") != std::string::npos);
    CHECK(text.find(".toml:4: \"total\" must be like") != std::string::npos);
    CHECK(text.find(".toml:7: \"value\" must be at least 8 characters") != std::string::npos);
}

TEST_CASE("a certificate and its key are read with the file, and what is wrong with them is said there") {
    oai::test::Authority authority;
    const oai::test::Identity good = authority.issue(), other = authority.issue();
    struct Row {
        const char* name;
        std::string text;
        std::string want;  ///< empty: it is read
    };
    const auto section = [](const std::string& certificate, const std::string& key) {
        return "[tls]\ncertificate = \"" + certificate + "\"\nkey = \"" + key + "\"\n";
    };
    const Row rows[] = {
        {"both", section(good.certificate, good.key), ""},
        {"no key", "[tls]\ncertificate = \"" + good.certificate + "\"\n", "[tls] needs \"key\""},
        {"no certificate", "[tls]\nkey = \"" + good.key + "\"\n", "[tls] needs \"certificate\""},
        {"another's key", section(good.certificate, other.key),
         ".toml:1: [tls] cannot be used: " + other.key + ": this is not the key of the certificate"},
        {"no file", section("no-such.pem", good.key), "no-such.pem: No such file or directory"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const TempFile file(row.text);
        const auto config = load_config(file.path, config::empty_environment());
        REQUIRE(config.has_value() == row.want.empty());
        if (config) {
            CHECK(config->tls != nullptr);
        } else {
            CAPTURE(config.error().detail);
            CHECK(config.error().detail.find(row.want) != std::string::npos);
        }
    }
    const TempFile plain("");
    CHECK(load_config(plain.path, config::empty_environment())->tls == nullptr);
}

TEST_CASE("the environment wins over the file, and its client key comes on top") {
    const TempFile file("[admin]\nkey = \"from-file\"\n[[key]]\nname = \"a\"\nvalue = \"sk-from-file\"\n");
    const auto plain = load_config(file.path, config::empty_environment());
    REQUIRE(plain);
    CHECK(plain->admin_key == "from-file");
    CHECK(plain->keys.size() == 1);
    const auto over =
        load_config(file.path, environment({{"OAIGW_ADMIN_KEY", "from-env"}, {"OAIGW_CLIENT_KEY", "sk-env"}}));
    REQUIRE(over);
    CHECK(over->admin_key == "from-env");
    CHECK(over->keys.size() == 2);
    const auto same = load_config(file.path, environment({{"OAIGW_CLIENT_KEY", "sk-from-file"}}));
    CHECK(same->keys.size() == 1);
}

TEST_CASE("without a file the environment makes the upstream, and what cannot work is said before anything starts") {
    const auto none = default_config(config::empty_environment());
    REQUIRE(none);
    CHECK(none->catalog.providers().empty());
    const auto one =
        default_config(environment({{"OPENAI_BASE_URL", "http://127.0.0.1:9180/v1"}, {"OPENAI_API_KEY", "sk-1"}}));
    REQUIRE(one);
    CHECK(one->catalog.providers()[0].versions[0].accounts[0].target.origin == "http://127.0.0.1:9180");
    const auto usual = default_config(environment({{"OPENAI_API_KEY", "sk-1"}}));
    REQUIRE(usual);
    CHECK(usual->catalog.providers()[0].versions[0].accounts[0].target.url.text() == "https://api.openai.com");
    CHECK_FALSE(default_config(environment({{"OPENAI_BASE_URL", "127.0.0.1:9180"}})));
}

TEST_CASE("rules of fail-over, breaker and streams are read, and what cannot be is refused with its line") {
    const TempFile good(
        "passthrough_unknown = true\n[failover]\nmax_attempts = 5\nretry_budget = \"7%\"\nretry_conflicts = true\n"
        "[breaker]\ncooldown = \"1s\"\nmax_cooldown = \"9s\"\nfailure_ratio = \"25%\"\n"
        "[stream]\nkeepalive = \"0\"\non_client_gone = \"drain\"\nhold_preamble = false\n[queue]\ntimeout = \"3s\"\n");
    const auto config = load_config(good.path, config::empty_environment());
    REQUIRE(config);
    CHECK(config->passthrough_unknown);
    CHECK(config->failover.max_attempts == 5);
    CHECK(config->failover.retry_budget_bp == 700);
    CHECK(config->failover.conflicts);
    CHECK(config->breaker.cooldown == std::chrono::seconds{1});
    CHECK(config->breaker.failure_ratio_bp == 2500);
    CHECK(config->stream.keepalive.count() == 0);
    CHECK(config->stream.drain_when_gone);
    CHECK_FALSE(config->stream.hold_preamble);
    CHECK(config->queue_timeout == std::chrono::seconds{3});

    struct Row {
        const char* text;
        const char* want;
    };
    const Row rows[] = {
        {"[stream]\nkeepalive = \"20ms\"\n", ".toml:2: \"keepalive\" must be"},
        {"[stream]\non_client_gone = \"wait\"\n", ".toml:2: \"on_client_gone\""},
        {"[breaker]\ncooldown = \"10s\"\nmax_cooldown = \"5s\"\n", ".toml:3: \"max_cooldown\" must not be below"},
        {"[failover]\nmax_attempts = 6\n", ".toml:2: \"max_attempts\""},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.text));
        const TempFile file(row.text);
        const auto refused = load_config(file.path, config::empty_environment());
        REQUIRE_FALSE(refused);
        CAPTURE(refused.error().detail);
        CHECK(refused.error().detail.find(row.want) != std::string::npos);
    }
}
