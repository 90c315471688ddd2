#include "mock/upload.hpp"

#include <string>

#include <doctest/doctest.h>

#include "crypto/hash.hpp"

using namespace oai;
using namespace oai::mock;

namespace {

const std::string kType = "multipart/form-data; boundary=XX";

std::string part(const std::string& disposition, const std::string& data) {
    return "--XX\r\nContent-Disposition: form-data; " + disposition + "\r\nX-Other: 1\r\n\r\n" + data + "\r\n";
}

/// Fed in pieces of `size` bytes.
core::Result<Upload> read(const std::string& bytes, std::size_t size, const std::string& type = kType) {
    Multipart form(type);
    for (std::size_t at = 0; at < bytes.size(); at += size) {
        const auto fed = form.feed(std::string_view(bytes).substr(at, size));
        if (!fed) return fed.error();
    }
    return form.finish();
}

}  // namespace

TEST_CASE("a form is read alike however it arrives") {
    // What looks like a delimiter and is none belongs to the data.
    const std::string data = "line\r\n--X\r\n--XYZ\r\n--\r\n\r\n\0 end\r\n";
    const std::string file = data + std::string("\0\xFF", 2);
    const std::string form = "preamble\r\n" + part(R"(name="purpose")", "user_data") +
                             part(R"(name="file"; filename="a \"b\".bin")", file) + part("name=empty", "") +
                             part(R"(name="note")", data) + "--XX--\r\nepilogue";
    for (const std::size_t size : {std::size_t{1}, std::size_t{2}, std::size_t{7}, form.size()}) {
        CAPTURE(size);
        const auto upload = read(form, size);
        REQUIRE(upload);
        CHECK(upload->fields.text("purpose") == "user_data");
        CHECK(upload->fields.text("empty").empty());
        CHECK(upload->fields.find("empty") != nullptr);
        CHECK(upload->fields.text("note") == data);
        REQUIRE(upload->files.size() == 1);
        const UploadedFile& got = upload->files[0];
        CHECK(got.field == "file");
        CHECK(got.name == "a \"b\".bin");
        CHECK(got.bytes == file.size());
        CHECK(got.content == file);
        CHECK(got.is_kept());
        CHECK(got.sha256 == crypto::sha256_hex(file));
    }
    CHECK(read(form, 5, "Multipart/Form-Data; charset=x; Boundary=\"XX\""));
}

TEST_CASE("a large file is counted and hashed, and not kept") {
    const std::string file(Multipart::kKeptBytes + 1, 'x');
    const auto upload = read(part(R"(name="file"; filename="x")", file) + "--XX--", 64 * 1024);
    REQUIRE(upload);
    CHECK(upload->files[0].bytes == file.size());
    CHECK(upload->files[0].sha256 == crypto::sha256_hex(file));
    CHECK(upload->files[0].content.empty());
    CHECK_FALSE(upload->files[0].is_kept());
}

TEST_CASE("what is no form is refused") {
    struct Row {
        const char* name;
        std::string bytes;
        std::string type;
    };
    const Row rows[] = {
        {"no boundary", part("name=a", "b") + "--XX--", "multipart/form-data"},
        {"no end", part("name=a", "b"), kType},
        {"nothing", "", kType},
        {"no name", part("filename=a", "b") + "--XX--", kType},
        {"garbage behind a delimiter", "--XXY\r\n\r\n", kType},
        {"a head without end", "--XX\r\n" + std::string(Multipart::kMostHeadBytes + 1, 'h'), kType},
        {"fields too long", part("name=a", std::string(Multipart::kMostFieldBytes + 1, 'f')) + "--XX--", kType},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const auto upload = read(row.bytes, 100);
        const auto with_type = read(row.bytes, 100, row.type);
        REQUIRE_FALSE(with_type);
        CHECK(with_type.error().code == core::Code::invalid_request);
    }
    std::string many;
    for (std::size_t i = 0; i <= Multipart::kMostParts; ++i) many += part("name=a", "b");
    CHECK_FALSE(read(many + "--XX--", 1000));
    CHECK(Multipart::is_form(kType));
    CHECK_FALSE(Multipart::is_form("application/json"));
}
