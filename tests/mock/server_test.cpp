#include "mock/server.hpp"

#include <set>
#include <string>

#include <doctest/doctest.h>

#include "client.hpp"
#include "http/pool.hpp"
#include "mock/format.hpp"
#include "net/connect.hpp"
#include "net/tls.hpp"
#include "net/worker.hpp"
#include "support/authority.hpp"

using namespace oai;
using namespace oai::mock;
using namespace oai::mock::test;
using namespace std::chrono_literals;

namespace {

const std::string kBody = R"({"model":"gpt-5-mini","input":"hi"})";
const std::string kStreamBody = R"({"model":"gpt-5-mini","input":"hi","stream":true})";

Distribution delay(const char* text) {
    return *parse_duration_distribution(text);
}

}  // namespace

TEST_CASE("a whole answer comes with length, usage and ids of its own") {
    auto server = start({});
    std::set<std::string> ids;
    for (const char* target : {"/v1/responses", "/v1/chat/completions"}) {
        CAPTURE(target);
        const auto response = http::fetch_blocking(post(*server, target, kBody));
        REQUIRE(response);
        CHECK(response->status == 200);
        CHECK(response->header("content-type") == "application/json");
        CHECK(response->header("content-length") == std::to_string(response->body.size()));
        CHECK(response->header("openai-processing-ms") == "0");
        const json::Value body = parse(response->body);
        CHECK(body.find("model")->as_string() == "gpt-5-mini");
        CHECK(body.find_path("usage.total_tokens")->as_int() == 16 + static_cast<std::int64_t>(kBody.size() / 4));
        ids.insert(std::string(response->header("x-request-id")));
        ids.insert(std::string(body.find("id")->as_string().value()));
    }
    CHECK(ids.size() == 4);
}

TEST_CASE("a stream comes in chunks, whole, with an event for each token") {
    auto server = start({});
    const auto response = http::fetch_blocking(post(*server, "/v1/responses?x=1", kStreamBody));
    REQUIRE(response);
    CHECK(response->header("content-type") == "text/event-stream; charset=utf-8");
    CHECK(response->header("transfer-encoding") == "chunked");
    const std::vector<std::string> got = events(response->body);
    REQUIRE(got.size() == 24);
    CHECK(type_of(got.front()) == "response.created");
    CHECK(type_of(got.back()) == "response.completed");
    CHECK(parse(got.back()).find_path("response.usage.output_tokens")->as_int() == 16);

    const std::string chat =
        R"({"model":"m","messages":[],"stream":true,"max_tokens":3,"stream_options":{"include_usage":true}})";
    const auto chunks = http::fetch_blocking(post(*server, "/v1/chat/completions", chat));
    REQUIRE(chunks);
    const std::vector<std::string> data = events(chunks->body);
    REQUIRE(data.size() == 7);
    CHECK(parse(data[5]).find_path("usage.completion_tokens")->as_int() == 3);
    CHECK(data.back() == "[DONE]");
}

