// HTTP over TLS, and what a server says to a client that is too slow, with TLS and without.
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "http/client.hpp"
#include "http/server.hpp"
#include "net/connect.hpp"
#include "net/listener.hpp"
#include "support/authority.hpp"

using namespace oai;
using namespace oai::http;
using namespace std::chrono_literals;

namespace {

using ClientContext = std::shared_ptr<const net::TlsClientContext>;

/// Answers each request with its body, and says why it refused a head.
struct Echo {
    int connections = 0;

    net::Awaitable<bool> handle(Connection& connection, RequestHead& head) {
        net::Buffer gathered(connection.stream->worker().buffers());
        const core::Result<std::string_view> body =
            co_await read_whole_body(connection, head, core::Source::downstream, 1 << 20, gathered);
        if (!body) co_return false;
        const std::string answer = "HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(body->size()) + "\r\n\r\n";
        const net::Pieces pieces{answer, *body};
        const bool written = co_await connection.stream->write(pieces);
        finish_body(connection, *body);
        co_return written;
    }
    net::Awaitable<void> refuse(Connection& connection, const core::Error& error) {
        const std::string answer = error.code == core::Code::request_timeout ? "408" : "400";
        const net::Pieces pieces{answer};
        co_await connection.stream->write(pieces);
    }
};

/// A server on the worker that the test's session runs on.
struct Site {
    explicit Site(ServerTimeouts timeouts = {}, bool tls = true)
        : listener(*net::Listener::open(worker, net::ListenAddress{"127.0.0.1", 0}, false)) {
        if (tls) {
            const test::Identity identity = authority.issue();
            context = *net::TlsServerContext::make(identity.certificate, identity.key);
        }
        listener->start([this, timeouts](net::Socket socket) {
            ++echo.connections;
            worker.spawn(serve_connection(worker, std::move(socket), echo, timeouts, context));
        });
        url = *parse_url((tls ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(listener->port()));
    }

    template <class Session>
    void run(Session session) {
        worker.spawn(whole(session));
        worker.run();
        CHECK(worker.escaped_exceptions() == 0);
    }

    ClientRequest post(std::string body, ClientContext tls = nullptr) const {
        ClientRequest request;
        request.method = "POST";
        request.url = url;
        request.target = "/x";
        request.tls = tls ? std::move(tls) : trusting();
        request.body = std::move(body);
        request.timeout = 5s;
        return request;
    }

    ClientContext trusting() const { return *net::TlsClientContext::make({.ca_file = authority.file()}); }

    test::Authority authority;
    net::Worker worker{"test"};
    std::shared_ptr<const net::TlsServerContext> context;
    std::unique_ptr<net::Listener> listener;
    Echo echo;
    Url url;

private:
    template <class Session>
    net::Awaitable<void> whole(Session& session) {
        co_await session();
        listener->close();
        worker.stop();
    }
};

}  // namespace

TEST_CASE("requests of any size go over one kept connection with TLS") {
    Site site;
    const ClientContext context = site.trusting();
    const std::string large(700'000, 'b');
    site.run([&]() -> net::Awaitable<void> {
        Pool pool(site.worker);
        for (const std::string& body : {std::string(), std::string("small"), large, std::string("again")}) {
            const ClientRequest request = site.post(body, context);
            const core::Result<ClientResponse> response = co_await fetch(pool, request);
            CHECK(response);
            if (response) CHECK((response->body == body));
        }
    });
    CHECK(site.echo.connections == 1);
}

TEST_CASE("a connection made without asking who answers is not used by those who ask") {
    Site site;
    test::Authority other;
    std::vector<std::string> failures;
    site.run([&]() -> net::Awaitable<void> {
        Pool pool(site.worker);
        const ClientContext careless = *net::TlsClientContext::make({.verify = false});
        const ClientContext careful = *net::TlsClientContext::make({.ca_file = other.file()});
        for (const ClientContext& context : {careless, careful, careless}) {
            const ClientRequest request = site.post("x", context);
            const core::Result<ClientResponse> response = co_await fetch(pool, request);
            failures.push_back(response ? "" : response.error().detail);
            if (!response) CHECK(response.error().code == core::Code::tls_failed);
        }
    });
    CHECK(failures[0].empty());
    CHECK(failures[1].find("cannot connect securely to 127.0.0.1:") != std::string::npos);
    CHECK(failures[1].find("unable to get local issuer certificate") != std::string::npos);
    CHECK(failures[2].empty());
    CHECK(site.echo.connections == 2);
}

TEST_CASE("the pool keeps no connection on which a deadline has passed") {
    Site site({}, false);
    site.run([&]() -> net::Awaitable<void> {
        Pool pool(site.worker);
        const Target target(site.url);
        auto opened = co_await pool.open(target, net::Stream::kNever);
        CHECK(opened);
        (*opened)->stream->set_deadline(std::chrono::steady_clock::now());
        const std::size_t n = co_await (*opened)->read_more();
        CHECK(n == 0);
        CHECK((*opened)->stream->is_open());
        (*opened)->read_at = std::chrono::steady_clock::now();  // it has not rested too long
        pool.give(std::move(*opened));
        CHECK_FALSE(pool.take(target, std::chrono::steady_clock::now()));
    });
}

TEST_CASE("an answer that lasts until the close is whole only if its end was announced") {
    struct Row {
        const char* name;
        std::string answer;
        bool announced;
        bool whole;
    };
    const std::string until_close = "HTTP/1.1 200 OK\r\n\r\nhello";
    const std::string length = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
    const Row rows[] = {{"announced", until_close, true, true},
                        {"cut, or not: nobody knows", until_close, false, false},
                        {"its length is known", length, false, true}};
    test::Authority authority;
    const test::Identity identity = authority.issue();
    struct Server {
        static net::Awaitable<void> run(net::Worker& worker, net::Socket socket, const Row& row,
                                        std::shared_ptr<const net::TlsServerContext> context) {
            Connection connection(worker, std::move(socket));
            const bool secured = co_await connection.stream->handshake_server(context);
            CHECK(secured);
            RequestHead head;
            const core::Result<bool> got = co_await read_request_head(connection, head);
            CHECK(got);
            const net::Pieces pieces{row.answer};
            co_await connection.stream->write(pieces);
            if (row.announced) connection.stream->shutdown_send();
        }
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        net::Worker worker("server");
        const auto context = *net::TlsServerContext::make(identity.certificate, identity.key);
        const auto listener = *net::Listener::open(worker, net::ListenAddress{"127.0.0.1", 0}, false);
        listener->start([&](net::Socket s) { worker.spawn(Server::run(worker, std::move(s), row, context)); });
        worker.start();
        ClientRequest request;
        request.url = *parse_url("https://localhost:" + std::to_string(listener->port()));
        request.target = "/";
        request.tls = *net::TlsClientContext::make({.ca_file = authority.file()});
        const core::Result<ClientResponse> response = fetch_blocking(request);
        worker.post([&] { listener->close(); });
        worker.stop();
        worker.join();
        REQUIRE(response.has_value() == row.whole);
        if (response) {
            CHECK(response->body == "hello");
        } else {
            CHECK(response.error().code == core::Code::upstream_truncated);
        }
    }
}

TEST_CASE("a head that comes too slowly is answered 408, and a connection that says nothing is closed") {
    for (const bool tls : {false, true}) {
        for (const std::string sent : {"GET / HTTP/1.1\r\nhost: x", ""}) {
            CAPTURE(tls);
            CAPTURE(sent);
            Site site({.head = 30ms}, tls);
            std::string answer;
            bool clean = false;
            site.run([&]() -> net::Awaitable<void> {
                auto stream = co_await net::connect(site.worker, site.url.host, site.url.port, net::Stream::kNever);
                if (tls) {
                    const bool secured = co_await (*stream)->handshake_client(site.trusting(), site.url.host);
                    CHECK(secured);
                }
                const net::Pieces pieces{sent};
                co_await (*stream)->write(pieces);
                std::vector<char> chunk(100);
                for (;;) {
                    const std::size_t n = co_await (*stream)->read_some(chunk);
                    if (n == 0) break;
                    answer.append(chunk.data(), n);
                }
                clean = (*stream)->error() == boost::asio::error::eof;
            });
            CHECK(answer == (sent.empty() ? "" : "408"));
            CHECK(clean);
        }
    }
}
