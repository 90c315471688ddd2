#include "wire/multipart.hpp"

#include <array>
#include <string>

#include <doctest/doctest.h>

using namespace oai::wire;

TEST_CASE("a text field of a form is found as far as the form is here") {
    const std::string type = "multipart/form-data; boundary=xyz";
    const std::string body =
        "--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"model\"\r\nContent-Type: audio/wav\r\n\r\n"
        "name=\"model\"\r\n\r\nnot-this\r\n"
        "--xyz\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n"
        "--xyz\r\nContent-Disposition: form-data; name=\"stream\"\r\n\r\ntrue\r\n--xyz--\r\n";
    struct Row {
        const char* name;
        std::string type, body, field, want;
    };
    const Row rows[] = {
        {"found", type, body, "model", "whisper-1"},
        {"another", type, body, "stream", "true"},
        {"a file is no text field", type, body, "file", ""},
        {"absent", type, body, "prompt", ""},
        {"a quoted boundary", "Multipart/Form-Data; charset=utf-8; Boundary=\"xyz\"", body, "model", "whisper-1"},
        {"another type", "application/json; boundary=xyz", body, "model", ""},
        {"no boundary", "multipart/form-data", body, "model", ""},
        {"another boundary", "multipart/form-data; boundary=abc", body, "model", ""},
        {"cut in its value", type, body.substr(0, body.find("whisper-1") + 4), "model", ""},
        {"cut in its head", type, body.substr(0, body.find("; name=\"model\"")), "model", ""},
        {"nothing here", type, "", "model", ""},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.name));
        const std::array<std::string_view, 1> names{row.field};
        std::array<std::string_view, 1> found;
        CHECK(form_fields(row.type, row.body, names, found));
        CHECK(found[0] == row.want);
    }
}

TEST_CASE("several fields are found in one go; one that stands twice is refused") {
    const std::string type = "multipart/form-data; boundary=b";
    const std::string model = "--b\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\n";
    const std::string stream = "--b\r\ncontent-disposition: form-data; name=\"stream\"\r\n\r\ntrue\r\n";
    const std::array<std::string_view, 2> names{"model", "stream"};
    std::array<std::string_view, 2> found;
    const std::string once = stream + model + "m\r\n--b--";
    CHECK(form_fields(type, once, names, found));
    CHECK(found[0] == "m");
    CHECK(found[1] == "true");
    for (const char* first : {"m", ""}) {
        const std::string twice = model + first + "\r\n" + stream + model + "other\r\n--b--";
        const auto read = form_fields(type, twice, names, found);
        REQUIRE_FALSE(read);
        CHECK(read.error().param == "model");
    }
}
