// Files, batches, threads and all the others: one mechanism, so one table of tests.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "client.hpp"
#include "crypto/hash.hpp"
#include "mock/objects.hpp"

using namespace oai;
using namespace oai::mock;
using namespace oai::mock::test;

namespace {

struct Client {
    const Server& server;

    http::ClientResponse send(std::string method, std::string target, std::string body = {},
                              http::HeaderList headers = {}) const {
        http::ClientRequest request = post(server, std::move(target), std::move(body), std::move(headers));
        request.method = std::move(method);
        const auto response = http::fetch_blocking(request);
        REQUIRE(response);
        return *response;
    }
    json::Value json(std::string method, std::string target, std::string body = {}) const {
        const http::ClientResponse response = send(std::move(method), std::move(target), std::move(body));
        CAPTURE(response.body);
        CHECK(response.status == 200);
        return parse(response.body);
    }
    http::ClientResponse upload(std::string target, const std::string& field, const std::string& bytes) const {
        const std::string form =
            "--B\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--B\r\n"
            "content-disposition: form-data; name=\"" +
            field + "\"; filename=\"f.jsonl\"\r\n\r\n" + bytes + "\r\n--B--\r\n";
        return send("POST", std::move(target), form, {{"content-type", "multipart/form-data; boundary=B"}});
    }
    std::string file() const { return text(parse(upload("/v1/files", "file", "{}").body), "id"); }

    static std::string text(const json::Value& value, std::string_view path) {
        const json::Value* found = value.find_path(path);
        return found == nullptr ? "(absent)" : std::string(found->as_string().value_or("(no string)"));
    }
};

std::string text(const json::Value& value, std::string_view path) {
    return Client::text(value, path);
}

}  // namespace

TEST_CASE("every resource is made, found, listed, changed and deleted, and no other mock knows it") {
    auto server = start({});
    auto other = start({});
    const Client here{*server}, there{*other};
    for (const Resource& row : resources()) {
        CAPTURE(std::string(row.path));
        std::string path(row.path), path_there = path;
        if (const std::size_t star = path.find('*'); star != std::string::npos) {
            const std::string parent = path.substr(0, star - 1);
            const auto id_of = [&](const Client& client) {
                return text(parent == "/v1/files" ? parse(client.upload(parent, "file", "x").body)
                                                  : client.json("POST", parent, "{}"),
                            "id");
            };
            CHECK(here.send("GET", path).status == 404);  // "*" is nobody's id
            path_there.replace(star, 1, id_of(there));
            path.replace(star, 1, id_of(here));
        }
        std::string body = R"({"note":"a\"b","id":"mine"})";
        if (!row.given_id.empty()) body = R"({"note":"a\"b","file_id":")" + here.file() + "\"}";
        if (!row.many.empty()) body = R"({"items":[{"note":"a\"b"}]})";
        json::Value made = row.is_file ? parse(here.upload(path, "file", "x").body) : here.json("POST", path, body);
        if (!row.many.empty()) {
            const json::Value one = made.find("data")->items().at(0);
            made = one;
        }
        const std::string id = text(made, "id");
        CHECK(id.starts_with(row.prefix));
        CHECK(text(made, "object") == (row.object.empty() ? "(absent)" : std::string(row.object)));
        CHECK(made.find("created_at")->as_int().value_or(0) > 1'700'000'000);
        if (!row.is_file) CHECK(text(made, "note") == "a\"b");
        CHECK(text(made, "status") ==
              (row.life.empty() ? "(absent)" : std::string(row.life.substr(0, row.life.find(' ')))));

        CHECK(text(here.json("GET", path + "/" + id), "id") == id);
        const http::ClientResponse unknown = there.send("GET", path_there + "/" + id);
        CHECK(unknown.status == 404);
        CHECK(text(parse(unknown.body), "error.type") == "invalid_request_error");
        const json::Value list = here.json("GET", path);
        CHECK(text(list, "object") == "list");
        CHECK(text(list.find("data")->items().at(0), "id") == id);
        CHECK(text(list, "first_id") == id);
        CHECK(list.find("has_more")->as_bool() == false);

        const json::Value changed = here.json("POST", path + "/" + id, R"({"metadata":{"k":"v"},"id":"x"})");
        CHECK(text(changed, "metadata.k") == "v");
        CHECK(text(changed, "id") == id);
        if (!row.life.empty()) {
            // Whoever polls gets to the last status.
            for (int i = 0; i < 5; ++i) (void)here.json("GET", path + "/" + id);
            CHECK(text(here.json("GET", path + "/" + id), "status") == row.life.substr(row.life.rfind(' ') + 1));
            CHECK(text(here.json("POST", path + "/" + id + "/cancel"), "status") == "cancelled");
            CHECK(text(here.json("GET", path + "/" + id), "status") == "cancelled");
        } else {
            CHECK(here.send("POST", path + "/" + id + "/cancel").status == 404);
        }
        CHECK(here.send("POST", path + "/" + id + "/dance").status == 404);
        CHECK(here.json("DELETE", path + "/" + id).find("deleted")->as_bool() == true);
        for (const char* method : {"GET", "POST", "DELETE"}) CHECK(here.send(method, path + "/" + id).status == 404);
        CHECK(here.json("GET", path).find("first_id")->is_null());
        CHECK(here.send("PUT", path).status == 405);
    }
}

