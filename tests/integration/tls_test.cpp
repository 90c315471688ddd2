// TLS on both sides of the gateway: client -https-> oaigw -https-> a mock behind a TLS terminator.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "http/client.hpp"
#include "integration/system.hpp"
#include "support/tls_terminator.hpp"

using namespace oai;
using namespace oai::test;

namespace {

std::string config_text(const Identity& server, const std::string& upstream, const std::string& more) {
    return "workers = 1\n[tls]\ncertificate = \"" + server.certificate + "\"\nkey = \"" + server.key +
           "\"\n[[provider]]\nname = \"openai\"\n[[provider.version]]\nversion = \"v1\"\nprops = { base_url = \"" +
           upstream + "\", api_key = \"" + kUpstreamKey + "\"" + more + " }\n";
}

/// A mock behind TLS and a gateway that answers TLS, all certificates of one authority.
struct Site {
    explicit Site(bool trusts_upstream = true)
        : terminator(authority.issue(), mock.port()),
          gateway(GatewayOptions{
              .upstream = "",
              .config = config_text(authority.issue(), terminator.url(),
                                    trusts_upstream ? ", ca_file = \"" + authority.file() + "\"" : std::string())}) {}

    std::string url() const { return "https://localhost:" + std::to_string(gateway.port()); }

    core::Result<http::ClientResponse> ask(const std::string& body) const {
        http::ClientRequest request;
        request.method = "POST";
        request.url = *http::parse_url(url());
        request.target = "/v1/responses";
        request.tls = *net::TlsClientContext::make({.ca_file = authority.file()});
        request.headers = {{"authorization", "Bearer " + kClientKey}};
        request.body = body;
        return http::fetch_blocking(request);
    }

    Authority authority;
    Mock mock;
    TlsTerminator terminator;
    Gateway gateway;
};

}  // namespace

TEST_CASE("requests and streams go through TLS on both sides, over one kept upstream connection") {
    Site site;
    CHECK(site.gateway.process.first_line().starts_with("oaigw listening on https://127.0.0.1:"));
    CHECK(site.gateway.process.err().find("without TLS") == std::string::npos);
    const auto whole = site.ask(responses_body("gpt-5"));
    REQUIRE(whole);
    CHECK(whole->status == 200);
    CHECK(text_at(parse_json(whole->body), "object") == "response");
    const auto stream = site.ask(responses_body("gpt-5", true));
    REQUIRE(stream);
    CHECK(stream->status == 200);
    CHECK(stream->header("content-type").starts_with("text/event-stream"));
    CHECK(stream->body.find("event: response.completed") != std::string::npos);
    const std::string large(300'000, 'x');
    const auto again = site.ask(R"({"model":"gpt-5","input":")" + large + "\"}");
    REQUIRE(again);
    CHECK(again->status == 200);
    CHECK(site.terminator.connections() == 1);
    // A stream that the upstream cuts does not look whole.
    const auto cut = site.ask(responses_body("mock-cut-after-3", true));
    REQUIRE(cut);
    CHECK(cut->body.find("upstream_truncated") != std::string::npos);
}

TEST_CASE("plain HTTP to the TLS listener and plain trust in the upstream are both refused") {
    const Site site(false);
    CHECK(ask(site.gateway.port(), request("GET", "/healthz", "", "")).status == 0);
    const auto refused = site.ask(responses_body("gpt-5"));
    REQUIRE(refused);
    CHECK(refused->status == 502);
    CHECK(refused->body.find("upstream_unreachable") != std::string::npos);
    CHECK(refused->body.find("localhost") == std::string::npos);
    const std::string log = site.gateway.process.err();
    CHECK(log.find("the certificate is not to be trusted: unable to get local issuer certificate") !=
          std::string::npos);
    CHECK(site.terminator.connections() == 0);
}

TEST_CASE("the load tool and the guard speak https, and believe only whom they are told to") {
    const Site site;
    const Folder folder;
    const auto load = [&](std::vector<std::string> more) {
        more.insert(more.begin(), {"baseline", "--base-url", site.url(), "--api-key", kClientKey, "--duration", "2s",
                                   "--out", folder.path().string(), "--quiet"});
        return perf(std::move(more));
    };
    const auto check = [&](std::vector<std::string> more) {
        more.insert(more.begin(), {"--base-url", site.url(), "--admin-token", kAdminKey, "--time-range", "5m",
                                   "--limit", "error_rate <= 1%"});
        return guard(std::move(more));
    };
    const Finished loaded = load({"--ca-file", site.authority.file()});
    CAPTURE(loaded.out);
    CAPTURE(loaded.err);
    CHECK(loaded.last_line().find("ERROR") == std::string::npos);
    CHECK(site.terminator.connections() >= 1);
    const Finished unread = load({"--ca-file", "no-such.pem"});
    CHECK(unread.code == 1);
    CHECK(unread.err.find("--ca-file: no-such.pem: No such file or directory") != std::string::npos);

    const Finished judged = check({"--insecure"});
    CAPTURE(judged.out);
    CAPTURE(judged.err);
    CHECK(judged.code != 1);
    const Finished doubted = check({});
    CHECK(doubted.code == 1);
    CHECK(doubted.err.find("the certificate is not to be trusted: unable to get local issuer certificate; --ca-file") !=
          std::string::npos);
}

TEST_CASE("a certificate that cannot be used is named before anything starts") {
    const Folder folder;
    write_file(folder / "oaigw.toml", "[tls]\ncertificate = \"no-such.pem\"\nkey = \"key.pem\"\n");
    for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
             {"serve", "--config", "oaigw.toml", "--listen", "127.0.0.1:0"}, {"check-config", "oaigw.toml"}}) {
        const Finished ended =
            run(Command{.program = kOaigw, .arguments = arguments, .environment = {}, .folder = folder.path()});
        CAPTURE(ended.err);
        CHECK(ended.code == 1);
        CHECK(ended.err.find("no-such.pem: No such file or directory") != std::string::npos);
    }
}
