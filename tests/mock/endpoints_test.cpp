// The endpoints beside Responses and chat, as a client sees them.
#include <cmath>
#include <cstring>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "client.hpp"
#include "mock/answers.hpp"

using namespace oai;
using namespace oai::mock;
using namespace oai::mock::test;

namespace {

http::ClientResponse send(const Server& server, std::string method, std::string target, std::string body = {},
                          http::HeaderList headers = {}) {
    http::ClientRequest request = post(server, std::move(target), std::move(body), std::move(headers));
    request.method = std::move(method);
    const auto response = http::fetch_blocking(request);
    REQUIRE(response);
    return *response;
}

json::Value ask(const Server& server, std::string target, std::string body, http::HeaderList headers = {}) {
    const http::ClientResponse response = send(server, "POST", std::move(target), std::move(body), std::move(headers));
    CAPTURE(response.body);
    CHECK(response.status == 200);
    return parse(response.body);
}

std::string text(const json::Value& value, std::string_view path) {
    const json::Value* found = value.find_path(path);
    return found == nullptr ? "(absent)" : std::string(found->as_string().value_or("(no string)"));
}

std::int64_t number(const json::Value& value, std::string_view path) {
    const json::Value* found = value.find_path(path);
    return found == nullptr ? -1 : found->as_int().value_or(-2);
}

const http::HeaderList kAnthropic{{"anthropic-version", "2023-06-01"}};
const std::string kTools = R"("tools":[{"type":"function","function":{"name":"look","parameters":{}}}])";
const std::string kFlatTools = R"("tools":[{"type":"function","name":"look","parameters":{}}])";

}  // namespace

TEST_CASE("a tool is called when the request insists or the model's name says so") {
    auto server = start({});
    struct Row {
        const char* name;
        std::string body;
        bool calls;
    };
    const Row rows[] = {
        {"no tools", R"({"model":"mock-tool","messages":[]})", false},
        {"not asked", R"({"model":"m","messages":[],)" + kTools + "}", false},
        {"auto", R"({"model":"m","messages":[],"tool_choice":"auto",)" + kTools + "}", false},
        {"by model", R"({"model":"gpt-5-mock-tool","messages":[],)" + kTools + "}", true},
        {"required", R"({"model":"m","messages":[],"tool_choice":"required",)" + kTools + "}", true},
        {"by name",
         R"({"model":"m","messages":[],"tool_choice":{"type":"function","function":{"name":"look"}},)" + kTools + "}",
         true},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const json::Value whole = ask(*server, "/v1/chat/completions", row.body);
        const json::Value& choice = whole.find("choices")->items().at(0);
        CHECK(text(choice, "finish_reason") == (row.calls ? "tool_calls" : "stop"));
        CHECK(choice.find_path("message.content")->is_null() == row.calls);
        const json::Value* calls = choice.find_path("message.tool_calls");
        REQUIRE((calls != nullptr) == row.calls);
        if (!row.calls) continue;
        CHECK(text(calls->items().at(0), "function.name") == "look");
        CHECK(parse(text(calls->items().at(0), "function.arguments")).find("text") != nullptr);
    }
}

