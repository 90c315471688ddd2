#include "upstream/model_lists.hpp"

#include <doctest/doctest.h>

using namespace oai;
using namespace oai::upstream;
using namespace std::chrono_literals;

namespace {

Account account(std::string name, AccountType type = AccountType::openai, const char* url = "http://127.0.0.1:1") {
    return Account{.name = std::move(name), .type = type, .target = http::Target(*http::parse_url(url))};
}

std::vector<ListedModel> models(std::string id) {
    return {{std::move(id), "{}"}};
}

}  // namespace

TEST_CASE("a list is fetched by one at a time, serves while it is renewed, and survives a failure") {
    ModelLists lists;
    const Account a = account("a");
    core::TimePoint now{1h};
    ModelLists::Need need = lists.need(a, now, 10min);
    CHECK(need.fetch);
    CHECK_FALSE(need.known);
    CHECK_FALSE(lists.need(a, now, 10min).fetch);  // somebody is at it
    CHECK_FALSE(lists.list(a));

    lists.put(a, models("m1"), now);
    need = lists.need(a, now + 10min - 1s, 10min);
    CHECK(need.known);
    CHECK_FALSE(need.fetch);
    CHECK(lists.list(a)->front().id == "m1");

    now += 10min;
    CHECK(lists.need(a, now, 10min).fetch);
    CHECK(lists.list(a)->front().id == "m1");  // meanwhile
    lists.put(a, core::Error{.code = core::Code::upstream_error}, now);
    CHECK(lists.list(a)->front().id == "m1");
    // After a failure it is tried again sooner.
    CHECK_FALSE(lists.need(a, now + ModelLists::kRetryAfter - 1s, 10min).fetch);
    CHECK(lists.need(a, now + ModelLists::kRetryAfter, 10min).fetch);

    // Another URL under the same name has other models.
    CHECK_FALSE(lists.list(account("a", AccountType::openai, "http://127.0.0.1:2")));
}

TEST_CASE("lists of both dialects are read, each model as it came") {
    const auto read = [](int status, std::string body) {
        return read_model_list(http::ClientResponse{.status = status, .headers = {}, .body = std::move(body)});
    };
    const auto openai =
        read(200, R"({"object":"list","data":[{"id":"m","object":"model","created":1,"x":[1]},{"id":7}]})");
    REQUIRE(openai);
    REQUIRE(openai->size() == 1);
    CHECK(openai->front().id == "m");
    CHECK(openai->front().json == R"({"id":"m","object":"model","created":1,"x":[1]})");
    // What OpenAI's clients read is put in front of Anthropic's.
    const auto anthropic =
        read(200, R"({"data":[{"type":"model","id":"claude","created_at":"2025-02-19T00:00:00Z"}],"has_more":false})");
    REQUIRE(anthropic);
    CHECK(
        anthropic->front().json ==
        R"({"object":"model","created":1739923200,"owned_by":"anthropic","type":"model","id":"claude","created_at":"2025-02-19T00:00:00Z"})");
    CHECK(read(200, R"({"data":[]})")->empty());
    for (const char* bad : {"", "[]", "{}", R"({"data":{}})", "<html>"}) {
        CAPTURE(bad);
        CHECK_FALSE(read(200, bad));
    }
    CHECK_FALSE(read(404, R"({"data":[]})"));
}

TEST_CASE("a list is asked for as the account's provider wants it") {
    const std::string openai = model_list_request(account("a"), "authorization: Bearer k\r\n").head;
    CHECK(openai.starts_with("GET /v1/models HTTP/1.1\r\nhost: 127.0.0.1:1\r\nauthorization: Bearer k\r\n"));
    CHECK(openai.ends_with("\r\n\r\n"));
    const std::string anthropic = model_list_request(account("a", AccountType::anthropic), "x-api-key: k\r\n").head;
    CHECK(anthropic.starts_with("GET /v1/models?limit=1000 HTTP/1.1\r\n"));
    CHECK(anthropic.find("anthropic-version: 2023-06-01\r\nx-api-key: k\r\n") != std::string::npos);
}