TEST_CASE("requests that are none are answered in OpenAI's shape") {
    auto server = start({});
    struct Row {
        const char* name;
        const char* method;
        const char* target;
        std::string body;
        int status;
        const char* param;
        const char* says;
    };
    const Row rows[] = {
        {"no model", "POST", "/v1/responses", R"({"input":"hi"})", 400, "model", "Missing required parameter"},
        {"null model", "POST", "/v1/responses", R"({"model":null})", 400, "model", "Missing"},
        {"model of another type", "POST", "/v1/chat/completions", R"({"model":5})", 400, "model", "expected a string"},
        {"empty model", "POST", "/v1/responses", R"({"model":""})", 400, "model", "not empty"},
        {"long model", "POST", "/v1/responses", "{\"model\":\"" + std::string(300, 'm') + "\"}", 400, "model",
         "too long"},
        {"stream is no flag", "POST", "/v1/responses", R"({"model":"m","stream":"yes"})", 400, "stream", "boolean"},
        {"limit is none", "POST", "/v1/responses", R"({"model":"m","max_output_tokens":0})", 400, "max_output_tokens",
         "at least 1"},
        {"unknown fault", "POST", "/v1/responses", R"({"model":"mock-boom"})", 400, "model", "failed-event"},
        {"bad JSON", "POST", "/v1/responses", R"({"model":"m")", 400, "", "could not parse"},
        {"no JSON", "POST", "/v1/responses", "hello", 400, "", "could not parse"},
        {"nothing", "POST", "/v1/responses", "", 400, "", "empty"},
        {"unknown path", "POST", "/v1/nowhere", "{}", 404, "", "Invalid URL (POST /v1/nowhere)"},
        {"another method", "PUT", "/v1/responses", "", 405, "", "Not allowed"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        http::ClientRequest request = post(*server, row.target, row.body);
        request.method = row.method;
        const auto response = http::fetch_blocking(request);
        REQUIRE(response);
        CHECK(response->status == row.status);
        const json::Value body = parse(response->body);
        CHECK(body.find_path("error.message")->as_string()->find(row.says) != std::string_view::npos);
        CHECK(body.find_path("error.type")->as_string() == "invalid_request_error");
        CHECK(body.find_path("error.param")->as_string().value_or("") == row.param);
    }
}

TEST_CASE("models are listed, and every name is one") {
    ServerOptions options;
    options.behaviour.models = {"a", "b"};
    auto server = start(options);
    const json::Value list = parse(http::fetch_blocking(get(*server, "/v1/models"))->body);
    REQUIRE(list.find("data")->items().size() == 2);
    CHECK(list.find("data")->items()[1].find("id")->as_string() == "b");
    CHECK(list.find("data")->items()[1].find("object")->as_string() == "model");
    CHECK(parse(http::fetch_blocking(get(*server, "/v1/models/c"))->body).find("id")->as_string() == "c");
}

TEST_CASE("what is echoed is what was asked") {
    auto server = start({});
    const json::Value before = parse(http::fetch_blocking(post(*server, "/v1/responses", kBody))->body);
    const std::string previous(before.find("id")->as_string().value());
    const std::string body = R"({"model":"gpt-\u00e9","max_output_tokens":4,"previous_response_id":")" + previous +
                             R"(","store":false,"input":"hi"})";
    const json::Value echoed = parse(http::fetch_blocking(post(*server, "/v1/responses", body))->body);
    CHECK(echoed.find("model")->as_string() == "gpt-\xC3\xA9");
    CHECK(echoed.find("previous_response_id")->as_string() == previous);
    CHECK(echoed.find("max_output_tokens")->as_int() == 4);
    CHECK(echoed.find("store")->as_bool() == false);
    CHECK(echoed.find("status")->as_string() == "incomplete");
    server->stop();
    CHECK(server->log().at(1).model == "gpt-\xC3\xA9");
}

TEST_CASE("HTTP is spoken as each client needs it") {
    auto server = start({});
    const std::string length = "content-length: " + std::to_string(kBody.size()) + "\r\n";
    const std::string stream_length = "content-length: " + std::to_string(kStreamBody.size()) + "\r\n";
    const std::string closing = "POST /v1/responses HTTP/1.1\r\nhost: m\r\nconnection: close\r\n";

    SUBCASE("two requests on one connection, sent at once") {
        const std::string first = "POST /v1/responses HTTP/1.1\r\nhost: m\r\n" + length + "\r\n" + kBody;
        const std::string got = raw_exchange(*server, first + closing + stream_length + "\r\n" + kStreamBody);
        CHECK(got.find("content-length: ") < got.find("transfer-encoding: chunked"));
        CHECK(got.ends_with("0\r\n\r\n"));
        CHECK(server->counters().connections == 1);
        CHECK(server->counters().requests == 2);
    }
    SUBCASE("HTTP/1.0 streams end with the connection") {
        const std::string got =
            raw_exchange(*server, "POST /v1/responses HTTP/1.0\r\n" + stream_length + "\r\n" + kStreamBody);
        CHECK(got.find("transfer-encoding") == std::string::npos);
        CHECK(got.find("connection: close\r\n") != std::string::npos);
        CHECK(got.ends_with("}\n\n"));
    }
    SUBCASE("a body is waited for with 100 Continue") {
        const std::string got = raw_exchange(*server, closing + "expect: 100-continue\r\n" + length + "\r\n", kBody);
        CHECK(got.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"));
    }
    SUBCASE("a chunked body is read whole") {
        const std::string got = raw_exchange(
            *server, closing + "transfer-encoding: chunked\r\n\r\n5\r\n{\"mod\r\n8\r\nel\":\"m\"}\r\n0\r\n\r\n");
        CHECK(got.starts_with("HTTP/1.1 200 OK\r\n"));
    }
    SUBCASE("HEAD gets a head") {
        const std::string got =
            raw_exchange(*server, "HEAD /v1/models HTTP/1.1\r\nhost: m\r\nconnection: close\r\n\r\n");
        CHECK(got.starts_with("HTTP/1.1 405 "));
        CHECK(got.ends_with("\r\n\r\n"));
    }
    SUBCASE("what is no HTTP is a 400 and the end") {
        const std::string got = raw_exchange(*server, "NONSENSE\r\n\r\n");
        CHECK(got.starts_with("HTTP/1.1 400 Bad Request\r\n"));
        CHECK(got.find("\"error\"") != std::string::npos);
    }
    SUBCASE("too large a body is refused before it comes") {
        const std::string got = raw_exchange(*server, closing + "content-length: 99999999\r\n\r\n");
        CHECK(got.starts_with("HTTP/1.1 413 "));
    }
}

TEST_CASE("a large body is read whole") {
    auto server = start({});
    const std::string body = R"({"model":"m","input":")" + std::string(5'000'000, 'x') + "\"}";
    const auto response = http::fetch_blocking(post(*server, "/v1/responses", body));
    REQUIRE(response);
    CHECK(parse(response->body).find_path("usage.input_tokens")->as_int() ==
          static_cast<std::int64_t>(body.size() / 4));
}