TEST_CASE("streamed tool calls add up to what the whole answer says") {
    auto server = start({});
    const std::string tail = R"("stream":true,"tool_choice":"required",)";

    std::string arguments, name;
    for (const std::string& data :
         events(send(*server, "POST", "/v1/chat/completions", R"({"model":"m","messages":[],)" + tail + kTools + "}")
                    .body)) {
        if (data == "[DONE]") continue;
        const json::Value chunk = parse(data);
        const json::Value* calls = chunk.find("choices")->items().at(0).find_path("delta.tool_calls");
        if (calls == nullptr) continue;
        arguments += text(calls->items().at(0), "function.arguments");
        if (const json::Value* named = calls->items().at(0).find_path("function.name"))
            name += named->as_string().value();
    }
    CHECK(name == "look");
    CHECK(parse(arguments).find("text")->is_string());

    std::string deltas;
    json::Value last;
    const std::vector<std::string> responses =
        events(send(*server, "POST", "/v1/responses", R"({"model":"m","input":"x",)" + tail + kFlatTools + "}").body);
    for (const std::string& data : responses) {
        const json::Value event = parse(data);
        if (text(event, "type") == "response.function_call_arguments.delta") deltas += text(event, "delta");
        if (text(event, "type") == "response.function_call_arguments.done") CHECK(text(event, "arguments") == deltas);
    }
    CHECK(deltas == arguments);
    const json::Value completed = parse(responses.back());
    const json::Value& item = completed.find_path("response.output")->items().at(0);
    CHECK(text(item, "type") == "function_call");
    CHECK(text(item, "name") == "look");
    CHECK(text(item, "arguments") == deltas);
    CHECK(number(completed, "response.usage.output_tokens") == 16);

    std::string partial;
    const std::string any = R"({"model":"m","max_tokens":99,"messages":[],"stream":true,"tool_choice":{"type":"any"},)"
                            R"("tools":[{"name":"look","input_schema":{}}]})";
    for (const std::string& data : events(send(*server, "POST", "/v1/messages", any, kAnthropic).body)) {
        const json::Value event = parse(data);
        if (text(event, "type") == "content_block_start") CHECK(text(event, "content_block.name") == "look");
        if (text(event, "type") == "content_block_delta") partial += text(event, "delta.partial_json");
        if (text(event, "type") == "message_delta") CHECK(text(event, "delta.stop_reason") == "tool_use");
    }
    CHECK(partial == deltas);
}

TEST_CASE("a summary of reasoning comes before the message") {
    auto server = start({});
    const std::vector<std::string> got =
        events(send(*server, "POST", "/v1/responses", R"({"model":"mock-reasoning","input":"x","stream":true})").body);
    REQUIRE(got.size() == 30);
    CHECK(type_of(got[2]) == "response.output_item.added");
    CHECK(type_of(got[4]) == "response.reasoning_summary_text.delta");
    CHECK(number(parse(got[8]), "output_index") == 1);
    const json::Value last = parse(got.back());
    CHECK(text(last.find_path("response.output")->items().at(0), "type") == "reasoning");
    CHECK(text(last.find_path("response.output")->items().at(1), "type") == "message");
    CHECK(number(last, "response.usage.output_tokens") ==
          16 + number(last, "response.usage.output_tokens_details.reasoning_tokens"));
}

TEST_CASE("completions of both kinds give as many choices as asked") {
    auto server = start({});
    for (const char* target : {"/v1/chat/completions", "/v1/completions"}) {
        CAPTURE(std::string(target));
        const std::string body = R"({"model":"m","messages":[],"prompt":"x","n":3,"max_tokens":2)";
        const json::Value whole = ask(*server, target, body + "}");
        CHECK(whole.find("choices")->items().size() == 3);
        CHECK(number(whole, "usage.completion_tokens") == 6);
        std::set<std::int64_t> indexes;
        const std::vector<std::string> chunks = events(send(*server, "POST", target, body + R"(,"stream":true})").body);
        for (const std::string& data : chunks) {
            if (data == "[DONE]") continue;
            const json::Value chunk = parse(data);
            CHECK(chunk.find("usage") == nullptr);
            indexes.insert(number(chunk.find("choices")->items().at(0), "index"));
        }
        CHECK(indexes == std::set<std::int64_t>{0, 1, 2});
        CHECK(chunks.back() == "[DONE]");
    }
    const json::Value legacy = ask(*server, "/v1/completions", R"({"model":"m","prompt":"x"})");
    CHECK(text(legacy, "object") == "text_completion");
    CHECK(text(legacy.find("choices")->items().at(0), "text").starts_with("A gateway"));
    CHECK(send(*server, "POST", "/v1/chat/completions", R"({"model":"m","messages":[],"n":0})").status == 400);
}

