// Connections over loopback: heads, bodies and the pool, as both sides of the gateway use them.
#include "http/connection.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "http/client.hpp"
#include "http/server.hpp"
#include "net/listener.hpp"

using namespace oai;
using namespace oai::http;

namespace {

/// A server that answers each request with fixed bytes, and notes what it got.
struct Canned {
    std::string answer;
    bool keep = true;
    std::vector<std::string> bodies;
    int connections = 0;

    net::Awaitable<bool> handle(Connection& connection, RequestHead& head) {
        net::Buffer gathered(connection.stream->worker().buffers());
        const core::Result<std::string_view> body =
            co_await read_whole_body(connection, head, core::Source::downstream, 1 << 20, gathered);
        bodies.push_back(body ? std::string(*body) : "error: " + body.error().detail);
        if (body) finish_body(connection, *body);
        const net::Pieces pieces{answer};
        const bool written = co_await connection.stream->write(pieces);
        co_return written&& keep&& body;
    }
    net::Awaitable<void> refuse(Connection& connection, const core::Error& error) {
        bodies.push_back("refused: " + error.detail);
        const std::string text = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        const net::Pieces pieces{text};
        co_await connection.stream->write(pieces);
    }
};

struct Loop {
    explicit Loop(Canned& service)
        : listener(std::move(*net::Listener::open(worker, net::ListenAddress{"127.0.0.1", 0}, false))) {
        listener->start([this, &service](net::Socket socket) {
            ++service.connections;
            worker.spawn(serve_connection(worker, std::move(socket), service, ServerTimeouts{}));
        });
        url = *parse_url("http://127.0.0.1:" + std::to_string(listener->port()));
    }

    std::vector<core::Result<ClientResponse>> fetch_all(std::vector<ClientRequest> requests) {
        std::vector<core::Result<ClientResponse>> responses;
        worker.spawn(run(requests, responses));
        worker.run();
        CHECK(worker.escaped_exceptions() == 0);
        return responses;
    }

    net::Awaitable<void> run(std::vector<ClientRequest>& requests,
                             std::vector<core::Result<ClientResponse>>& responses) {
        {
            Pool pool(worker);
            for (ClientRequest& request : requests) {
                request.url = url;
                core::Result<ClientResponse> response = co_await fetch(pool, request);
                responses.push_back(std::move(response));
            }
        }
        listener->close();
        worker.stop();
    }

    net::Worker worker{"test"};
    std::unique_ptr<net::Listener> listener;
    Url url;
};

ClientRequest post(std::string body) {
    ClientRequest request;
    request.method = "POST";
    request.target = "/x";
    request.body = std::move(body);
    request.timeout = std::chrono::seconds{5};
    return request;
}

}  // namespace

TEST_CASE("bodies of any size arrive whole, on one kept connection") {
    Canned service{.answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", .bodies = {}};
    Loop loop(service);
    const std::string large(700'000, 'b');
    const auto responses = loop.fetch_all({post(""), post("small"), post(large), post("again")});
    for (const auto& response : responses) {
        REQUIRE(response);
        CHECK(response->body == "ok");
    }
    CHECK(service.bodies == std::vector<std::string>{"", "small", large, "again"});
    CHECK(service.connections == 1);
}

TEST_CASE("answers come whole in every framing") {
    struct Row {
        const char* name;
        const char* answer;
        bool keep;
        const char* body;
    };
    const Row rows[] = {
        {"length", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", true, "hello"},
        {"chunked", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nt: v\r\n\r\n",
         true, "hello"},
        {"until close", "HTTP/1.1 200 OK\r\n\r\nhello", false, "hello"},
        {"interim head first",
         "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", true, "hello"},
        {"no content", "HTTP/1.1 204 No Content\r\n\r\n", true, ""},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        Canned service{.answer = row.answer, .keep = row.keep, .bodies = {}};
        Loop loop(service);
        const auto responses = loop.fetch_all({post("a"), post("b")});
        REQUIRE(responses.size() == 2);
        for (const auto& response : responses) {
            REQUIRE(response);
            CHECK(response->body == row.body);
        }
    }
}

TEST_CASE("a cut or garbled answer is an error of the upstream, and says so") {
    struct Row {
        const char* name;
        const char* answer;
        core::Code code;
    };
    const Row rows[] = {
        {"cut body", "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello", core::Code::upstream_truncated},
        {"cut chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhe", core::Code::upstream_truncated},
        {"cut head", "HTTP/1.1 200 OK\r\ncontent-le", core::Code::upstream_truncated},
        {"no HTTP", "SSH-2.0-OpenSSH\r\n\r\n", core::Code::upstream_malformed},
        {"bad chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n", core::Code::upstream_malformed},
        {"nothing", "", core::Code::upstream_truncated},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        Canned service{.answer = row.answer, .keep = false, .bodies = {}};
        Loop loop(service);
        const auto responses = loop.fetch_all({post("a")});
        REQUIRE_FALSE(responses[0]);
        CHECK(responses[0].error().code == row.code);
        CHECK(responses[0].error().source == core::Source::upstream);
    }
}

TEST_CASE("a kept connection that the server closed is replaced without the caller noticing") {
    // Two answers, then the server closes although it promised to keep the connection.
    Canned service{.answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", .keep = false, .bodies = {}};
    Loop loop(service);
    const auto responses = loop.fetch_all({post("a"), post("b"), post("c")});
    for (const auto& response : responses) CHECK(response);
    CHECK(service.bodies == std::vector<std::string>{"a", "b", "c"});
    CHECK(service.connections == 3);
}
