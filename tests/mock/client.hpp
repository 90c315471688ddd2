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