TEST_CASE("messages have Anthropic's events, usage and errors") {
    auto server = start({});
    const std::string body = R"({"model":"claude","max_tokens":99,"messages":[{"role":"user","content":"hi"}])";
    const json::Value whole = ask(*server, "/v1/messages", body + "}", kAnthropic);
    CHECK(text(whole, "type") == "message");
    CHECK(text(whole, "stop_reason") == "end_turn");
    CHECK(number(whole, "usage.output_tokens") == 16);

    std::vector<std::string> types;
    std::string said;
    const http::ClientResponse stream = send(*server, "POST", "/v1/messages", body + R"(,"stream":true})", kAnthropic);
    for (const std::string& data : events(stream.body)) {
        const json::Value event = parse(data);
        types.push_back(text(event, "type"));
        if (types.back() == "content_block_delta") said += text(event, "delta.text");
        if (types.back() == "message_delta") CHECK(number(event, "usage.output_tokens") == 16);
        if (types.back() == "message_start") CHECK(number(event, "message.usage.input_tokens") > 0);
    }
    REQUIRE(types.size() == 22);
    CHECK(types[0] == "message_start");
    CHECK(types[1] == "content_block_start");
    CHECK(types[2] == "ping");
    CHECK(types[19] == "content_block_stop");
    CHECK(types[20] == "message_delta");
    CHECK(types[21] == "message_stop");
    CHECK(said == text(whole.find("content")->items().at(0), "text"));
    CHECK(stream.header("request-id").starts_with("req_"));

    CHECK(number(ask(*server, "/v1/messages/count_tokens", body + "}", kAnthropic), "input_tokens") ==
          static_cast<std::int64_t>((body.size() + 1) / 4));
    struct Row {
        const char* name;
        std::string body;
        http::HeaderList headers;
        int status;
        const char* type;
    };
    const Row rows[] = {
        {"no version", body + "}", {}, 400, "invalid_request_error"},
        {"no limit", R"({"model":"claude","messages":[]})", kAnthropic, 400, "invalid_request_error"},
        {"overloaded", R"({"model":"mock-error-529","max_tokens":9})", kAnthropic, 529, "overloaded_error"},
        {"limited", R"({"model":"mock-error-429","max_tokens":9})", kAnthropic, 429, "rate_limit_error"},
        {"refused", R"({"model":"mock-error-401","max_tokens":9})", kAnthropic, 401, "authentication_error"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const http::ClientResponse response = send(*server, "POST", "/v1/messages", row.body, row.headers);
        CHECK(response.status == row.status);
        const json::Value error = parse(response.body);
        CHECK(text(error, "type") == "error");
        CHECK(text(error, "error.type") == row.type);
        CHECK(error.find_path("error.message")->is_string());
    }
    const std::vector<std::string> late =
        events(send(*server, "POST", "/v1/messages",
                    R"({"model":"mock-late-error-after-2","max_tokens":9,"stream":true})", kAnthropic)
                   .body);
    CHECK(text(parse(late.back()), "error.type") == "overloaded_error");
}

TEST_CASE("embeddings say the same in both encodings, and the same text the same thing") {
    auto server = start({});
    const auto embed = [&](const char* input, const char* more) {
        return ask(*server, "/v1/embeddings",
                   std::string(R"({"model":"m","dimensions":5,"input":)") + input + more + "}");
    };
    const json::Value one = embed(R"("hello")", "");
    const json::Value several = embed(R"(["other","hello"])", "");
    REQUIRE(several.find("data")->items().size() == 2);
    const auto& floats = one.find("data")->items()[0].find("embedding")->items();
    const auto& again = several.find("data")->items()[1].find("embedding")->items();
    const auto& other = several.find("data")->items()[0].find("embedding")->items();
    REQUIRE(floats.size() == 5);
    const json::Value coded = embed(R"("hello")", R"(,"encoding_format":"base64")");
    const std::string base64 = text(coded.find("data")->items()[0], "embedding");
    REQUIRE(base64.size() == 28);  // 20 bytes
    CHECK(base64.ends_with("="));
    bool differs = false;
    for (std::size_t i = 0; i < 5; ++i) {
        CHECK(floats[i].as_double() == again[i].as_double());
        differs = differs || floats[i].as_double() != other[i].as_double();
        CHECK(std::abs(*floats[i].as_double()) <= 0.5);
    }
    CHECK(differs);
    constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string bytes;
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < base64.size() && base64[i] != '='; ++i) {
        bits = bits << 6 | static_cast<std::uint32_t>(kDigits.find(base64[i]));
        if (i % 4 != 3) continue;
        for (int shift = 16; shift >= 0; shift -= 8) bytes += static_cast<char>(bits >> shift);
        bits = 0;
    }
    for (std::size_t i = 0; i < 4; ++i) {
        float component = 0;
        std::memcpy(&component, bytes.data() + i * 4, sizeof component);
        CHECK(static_cast<double>(component) == floats[i].as_double());
    }
    // An array of tokens is one input.
    CHECK(embed("[1,2,3]", "").find("data")->items().size() == 1);
    CHECK(embed("[[1],[2,3]]", "").find("data")->items().size() == 2);
    CHECK(ask(*server, "/v1/embeddings", R"({"model":"m","input":"x"})")
              .find("data")
              ->items()[0]
              .find("embedding")
              ->items()
              .size() == 1536);
}