TEST_CASE("a list has pages") {
    auto server = start({});
    const Client client{*server};
    std::vector<std::string> ids;
    for (int i = 0; i < 5; ++i) ids.push_back(text(client.json("POST", "/v1/assistants", "{}"), "id"));
    struct Row {
        std::string query;
        std::vector<int> want;
        bool has_more;
    };
    const Row rows[] = {
        {"", {4, 3, 2, 1, 0}, false},
        {"?order=asc", {0, 1, 2, 3, 4}, false},
        {"?limit=2", {4, 3}, true},
        {"?limit=2&after=" + ids[3], {2, 1}, true},
        {"?limit=2&after=" + ids[1], {0}, false},
        {"?order=asc&before=" + ids[2], {0, 1}, false},
        {"?limit=0", {4}, true},
        {"?limit=x", {4, 3, 2, 1, 0}, false},
        {"?after=nobody", {4, 3, 2, 1, 0}, false},
    };
    for (const Row& row : rows) {
        CAPTURE(row.query);
        const json::Value page = client.json("GET", "/v1/assistants" + row.query);
        const auto& data = page.find("data")->items();
        REQUIRE(data.size() == row.want.size());
        for (std::size_t i = 0; i < data.size(); ++i)
            CHECK(text(data[i], "id") == ids[static_cast<std::size_t>(row.want[i])]);
        CHECK(text(page, "last_id") == text(data.back(), "id"));
        CHECK(page.find("has_more")->as_bool() == row.has_more);
    }
}

TEST_CASE("what a request names must be there") {
    auto server = start({});
    const Client client{*server};
    const std::string file = client.file();
    const std::string thread = text(client.json("POST", "/v1/threads", "{}"), "id");
    const std::string store = text(client.json("POST", "/v1/vector_stores", "{}"), "id");
    const std::string conversation = text(client.json("POST", "/v1/conversations", "{}"), "id");
    struct Row {
        const char* path;
        std::string body;
        int status;
        const char* param;
    };
    const Row rows[] = {
        {"/v1/batches", R"({"input_file_id":")" + file + "\"}", 200, ""},
        {"/v1/batches", R"({"input_file_id":"file-other"})", 404, "input_file_id"},
        {"/v1/fine_tuning/jobs", R"({"model":"m","training_file":"file-other"})", 404, "training_file"},
        {"/v1/vector_stores", R"({"file_ids":[")" + file + "\"]}", 200, ""},
        {"/v1/vector_stores", R"({"file_ids":[")" + file + R"(","file-other"]})", 404, "file_ids"},
        {"/v1/threads/thread_other/messages", R"({"role":"user","content":"x"})", 404, "id"},
        {"/v1/responses", R"({"model":"m","input":"x","conversation":")" + conversation + "\"}", 200, ""},
        {"/v1/responses", R"({"model":"m","input":"x","conversation":{"id":")" + conversation + "\"}}", 200, ""},
        {"/v1/responses", R"({"model":"m","input":"x","conversation":"conv_other"})", 404, "conversation"},
        {"/v1/batches", "[]", 400, ""},
        {"/v1/files", "{}", 400, "file"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.body);
        const http::ClientResponse response = client.send("POST", row.path, row.body);
        CHECK(response.status == row.status);
        if (*row.param != '\0') CHECK(text(parse(response.body), "error.param") == row.param);
    }
    CHECK(client.send("POST", "/v1/threads/" + thread + "/runs", R"({"assistant_id":"asst_other"})").status == 404);
    CHECK(client.send("POST", "/v1/vector_stores/" + store + "/files", R"({"file_id":")" + file + "\"}").status == 200);
}