TEST_CASE("delays are kept, and the log says what was sent when") {
    ServerOptions options;
    options.behaviour.first_byte = delay("2ms");
    options.behaviour.ttft = delay("8ms");
    options.behaviour.gap = delay("1ms");
    options.behaviour.latency = delay("6ms");
    options.behaviour.tokens = Distribution::constant(5);
    auto server = start(options);
    REQUIRE(http::fetch_blocking(post(*server, "/v1/responses", kStreamBody)));
    REQUIRE(http::fetch_blocking(post(*server, "/v1/responses", kBody)));
    server->stop();
    const std::vector<SendRecord> log = server->log();
    REQUIRE(log.size() == 2);
    CHECK(log[0].number == 1);
    CHECK(log[0].stream);
    CHECK(log[0].status == 200);
    CHECK(log[0].complete);
    CHECK(log[0].events == 13);
    CHECK(log[0].output_events == 5);
    CHECK(*log[0].first_byte_us >= 2'000);
    CHECK(*log[0].first_output_us >= 8'000);
    CHECK(*log[0].first_output_us > *log[0].first_byte_us);
    CHECK(log[0].end_us >= 12'000);
    CHECK_FALSE(log[1].stream);
    CHECK(*log[1].first_byte_us >= 6'000);
    CHECK(log[1].end_us == *log[1].first_byte_us);
    CHECK_FALSE(log[1].first_output_us);
    CHECK(log[1].received_us > log[0].received_us);
    CHECK(log[1].bytes > 1'000);
}

TEST_CASE("a behaviour holds from the next request on") {
    auto server = start({});
    CHECK(http::fetch_blocking(post(*server, "/v1/responses", kBody))->status == 200);
    FaultRates faults;
    faults.error_bp = 10'000;
    faults.error_status = 529;
    server->set_faults(faults);
    CHECK(http::fetch_blocking(post(*server, "/v1/responses", kBody))->status == 529);
    CHECK(server->counters().faults == 1);
    server->set_faults({});
    CHECK(http::fetch_blocking(post(*server, "/v1/responses", kBody))->status == 200);
}

TEST_CASE("many requests at once, over several workers, each get their own answer") {
    ServerOptions options;
    options.workers = 3;
    options.behaviour.ttft = delay("uniform(0,3ms)");
    options.behaviour.gap = delay("exp(200us)");
    options.behaviour.tokens = *parse_count_distribution("1-20");
    auto server = start(options);
    net::Worker worker("client");
    http::Pool pool(worker);
    struct Client {
        static net::Awaitable<void> run(net::Worker& w, http::Pool& p, const Server& s, int& left, int& good) {
            for (int i = 0; i < 5; ++i) {
                http::ClientRequest request = post(s, "/v1/responses", kStreamBody);
                const auto response = co_await http::fetch(p, std::move(request));
                if (!response || response->status != 200) continue;
                const std::vector<std::string> got = events(response->body);
                const json::Value last = parse(got.back());
                const auto tokens = last.find_path("response.usage.output_tokens")->as_int();
                if (tokens && static_cast<std::size_t>(*tokens) + 8 == got.size()) ++good;
            }
            if (--left == 0) {
                p.clear();
                w.stop();
            }
        }
    };
    int left = 60, good = 0;
    for (int i = 0; i < 60; ++i) worker.spawn(Client::run(worker, pool, *server, left, good));
    worker.run();
    CHECK(good == 300);
    CHECK(server->counters().requests == 300);
    CHECK(server->counters().connections <= 60);
    CHECK(soon([&] { return server->counters().open == 0; }));
    server->stop();
    std::set<std::uint64_t> numbers;
    for (const SendRecord& record : server->log()) numbers.insert(record.number);
    CHECK(numbers.size() == 300);
    CHECK(*numbers.rbegin() == 300);
}

TEST_CASE("stopping ends streams in the middle and leaves nothing") {
    ServerOptions options;
    options.workers = 2;
    options.behaviour.gap = delay("1h");
    auto server = start(options);
    net::Worker worker("client");
    http::Pool pool(worker);
    struct Client {
        static net::Awaitable<void> run(net::Worker& w, http::Pool& p, const Server& s, int& left, int& cut) {
            http::ClientRequest request = post(s, "/v1/responses", kStreamBody);
            const auto response = co_await http::fetch(p, std::move(request));
            if (!response && response.error().code == core::Code::upstream_truncated) ++cut;
            if (--left == 0) w.stop();
        }
    };
    int left = 20, cut = 0;
    for (int i = 0; i < 20; ++i) worker.spawn(Client::run(worker, pool, *server, left, cut));
    worker.start();
    CHECK(soon([&] { return server->counters().requests == 20; }));
    server->stop();
    CHECK(server->counters().open == 0);
    worker.join();
    CHECK(cut == 20);
    CHECK_FALSE(http::fetch_blocking(post(*server, "/v1/responses", kBody)));
    CHECK(server->log().size() == 20);
}

TEST_CASE("it runs on a given worker, and may go while its connections still end") {
    net::Worker worker("both");
    auto started = Server::start_on(worker, {});
    REQUIRE(started);
    std::unique_ptr<Server> server = std::move(*started);
    http::Pool pool(worker);
    int status = 0;
    struct Client {
        static net::Awaitable<void> run(net::Worker& w, http::Pool& p, std::unique_ptr<Server>& s, int& status) {
            http::ClientRequest request = post(*s, "/v1/responses", kStreamBody);
            const auto response = co_await http::fetch(p, std::move(request));
            if (response) status = response->status;
            s.reset();
            w.stop();
        }
    };
    worker.spawn(Client::run(worker, pool, server, status));
    worker.run();
    CHECK(status == 200);
    CHECK(worker.escaped_exceptions() == 0);
    pool.clear();
}

TEST_CASE("a start that cannot be says why") {
    auto server = start({});
    ServerOptions taken;
    taken.listen = "127.0.0.1:" + std::to_string(server->port());
    const auto second = Server::start(taken);
    REQUIRE_FALSE(second);
    CHECK(second.error().detail.find(taken.listen) != std::string::npos);
    ServerOptions nowhere;
    nowhere.listen = "here";
    CHECK_FALSE(Server::start(nowhere));
    ServerOptions log;
    log.log_file = "/nonexistent/log";
    CHECK_FALSE(Server::start(log));
}

TEST_CASE("with a certificate it answers https, streams and broken answers too") {
    oai::test::Authority authority;
    const oai::test::Identity identity = authority.issue();
    ServerOptions options;
    options.tls = *oai::net::TlsServerContext::make(identity.certificate, identity.key);
    options.behaviour.gap = Distribution::constant(2'000'000);
    const auto server = start(options);
    CHECK(server->url() == "https://127.0.0.1:" + std::to_string(server->port()));
    struct Row {
        const char* model;
        bool stream;
        const char* holds;  ///< in the answer; null: the answer is cut
    };
    const Row rows[] = {
        {"gpt-5", false, "\"status\":\"completed\""}, {"gpt-5", true, "event: response.completed"},
        {"mock-error-429", false, "rate_limit"},      {"mock-cut-after-2", true, nullptr},
        {"gpt-5", true, "event: response.completed"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.model);
        CAPTURE(row.stream);
        http::ClientRequest request = post(*server, "/v1/responses",
                                           R"({"model":")" + std::string(row.model) + R"(","input":"hi","stream":)" +
                                               (row.stream ? "true}" : "false}"));
        request.tls = *oai::net::TlsClientContext::make({.ca_file = authority.file()});
        const auto response = http::fetch_blocking(request);
        REQUIRE(response.has_value() == (row.holds != nullptr));
        if (response) CHECK(response->body.find(row.holds) != std::string::npos);
    }
    // Whoever speaks no TLS learns nothing.
    CHECK(raw_exchange(*server, "GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n").find("HTTP/1.1") == std::string::npos);
}
