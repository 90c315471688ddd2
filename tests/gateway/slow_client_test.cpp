// Clients that take their time, with TLS and without: what they are told.
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "gateway/gateway.hpp"
#include "net/connect.hpp"
#include "support/authority.hpp"
#include "upstream/catalog_config.hpp"

using namespace oai;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view kHead =
    "POST /v1/responses HTTP/1.1\r\nhost: x\r\nauthorization: Bearer sk-test-key\r\ncontent-length: 100\r\n";

/// A client that sends some bytes and then only listens, until the other side has ended.
struct Client {
    std::uint16_t port;
    std::shared_ptr<const net::TlsClientContext> tls;
    std::string sent;
    std::string got = {};
    bool clean = false;  ///< the end was one that the other side meant

    void run() {
        net::Worker worker("client");
        worker.spawn(talk(worker));
        worker.run();
        CHECK(worker.escaped_exceptions() == 0);
    }

    net::Awaitable<void> talk(net::Worker& worker) {
        const std::string host = "127.0.0.1";
        auto stream = co_await net::connect(worker, host, port, net::Stream::kNever);
        (*stream)->set_deadline(std::chrono::steady_clock::now() + 10s);
        if (tls) {
            const bool secured = co_await (*stream)->handshake_client(tls, host);
            CHECK(secured);
        }
        const net::Pieces pieces{sent};
        const bool written = co_await (*stream)->write(pieces);
        CHECK(written);
        std::vector<char> chunk(1000);
        for (;;) {
            const std::size_t n = co_await (*stream)->read_some(chunk);
            if (n == 0) break;
            got.append(chunk.data(), n);
        }
        clean = (*stream)->error() == boost::asio::error::eof;
        worker.stop();
    }
};

}  // namespace

TEST_CASE("a request whose head or body does not come in time gets a 408 that says which") {
    test::Authority authority;
    const test::Identity identity = authority.issue();
    gateway::Config config;
    config.listen = net::ListenAddress{"127.0.0.1", 0};
    config.workers = 1;
    config.store_url = "memory:";
    config.admin_key = "admin-key";
    config.keys.push_back({"test", "sk-test-key", ""});
    config.catalog = *upstream::single_upstream("http://127.0.0.1:1", "sk-up");
    config.timeouts.request_head = config.timeouts.request_body = config.timeouts.keep_alive = 300ms;
    struct Row {
        const char* name;
        std::string sent;
        const char* want;  ///< in what comes back; null: nothing comes
    };
    const std::string head(kHead);
    const Row rows[] = {
        {"half a head", head, "the request head did not arrive in time"},
        {"half a body", head + "\r\n{\"model\":", "the request body did not arrive in time"},
        {"half a chunked body",
         "POST /v1/responses HTTP/1.1\r\nhost: x\r\nauthorization: Bearer sk-test-key\r\n"
         "transfer-encoding: chunked\r\n\r\n5\r\nab",
         "the request body did not arrive in time"},
        {"nothing", "", nullptr},
        {"nothing after an answer", "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n", "HTTP/1.1 200"},
        {"half a head after an answer", "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\nGET", "HTTP/1.1 408"},
    };
    for (const bool tls : {false, true}) {
        if (tls) config.tls = *net::TlsServerContext::make(identity.certificate, identity.key);
        gateway::FirstKeys made;
        const auto started = gateway::Gateway::start(config, made);
        REQUIRE(started);
        std::shared_ptr<const net::TlsClientContext> trusting;
        if (tls) trusting = *net::TlsClientContext::make({.ca_file = authority.file()});
        for (const Row& row : rows) {
            CAPTURE(tls);
            CAPTURE(row.name);
            Client client{.port = (*started)->port(), .tls = trusting, .sent = row.sent};
            client.run();
            CAPTURE(client.got);
            CHECK(client.clean);
            if (row.want == nullptr) {
                CHECK(client.got.empty());
                continue;
            }
            CHECK(client.got.find(row.want) != std::string::npos);
            const bool late = client.got.find("HTTP/1.1 408 Request Timeout") != std::string::npos;
            CHECK(late == (row.sent.find("healthz") == std::string::npos || row.sent.ends_with("GET")));
        }
    }
}
