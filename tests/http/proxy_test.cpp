// Requests through a proxy, from end to end: client, proxy and server over loopback.
#include <array>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "http/client.hpp"
#include "http/server.hpp"
#include "net/connect.hpp"
#include "net/listener.hpp"

using namespace oai;
using namespace oai::http;
using namespace std::chrono_literals;

namespace {

core::TimePoint soon() {
    return std::chrono::steady_clock::now() + 10s;
}

/// Answers each request with its body.
struct Echo {
    int requests = 0;

    net::Awaitable<bool> handle(Connection& connection, RequestHead& head) {
        ++requests;
        net::Buffer gathered(connection.stream->worker().buffers());
        const core::Result<std::string_view> body =
            co_await read_whole_body(connection, head, core::Source::downstream, 1 << 20, gathered);
        if (!body) co_return false;
        const std::string answer =
            "HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(body->size()) + "\r\n\r\n" + std::string(*body);
        finish_body(connection, *body);
        const net::Pieces pieces{answer};
        const bool written = co_await connection.stream->write(pieces);
        co_return written;
    }
    net::Awaitable<void> refuse(Connection&, const core::Error&) { co_return; }
};

/// A small proxy of both kinds. It resolves every name to 127.0.0.1: only a proxy that gets the name can.
class RelayProxy {
public:
    RelayProxy(net::Worker& worker, net::Proxy::Kind kind)
        : kind_(kind), listener_(std::move(*net::Listener::open(worker, net::ListenAddress{"127.0.0.1", 0}, false))) {
        listener_->start([this, &worker](net::Socket socket) {
            ++connections;
            worker.spawn(serve(worker, std::move(socket), *this));
        });
    }

    std::shared_ptr<const net::Proxy> as(const std::string& user, const std::string& password) const {
        return std::make_shared<const net::Proxy>(net::Proxy{
            .kind = kind_, .host = "127.0.0.1", .port = listener_->port(), .user = user, .password = password});
    }
    void close() { listener_->close(); }

    int connections = 0;
    std::string asked_for;

private:
    /// As many bytes as are there: the other side waits for each answer, so they are one message.
    static net::Awaitable<std::string> message(net::Stream& stream) {
        std::array<char, 1024> bytes{};
        const std::size_t n = co_await stream.read_some(bytes);
        co_return std::string(bytes.data(), n);
    }

    static net::Awaitable<void> say(net::Stream& stream, std::string text) {
        const net::Pieces pieces{text};
        co_await stream.write(pieces);
    }

    /// The port asked for.
    static net::Awaitable<std::uint16_t> socks(net::Stream& stream, std::string& asked_for) {
        const std::string take_password("\5\2", 2), welcome("\1\0", 2), granted("\5\0\0\1\0\0\0\0\0\0", 10);
        co_await message(stream);
        co_await say(stream, take_password);
        co_await message(stream);
        co_await say(stream, welcome);
        const std::string request = co_await message(stream);
        co_await say(stream, granted);
        asked_for = request.substr(5, request.size() - 7);
        const auto byte = [&](std::size_t from_end) {
            return static_cast<unsigned>(static_cast<unsigned char>(request[request.size() - from_end]));
        };
        co_return static_cast<std::uint16_t>(byte(2) << 8 | byte(1));
    }

    static net::Awaitable<std::uint16_t> connect(net::Stream& stream, std::string& asked_for) {
        const std::string granted = "HTTP/1.1 200 Connection established\r\n\r\n";
        const std::string request = co_await message(stream);
        co_await say(stream, granted);
        const std::size_t begin = std::string("CONNECT ").size(), colon = request.find(':');
        asked_for = request.substr(begin, colon - begin);
        co_return static_cast<std::uint16_t>(std::stoi(request.substr(colon + 1)));
    }

    static net::Awaitable<void> pump(std::shared_ptr<net::Stream> from, std::shared_ptr<net::Stream> to) {
        for (;;) {
            const std::string bytes = co_await message(*from);
            if (bytes.empty()) break;
            co_await say(*to, bytes);
        }
        to->close();
    }

