// Things that live at one account are found there again: by path, in a body, after a restart, and by their owner only.
#include "gateway/resources.hpp"

#include <filesystem>
#include <set>
#include <stdlib.h>

#include <doctest/doctest.h>

#include "gateway/site.hpp"

using namespace oai;
using namespace oai::gateway;
using namespace oai::gateway::test;

namespace {

struct Folder {
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "oai-resources-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    std::filesystem::path path;
};

/// Four accounts of one weight: by chance one in four would be right.
Site four_accounts() {
    return Site(4, {}, 1);
}

std::string id_of(const http::ClientResponse& response) {
    CAPTURE(response.body);
    REQUIRE(response.status == 200);
    const auto body = json::Value::parse(response.body);
    REQUIRE(body);
    return std::string(*body->find("id")->as_string());
}

std::string member(const http::ClientResponse& response, std::string_view path) {
    CAPTURE(response.body);
    REQUIRE(response.status == 200);
    const auto body = json::Value::parse(response.body);
    REQUIRE(body);
    const json::Value* found = body->find_path(path);
    REQUIRE(found != nullptr);
    return std::string(found->as_string().value_or(""));
}

std::string upload(const Site& site, const std::string& key = "sk-test-key") {
    const std::string body =
        "--b\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n"
        "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.jsonl\"\r\n\r\n{}\n\r\n--b--\r\n";
    return id_of(site.send("POST", "/v1/files", body, key, "multipart/form-data; boundary=b"));
}

}  // namespace

TEST_CASE("what was made through one account is found there again, by its path and in a body") {
    const Site site = four_accounts();
    for (int i = 0; i < 12; ++i) {
        const std::string response = id_of(site.send("POST", "/v1/responses", R"({"model":"m","input":"hi"})"));
        CHECK(site.send("GET", "/v1/responses/" + response).status == 200);
        CHECK(site.send("GET", "/v1/responses/" + response + "/input_items").status == 200);
        CHECK(site.send("POST", "/v1/responses",
                        R"({"model":"m","input":"more","previous_response_id":")" + response + "\"}")
                  .status == 200);
        const std::string file = upload(site);
        CHECK(site.send("GET", "/v1/files/" + file + "/content").body == "{}\n");
        const std::string batch = id_of(
            site.send("POST", "/v1/batches",
                      R"({"input_file_id":")" + file + R"(","endpoint":"/v1/responses","completion_window":"24h"})"));
        CHECK(site.send("POST", "/v1/batches/" + batch + "/cancel").status == 200);
    }
    std::set<std::size_t> used;
    for (std::size_t i = 0; i < 4; ++i) {
        if (site.requests(i) != 0) used.insert(i);
    }
    CHECK(used.size() > 1);  // there was a choice
}

TEST_CASE("what an answer tells of beside its own id is found too") {
    const Site site = four_accounts();
    for (int i = 0; i < 8; ++i) {
        // The file that an upload ends in.
        const std::string upload_id = id_of(site.send(
            "POST", "/v1/uploads", R"({"filename":"a","purpose":"batch","bytes":2,"mime_type":"text/jsonl"})"));
        const std::string part = id_of(
            site.send("POST", "/v1/uploads/" + upload_id + "/parts",
                      "--b\r\ncontent-disposition: form-data; name=\"data\"; filename=\"p\"\r\n\r\n{}\r\n--b--\r\n",
                      "sk-test-key", "multipart/form-data; boundary=b"));
        const http::ClientResponse done =
            site.send("POST", "/v1/uploads/" + upload_id + "/complete", R"({"part_ids":[")" + part + "\"]}");
        CHECK(site.send("GET", "/v1/files/" + member(done, "file.id") + "/content").body == "{}");
        // The thread of a run.
        const std::string assistant = id_of(site.send("POST", "/v1/assistants", R"({"model":"m"})"));
        const http::ClientResponse run =
            site.send("POST", "/v1/threads/runs", R"({"assistant_id":")" + assistant + "\"}");
        CHECK(site.send("GET", "/v1/threads/" + member(run, "thread_id")).status == 200);
        // What a batch has written, told by the answer that says it is done.
        const std::string batch =
            id_of(site.send("POST", "/v1/batches", R"({"input_file_id":")" + upload(site) + "\"}"));
        http::ClientResponse state = site.send("GET", "/v1/batches/" + batch);
        for (int polls = 0; polls < 10 && member(state, "status") != "completed"; ++polls)
            state = site.send("GET", "/v1/batches/" + batch);
        CHECK(site.send("GET", "/v1/files/" + member(state, "output_file_id")).status == 200);
    }
}