TEST_CASE("moderations, images and token counts") {
    auto server = start({});
    const json::Value moderation = ask(*server, "/v1/moderations", R"({"model":"m","input":["a","b"]})");
    REQUIRE(moderation.find("results")->items().size() == 2);
    CHECK(moderation.find("results")->items()[0].find("flagged")->as_bool() == false);
    CHECK(moderation.find("results")->items()[0].find("categories")->find("hate/threatening")->as_bool() == false);
    const json::Value images = ask(*server, "/v1/images/generations", R"({"model":"m","prompt":"x","n":2})");
    CHECK(images.find("data")->items().size() == 2);
    const std::vector<std::string> partial =
        events(send(*server, "POST", "/v1/images/generations", R"({"model":"m","prompt":"x","stream":true})").body);
    CHECK(type_of(partial.front()) == "image_generation.partial_image");
    CHECK(type_of(partial.back()) == "image_generation.completed");
    const json::Value count = ask(*server, "/v1/responses/input_tokens", R"({"model":"m","input":"x"})");
    CHECK(text(count, "object") == "response.input_tokens");
    const json::Value compact = ask(*server, "/v1/responses/compact", R"({"model":"m","input":"x"})");
    CHECK(text(compact, "object") == "response.compaction");
    CHECK(text(compact.find("output")->items().at(0), "type") == "compaction");
}

TEST_CASE("speech is binary and chunked, transcriptions take a form") {
    auto server = start({});
    const http::ClientResponse speech =
        send(*server, "POST", "/v1/audio/speech", R"({"model":"m","input":"x","voice":"alloy"})");
    CHECK(speech.header("content-type") == "audio/mpeg");
    CHECK(speech.header("transfer-encoding") == "chunked");
    CHECK(speech.body.size() == 16 * 1024);
    CHECK(speech.body.find('\0') != std::string::npos);

    const auto form = [&](const std::string& fields) {
        return send(
            *server, "POST", "/v1/audio/transcriptions",
            "--B\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nwhisper\r\n" + fields +
                "--B\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\nRIFF\r\n--B--\r\n",
            {{"content-type", "multipart/form-data; boundary=B"}});
    };
    const auto field = [](const std::string& name, const std::string& value) {
        return "--B\r\ncontent-disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
    };
    const json::Value plain = parse(form("").body);
    CHECK(text(plain, "text").starts_with("A gateway"));
    CHECK(form(field("response_format", "text")).header("content-type").starts_with("text/plain"));
    CHECK(text(parse(form(field("response_format", "verbose_json")).body), "task") == "transcribe");
    std::string deltas;
    for (const std::string& data : events(form(field("stream", "true")).body)) {
        const json::Value event = parse(data);
        if (text(event, "type") == "transcript.text.delta") deltas += text(event, "delta");
        if (text(event, "type") == "transcript.text.done") CHECK(text(event, "text") == deltas);
    }
    CHECK(deltas == text(plain, "text"));
    const http::ClientResponse edit =
        send(*server, "POST", "/v1/images/variations",
             "--B\r\ncontent-disposition: form-data; name=\"image\"; filename=\"a.png\"\r\n\r\nPNG\r\n--B--\r\n",
             {{"content-type", "multipart/form-data; boundary=B"}});
    CHECK(edit.status == 200);
    CHECK(send(*server, "POST", "/v1/images/variations", "--B--", {{"content-type", "multipart/form-data"}}).status ==
          400);
}

