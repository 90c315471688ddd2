// The model of a form: mapped where it stands, waited for behind a file, and asked for where nothing can be decided.
#include <doctest/doctest.h>

#include "gateway/site.hpp"

using namespace oai;
using namespace oai::gateway;
using namespace oai::gateway::test;

namespace {

constexpr const char* kType = "multipart/form-data; boundary=b";

std::string field(const std::string& name, const std::string& value) {
    return "--b\r\ncontent-disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
}
std::string file(std::size_t bytes) {
    return "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.mp3\"\r\n\r\n" +
           std::string(bytes, 'x') + "\r\n";
}

Site site_with(std::vector<upstream::Route> routes, const std::function<void(Config&)>& adjust = {}) {
    Site site(1, adjust);
    site.config.catalog = upstream::Catalog(site.config.catalog.providers(), std::move(routes));
    site.restart();
    return site;
}
Site mapping(const std::function<void(Config&)>& adjust = {}) {
    return site_with({{.pattern = "*", .provider = 0, .map = {{"house", "whisper-real-name"}}}}, adjust);
}

http::ClientResponse transcribe(const Site& site, const std::string& body) {
    return site.send("POST", "/v1/audio/transcriptions", body, "sk-test-key", kType);
}

}  // namespace

TEST_CASE("a form's model goes out under its real name, wherever it stands, and nothing else changes") {
    struct Row {
        const char* name;
        std::string before, after;
    };
    const Row rows[] = {
        {"alone", "", ""},
        {"before a small file", "", file(1000)},
        {"behind a small file", file(1000), field("language", "en")},
        {"before a file that is passed on", "", file(300'000)},
        {"behind a file that is passed on", file(300'000), ""},
        {"between two of them", file(200'000), file(200'000)},
    };
    const Site site = mapping();
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const std::string sent = row.before + field("model", "house") + row.after + "--b--\r\n";
        const std::string want = row.before + field("model", "whisper-real-name") + row.after + "--b--\r\n";
        const http::ClientResponse response = transcribe(site, sent);
        CHECK(response.status == 200);
        const mock::ReceivedRequest got = site.upstreams[0]->received().back();
        CHECK(got.body_bytes == want.size());
        CHECK(got.header("content-length") == std::to_string(want.size()));
        CHECK(got.body == want.substr(0, got.body.size()));
    }
}

TEST_CASE("a model that is not renamed passes as it is, and another route's provider is chosen by it") {
    const Site site = mapping();
    const std::string body = file(200'000) + field("model", "whisper-1") + "--b--\r\n";
    CHECK(transcribe(site, body).status == 200);
    CHECK(site.upstreams[0]->received().back().body_bytes == body.size());
    const Site picky = site_with({{.pattern = "gpt-*", .provider = 0, .map = {}}});
    CHECK(transcribe(picky, body).status == 404);
    CHECK(transcribe(picky, field("model", "gpt-4o-transcribe") + file(10) + "--b--\r\n").status == 200);
}

TEST_CASE("a model that comes too late is asked for where it decides, and not missed where it does not") {
    const auto small = [](Config& config) { config.max_json_bytes = 100'000; };
    const std::string late = file(400'000) + field("model", "house") + "--b--\r\n";
    const http::ClientResponse refused = transcribe(mapping(small), late);
    CHECK(refused.status == 400);
    CHECK(refused.body.find("before the files") != std::string::npos);
    const Site any = site_with({{.pattern = "*", .provider = 0, .map = {}}}, small);
    CHECK(transcribe(any, late).status == 200);
    CHECK(any.upstreams[0]->received().back().body_bytes == late.size());
    // Files that are no model's business are never waited for.
    CHECK(mapping(small)
              .send("POST", "/v1/files", field("purpose", "batch") + file(400'000) + "--b--\r\n", "sk-test-key", kType)
              .status == 200);
}

TEST_CASE("two models in one form are refused, and so is a name without end") {
    const Site site = mapping();
    CHECK(transcribe(site, field("model", "a") + field("model", "house") + file(10) + "--b--\r\n").status == 400);
    CHECK(transcribe(site, field("model", std::string(257, 'm')) + file(10) + "--b--\r\n").status == 400);
}