TEST_CASE("streamed responses are remembered too; those that are not stored are not") {
    const Site site = four_accounts();
    for (int i = 0; i < 8; ++i) {
        const http::ClientResponse stream =
            site.send("POST", "/v1/responses", R"({"model":"m","input":"hi","stream":true})");
        const std::size_t at = stream.body.find("\"id\":\"resp_");
        REQUIRE(at != std::string::npos);
        const std::string id = stream.body.substr(at + 6, stream.body.find('"', at + 6) - at - 6);
        CHECK(site.send("GET", "/v1/responses/" + id).status == 200);
    }
}

TEST_CASE("ids nested in the input count, and what merely looks like one does not") {
    const Site site = four_accounts();
    for (int i = 0; i < 8; ++i) {
        const std::string file = upload(site);
        std::array<std::uint64_t, 4> before{};
        for (std::size_t a = 0; a < 4; ++a) before[a] = site.requests(a);
        const std::string body = R"({"model":"m","input":[{"role":"user","content":[{"type":"input_file","file_id":")" +
                                 file + R"("},{"type":"input_text","text":"\"file_id\":\"file-x\""}]}]})";
        CHECK(site.send("POST", "/v1/responses", body).status == 200);
        CHECK(site.send("GET", "/v1/files/" + file).status == 200);
        int moved = 0;
        for (std::size_t a = 0; a < 4; ++a) moved += site.requests(a) != before[a];
        CHECK(moved == 1);  // both at the same account
    }
}

TEST_CASE("another key does not reach what is not its own by a guessed id; a deleted thing is forgotten") {
    const Site site = four_accounts();
    int reached = 0;
    for (int i = 0; i < 16; ++i) {
        const std::string file = upload(site);
        reached += site.send("GET", "/v1/files/" + file, "", "sk-other-key").status == 200;
        CHECK(site.send("DELETE", "/v1/files/" + file).status == 200);
        CHECK(site.send("GET", "/v1/files/" + file).status == 404);
    }
    CHECK(reached < 12);  // by chance a quarter of them: the mocks know no owners
}

TEST_CASE("deleting something within a thing does not forget the thing") {
    const Site site = four_accounts();
    for (int i = 0; i < 8; ++i) {
        const std::string id = id_of(site.send("POST", "/v1/conversations", R"({"items":[]})"));
        site.send("DELETE", "/v1/conversations/" + id + "/items/msg_unknown");
        site.send("DELETE", "/v1/conversations/" + id + "/items/" + id + "x");
        CHECK(site.send("GET", "/v1/conversations/" + id).status == 200);
    }
}

TEST_CASE("a restart forgets nothing") {
    const Folder folder;
    const std::string store = "sqlite:" + (folder.path / "gw.db").string();
    std::vector<std::string> files;
    std::unique_ptr<Site> site = std::make_unique<Site>(
        4,
        [&](Config& config) {
            config.store_url = store;
            config.data_dir = folder.path.string();
        },
        1);
    for (int i = 0; i < 12; ++i) files.push_back(upload(*site));
    site->restart();
    for (const std::string& file : files) CHECK(site->send("GET", "/v1/files/" + file).status == 200);
}