TEST_CASE("a response is remembered until it is deleted, and nowhere else") {
    auto server = start({});
    auto other = start({});
    const json::Value made = ask(*server, "/v1/responses", R"({"model":"m","input":"hi there"})");
    const std::string id = text(made, "id");
    const http::ClientResponse got = send(*server, "GET", "/v1/responses/" + id);
    CHECK(got.status == 200);
    CHECK(text(parse(got.body), "id") == id);
    CHECK(number(parse(got.body), "usage.output_tokens") == 16);
    CHECK(send(*other, "GET", "/v1/responses/" + id).status == 404);

    const json::Value items = parse(send(*server, "GET", "/v1/responses/" + id + "/input_items").body);
    REQUIRE(items.find("data")->items().size() == 1);
    CHECK(text(items.find("data")->items()[0].find("content")->items().at(0), "text") == "hi there");
    CHECK(text(items, "first_id") == text(items, "last_id"));

    const std::string next = R"({"model":"m","input":"more","previous_response_id":")" + id + "\"}";
    CHECK(text(ask(*server, "/v1/responses", next), "previous_response_id") == id);
    const http::ClientResponse unknown = send(*other, "POST", "/v1/responses", next);
    CHECK(unknown.status == 400);
    CHECK(text(parse(unknown.body), "error.code") == "previous_response_not_found");
    CHECK(text(parse(unknown.body), "error.param") == "previous_response_id");

    CHECK(text(parse(send(*server, "POST", "/v1/responses/" + id + "/cancel").body), "status") == "cancelled");
    CHECK(parse(send(*server, "DELETE", "/v1/responses/" + id).body).find("deleted")->as_bool() == true);
    for (const char* path : {"", "/input_items"})
        CHECK(send(*server, "GET", "/v1/responses/" + id + path).status == 404);
    CHECK(send(*server, "POST", "/v1/responses", next).status == 400);

    const json::Value unstored = ask(*server, "/v1/responses", R"({"model":"m","input":"x","store":false})");
    CHECK(send(*server, "GET", "/v1/responses/" + text(unstored, "id")).status == 404);
    // A stream's too, and the failed one's not.
    const std::string stream = R"({"model":"m","input":"x","stream":true})";
    const json::Value created = parse(events(send(*server, "POST", "/v1/responses", stream).body)[0]);
    CHECK(send(*server, "GET", "/v1/responses/" + text(created, "response.id")).status == 200);
    const json::Value failed =
        parse(events(send(*server, "POST", "/v1/responses", stream, {{"x-mock-fault", "failed-event"}}).body)[0]);
    CHECK(send(*server, "GET", "/v1/responses/" + text(failed, "response.id")).status == 404);
}

TEST_CASE("the ring of remembered answers forgets the oldest") {
    Answers answers;
    Answer answer;
    const auto id_of = [](std::uint64_t n) {
        std::string id(48, 'a');
        for (std::size_t i = 0; i < 16; ++i, n >>= 4) id[47 - i] = "0123456789abcdef"[n & 15];
        return id;
    };
    for (const std::uint64_t n : {std::uint64_t{1}, std::uint64_t{2}, Answers::kMost + 1}) {
        const std::string id = id_of(n);
        answer.id = id;
        answers.keep(n, Answers::Kind::response, answer, "\"x\"");
    }
    CHECK_FALSE(answers.knows(Answers::Kind::response, id_of(1)));
    CHECK(answers.knows(Answers::Kind::response, id_of(2)));
    CHECK(answers.knows(Answers::Kind::response, id_of(Answers::kMost + 1)));
    CHECK_FALSE(answers.knows(Answers::Kind::chat, id_of(2)));
    std::string stranger = id_of(2);
    stranger[0] = 'b';
    CHECK_FALSE(answers.knows(Answers::Kind::response, stranger));
}

TEST_CASE("a chat completion is stored when it is asked to be") {
    auto server = start({});
    const json::Value unstored = ask(*server, "/v1/chat/completions", R"({"model":"m","messages":[]})");
    const json::Value stored = ask(*server, "/v1/chat/completions",
                                   R"({"model":"m","store":true,"messages":[{"role":"user","content":"hi"}]})");
    const std::string id = text(stored, "id");
    CHECK(send(*server, "GET", "/v1/chat/completions/" + text(unstored, "id")).status == 404);
    CHECK(text(parse(send(*server, "GET", "/v1/chat/completions/" + id).body), "id") == id);
    const json::Value list = parse(send(*server, "GET", "/v1/chat/completions").body);
    REQUIRE(list.find("data")->items().size() == 1);
    CHECK(text(list, "last_id") == id);
    const json::Value messages = parse(send(*server, "GET", "/v1/chat/completions/" + id + "/messages").body);
    CHECK(text(messages.find("data")->items().at(0), "content") == "hi");
    CHECK(send(*server, "DELETE", "/v1/chat/completions/" + id).status == 200);
    CHECK(send(*server, "GET", "/v1/chat/completions/" + id).status == 404);
}