    static net::Awaitable<void> serve(net::Worker& worker, net::Socket socket, RelayProxy& self) {
        const auto client = std::make_shared<net::Stream>(worker, std::move(socket));
        std::uint16_t port = 0;
        if (self.kind_ == net::Proxy::Kind::socks5) {
            port = co_await socks(*client, self.asked_for);
        } else {
            port = co_await connect(*client, self.asked_for);
        }
        const net::Destination to{.host = "127.0.0.1", .port = port};
        core::Result<std::unique_ptr<net::Stream>> opened = co_await net::connect(worker, to, soon());
        if (!opened) co_return;
        const std::shared_ptr<net::Stream> server = std::move(*opened);
        worker.spawn(pump(server, client));
        co_await pump(client, server);
    }

    net::Proxy::Kind kind_;
    std::unique_ptr<net::Listener> listener_;
};

net::Awaitable<std::vector<core::Result<ClientResponse>>> fetch_all(net::Worker& worker,
                                                                    const std::vector<ClientRequest>& requests) {
    std::vector<core::Result<ClientResponse>> responses;
    Pool pool(worker);
    for (const ClientRequest& request : requests) {
        core::Result<ClientResponse> response = co_await fetch(pool, request);
        responses.push_back(std::move(response));
    }
    co_return responses;
}

}  // namespace

TEST_CASE("requests go through the proxy of their target, and kept connections are those of one way and one user") {
    for (const net::Proxy::Kind kind : {net::Proxy::Kind::http_connect, net::Proxy::Kind::socks5}) {
        CAPTURE(static_cast<int>(kind));
        net::Worker worker("test");
        Echo service;
        const auto server = std::move(*net::Listener::open(worker, net::ListenAddress{"127.0.0.1", 0}, false));
        server->start([&](net::Socket socket) {
            worker.spawn(serve_connection(worker, std::move(socket), service, ServerTimeouts{}));
        });
        RelayProxy proxy(worker, kind);
        ClientRequest request;
        request.method = "POST";
        // No name service knows it, so a request that arrives went through the proxy with its name.
        request.url = *parse_url("http://upstream.invalid:" + std::to_string(server->port()));
        request.target = "/x";
        std::vector<ClientRequest> requests;
        for (const char* password : {"one", "one", "two", "one"}) {
            request.proxy = proxy.as("me", password);
            request.body = std::string(300'000, password[0]);
            requests.push_back(request);
        }
        std::vector<core::Result<ClientResponse>> responses;
        const auto session = [&]() -> net::Awaitable<void> {
            std::vector<core::Result<ClientResponse>> got = co_await fetch_all(worker, requests);
            responses = std::move(got);
            server->close();
            proxy.close();
            worker.stop();
        };
        worker.spawn(session());
        worker.run();
        CHECK(worker.escaped_exceptions() == 0);
        REQUIRE(responses.size() == requests.size());
        for (std::size_t i = 0; i < responses.size(); ++i) {
            REQUIRE(responses[i]);
            CHECK(responses[i]->status == 200);
            CHECK(responses[i]->body == requests[i].body);
        }
        CHECK(service.requests == 4);
        CHECK(proxy.connections == 2);
        CHECK(proxy.asked_for == "upstream.invalid");
    }
}

TEST_CASE("the pool tells ways apart, and its keys hold no password") {
    const Url url = *parse_url("http://h:1");
    const auto with = [&](const char* text) {
        return Target(url, nullptr, std::make_shared<const net::Proxy>(*net::parse_proxy_url(text))).origin;
    };
    const std::vector<std::string> origins{
        Target(url).origin,         with("http://p:1"),          with("socks5://p:1"),       with("http://p:2"),
        with("http://me:word@p:1"), with("http://you:word@p:1"), with("http://me:other@p:1")};
    for (std::size_t a = 0; a < origins.size(); ++a) {
        for (std::size_t b = 0; b < a; ++b) CHECK(origins[a] != origins[b]);
        CHECK(origins[a].find("word") == std::string::npos);
    }
    CHECK(with("http://me:word@p:1") == origins[4]);
    CHECK(origins[0] == "http://h:1");
}