TEST_CASE("files are counted, hashed and given back") {
    auto server = start({});
    const Client client{*server};
    const std::string bytes("line\r\n--\0\xFF", 10);
    const json::Value file = parse(client.upload("/v1/files", "file", bytes).body);
    CHECK(file.find("bytes")->as_int() == 10);
    CHECK(text(file, "sha256") == crypto::sha256_hex(bytes));
    CHECK(text(file, "filename") == "f.jsonl");
    CHECK(text(file, "purpose") == "batch");
    CHECK(client.send("GET", "/v1/files/" + text(file, "id") + "/content").body == bytes);

    const std::string large(3'000'000, 'x');
    const json::Value counted = parse(client.upload("/v1/files", "file", large).body);
    CHECK(counted.find("bytes")->as_int() == 3'000'000);
    CHECK(text(counted, "sha256") == crypto::sha256_hex(large));
    CHECK(client.send("GET", "/v1/files/" + text(counted, "id") + "/content").status == 400);
}

TEST_CASE("the parts of an upload become a file") {
    auto server = start({});
    const Client client{*server};
    const std::string upload =
        "/v1/uploads/" +
        text(client.json("POST", "/v1/uploads", R"({"filename":"whole","purpose":"batch","bytes":4})"), "id");
    const std::string one = text(parse(client.upload(upload + "/parts", "data", "ab").body), "id");
    const std::string two = text(parse(client.upload(upload + "/parts", "data", "cd").body), "id");
    CHECK(client.send("POST", upload + "/complete", R"({"part_ids":["part_other"]})").status == 404);
    const json::Value done =
        client.json("POST", upload + "/complete", R"({"part_ids":[")" + two + R"(",")" + one + "\"]}");
    CHECK(text(done, "status") == "completed");
    CHECK(text(done, "file.filename") == "whole");
    CHECK(done.find_path("file.bytes")->as_int() == 4);
    CHECK(client.send("GET", "/v1/files/" + text(done, "file.id") + "/content").body == "cdab");
    CHECK(client.json("GET", "/v1/files").find("data")->items().size() == 1);
}

TEST_CASE("a thread is made with its run, and a batch writes a file when it is done") {
    auto server = start({});
    const Client here{*server};
    const std::string assistant = text(here.json("POST", "/v1/assistants", "{}"), "id");
    const json::Value run = here.json("POST", "/v1/threads/runs", R"({"assistant_id":")" + assistant + "\"}");
    const std::string thread = text(run, "thread_id");
    CHECK(text(here.json("GET", "/v1/threads/" + thread), "object") == "thread");
    CHECK(text(here.json("GET", "/v1/threads/" + thread + "/runs/" + text(run, "id")), "object") == "thread.run");

    const std::string batch =
        "/v1/batches/" + text(here.json("POST", "/v1/batches", R"({"input_file_id":")" + here.file() + "\"}"), "id");
    json::Value state = here.json("GET", batch);
    for (; text(state, "status") != "completed"; state = here.json("GET", batch))
        CHECK(text(state, "output_file_id") == "(no string)");
    const std::string output = text(state, "output_file_id");
    CHECK(text(here.json("GET", "/v1/files/" + output), "purpose") == "batch_output");
    CHECK(here.send("GET", "/v1/files/" + output + "/content").status == 200);
    CHECK(text(here.json("GET", batch), "output_file_id") == output);
}

TEST_CASE("the store keeps within its bounds") {
    Objects objects;
    const Resource& files = *resource_at("/v1/files");
    for (std::size_t i = 0; i <= Objects::kMost; ++i) objects.add({.resource = &files, .id = std::to_string(i)});
    CHECK_FALSE(objects.has(files, {}, "0"));
    CHECK(objects.has(files, {}, "1"));
    CHECK(objects.all(files, {}).size() == Objects::kMost);
    objects.add({.resource = &files, .id = "big", .content = std::string(Objects::kMostContent, 'x')});
    objects.add({.resource = &files, .id = "next", .content = "y"});
    CHECK_FALSE(objects.has(files, {}, "big"));
    CHECK(objects.has(files, {}, "next"));
}