TEST_CASE("a credential is asked for when one is configured, however it is shown") {
    ServerOptions options;
    options.behaviour.api_keys = {"sk-one", "sk-two"};
    auto server = start(options);
    struct Row {
        const char* name;
        const char* target;
        http::HeaderList headers;
        int status;
    };
    const Row rows[] = {
        {"none", "/v1/responses", {}, 401},
        {"wrong", "/v1/responses", {{"authorization", "Bearer sk-three"}}, 401},
        {"no scheme", "/v1/responses", {{"authorization", "sk-one"}}, 401},
        {"bearer", "/v1/responses", {{"authorization", "bearer sk-two"}}, 200},
        {"x-api-key", "/v1/responses", {{"x-api-key", "sk-one"}}, 200},
        {"Azure", "/openai/deployments/d/chat/completions?api-version=2024-10-21", {{"api-key", "sk-one"}}, 200},
        {"Azure, wrong", "/openai/deployments/d/chat/completions?api-version=2024-10-21", {{"api-key", "x"}}, 401},
        {"Azure without version", "/openai/deployments/d/chat/completions", {{"api-key", "sk-one"}}, 404},
        {"Azure, new", "/openai/v1/responses", {{"api-key", "sk-one"}}, 200},
        {"Azure, nothing behind", "/openai/deployments", {{"api-key", "sk-one"}}, 404},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const http::ClientResponse response = send(*server, "POST", row.target, R"({"model":"m"})", row.headers);
        CHECK(response.status == row.status);
        if (row.status == 401) CHECK(text(parse(response.body), "error.code") == "invalid_api_key");
    }
    const json::Value azure = ask(*server, "/openai/deployments/gpt-x/chat/completions?api-version=1",
                                  R"({"messages":[]})", {{"api-key", "sk-one"}});
    CHECK(text(azure, "model") == "gpt-x");
}

TEST_CASE("one account's fault is not the others'") {
    ServerOptions options;
    options.behaviour.key_faults = {{"sk-bad", *parse_fault("error-403")}};
    auto server = start(options);
    const std::string body = R"({"model":"m","input":"x"})";
    CHECK(send(*server, "POST", "/v1/responses", body, {{"authorization", "Bearer sk-bad"}}).status == 403);
    CHECK(send(*server, "POST", "/v1/responses", body, {{"authorization", "Bearer sk-good"}}).status == 200);
    const http::HeaderList counted{{"x-mock-fault", "fail-1-times-error-500"}, {"session_id", "s"}};
    CHECK(send(*server, "POST", "/v1/responses", body, counted).status == 500);
    CHECK(send(*server, "POST", "/v1/responses", body, counted).status == 200);
}

TEST_CASE("a refresh token brings a credential that is taken until it expires") {
    ServerOptions options;
    options.behaviour.api_keys = {"sk-one"};
    options.behaviour.oauth.rotate = true;
    options.behaviour.oauth.expires_in = std::chrono::seconds{90};
    auto server = start(options);
    const json::Value issued =
        ask(*server, "/oauth/token", "grant_type=refresh_token&client_id=c&refresh_token=first%2Bone");
    CHECK(number(issued, "expires_in") == 90);
    CHECK(text(issued, "token_type") == "Bearer");
    CHECK(send(*server, "POST", "/v1/responses", R"({"model":"m","input":"x"})",
               {{"authorization", "Bearer " + text(issued, "access_token")}})
              .status == 200);
    const http::ClientResponse again =
        send(*server, "POST", "/oauth/token", R"({"grant_type":"refresh_token","refresh_token":"first+one"})");
    CHECK(again.status == 400);
    CHECK(text(parse(again.body), "error") == "invalid_grant");
    const json::Value next =
        ask(*server, "/oauth/token",
            R"({"grant_type":"refresh_token","refresh_token":")" + text(issued, "refresh_token") + "\"}");
    CHECK(text(next, "refresh_token") != text(issued, "refresh_token"));
    CHECK(text(parse(send(*server, "POST", "/oauth/token", "grant_type=password").body), "error") ==
          "unsupported_grant_type");
}
