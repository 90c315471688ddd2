#pragma once

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "http/client.hpp"
#include "http/sse.hpp"
#include "json/value.hpp"
#include "mock/server.hpp"
#include "net/connect.hpp"
#include "net/worker.hpp"

namespace oai::mock::test {

inline std::unique_ptr<Server> start(ServerOptions options) {
    options.keep_log = true;
    auto server = Server::start(std::move(options));
    REQUIRE(server);
    return std::move(*server);
}

inline http::ClientRequest post(const Server& server, std::string target, std::string body,
                                http::HeaderList headers = {}) {
    http::ClientRequest request;
    request.method = "POST";
    request.url = *http::parse_url(server.url());
    request.target = std::move(target);
    request.headers = std::move(headers);
    request.body = std::move(body);
    request.timeout = std::chrono::seconds{20};
    return request;
}

inline http::ClientRequest get(const Server& server, std::string target) {
    http::ClientRequest request = post(server, std::move(target), "");
    request.method = "GET";
    return request;
}

/// Sends bytes as they are, `then` after something came back, and returns all that came until the server closed.
/// `end`: how its close looked.
inline std::string raw_exchange(const Server& server, std::string bytes, std::string then = {},
                                boost::system::error_code* end = nullptr) {
    net::Worker worker("client");
    std::string answer;
    boost::system::error_code ignored;
    if (end == nullptr) end = &ignored;
    struct Session {
        static net::Awaitable<void> run(net::Worker& w, std::uint16_t port, const std::string& bytes,
                                        const std::string& then, std::string& into, boost::system::error_code& end) {
            const std::string host = "127.0.0.1";
            auto stream =
                co_await net::connect(w, host, port, std::chrono::steady_clock::now() + std::chrono::seconds{10});
            if (stream) {
                (*stream)->set_deadline(std::chrono::steady_clock::now() + std::chrono::seconds{10});
                const net::Pieces pieces{bytes};
                co_await (*stream)->write(pieces);
                std::vector<char> chunk(65536);
                for (;;) {
                    const std::size_t n = co_await (*stream)->read_some(chunk);
                    if (n == 0) break;
                    if (into.empty() && !then.empty()) {
                        const net::Pieces rest{then};
                        co_await (*stream)->write(rest);
                    }
                    into.append(chunk.data(), n);
                }
                end = (*stream)->error();
            }
            w.stop();
        }
    };
    worker.spawn(Session::run(worker, server.port(), bytes, then, answer, *end));
    worker.run();
    return answer;
}

inline json::Value parse(const std::string& text) {
    auto value = json::Value::parse(text);
    REQUIRE(value);
    return std::move(*value);
}

/// The data of each event.
inline std::vector<std::string> events(const std::string& body) {
    std::vector<std::string> all;
    http::SseReader reader;
    const auto fed = reader.feed(body, [&](const http::SseEvent& event) { all.emplace_back(event.data); });
    CHECK(fed);
    return all;
}

inline std::string type_of(const std::string& data) {
    return std::string(parse(data).find("type")->as_string().value());
}

/// For what another thread is about to do.
template <class Condition>
bool soon(Condition condition) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (!condition()) {
        if (std::chrono::steady_clock::now() > until) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    return true;
}

}  // namespace oai::mock::test
