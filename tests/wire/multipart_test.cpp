#include "wire/multipart.hpp"

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
        CHECK(multipart_field(row.type, row.body, row.field) == row.want);
    }
}
