#include "config/secret.hpp"

#include <filesystem>
#include <fstream>
#include <optional>
#include <stdlib.h>
#include <string>

#include <doctest/doctest.h>

using namespace oai::config;
using oai::core::Code;
using oai::core::Result;

namespace {

/// TOKEN and EMPTY are set, nothing else.
std::optional<std::string> two_variables(std::string_view name) {
    if (name == "TOKEN") return "s3cret";
    if (name == "EMPTY") return "";
    return std::nullopt;
}

struct Files {
    Files() {
        std::string name = (std::filesystem::temp_directory_path() / "oai-secret-XXXXXX").string();
        folder = ::mkdtemp(name.data());
        write("good", "f1le\n");
        write("windows", "f1le\r\n");
        write("inner", "a\nb\n\n");
        write("blank", "\n");
        write("large", std::string(70'000, 'x'));
    }
    Files(const Files&) = delete;
    Files& operator=(const Files&) = delete;
    ~Files() { std::filesystem::remove_all(folder); }
    void write(const char* name, std::string_view text) const {
        std::ofstream(folder + "/" + name, std::ios::binary) << text;
    }

    std::string folder;
};

}  // namespace

TEST_CASE("a secret is a literal, a variable or a file") {
    const Files files;
    struct Row {
        const char* name;
        std::string text;
        std::optional<std::string> want;
        std::string says;
    };
    const std::string at = "file:" + files.folder;
    const Row rows[] = {
        {"literal", "sk-1", "sk-1", ""},
        {"a literal keeps its blanks", " sk 1 ", " sk 1 ", ""},
        {"variable", "env:TOKEN", "s3cret", ""},
        {"variable not set", "env:TOKEM", std::nullopt, "environment variable TOKEM is not set"},
        {"variable empty", "env:EMPTY", std::nullopt, "environment variable EMPTY is empty"},
        {"no variable", "env:", std::nullopt, "env:NAME"},
        {"file without its line end", at + "/good", "f1le", ""},
        {"line end of Windows", at + "/windows", "f1le", ""},
        {"lines inside stay", at + "/inner", "a\nb", ""},
        {"file missing", at + "/none", std::nullopt, files.folder + "/none cannot be read: No such file"},
        {"a folder is no file", at, std::nullopt, "cannot be read: Is a directory"},
        {"empty file", at + "/blank", std::nullopt, files.folder + "/blank is empty"},
        {"not a secret but a dump", at + "/large", std::nullopt, "larger than 64 KiB"},
        {"no file", "file:", std::nullopt, "file:PATH"},
        {"empty", "", std::nullopt, "empty"},
        {"@ is for options only", "@x", "@x", ""},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const Result<std::string> got = resolve_secret(row.text, two_variables);
        CHECK(got.has_value() == row.want.has_value());
        if (got && row.want) CHECK(*got == *row.want);
        if (!got) {
            CAPTURE(got.error().detail);
            CHECK(got.error().detail.find(row.says) != std::string::npos);
            CHECK(got.error().detail.find("xxxx") == std::string::npos);
        }
    }
}

TEST_CASE("an option takes @file too and is named in its error") {
    const Files files;
    CHECK(*read_secret_option("--admin-token", "@" + files.folder + "/good", two_variables) == "f1le");
    CHECK(*read_secret_option("--admin-token", "env:TOKEN", two_variables) == "s3cret");
    CHECK(*read_secret_option("--admin-token", "literal", two_variables) == "literal");
    const Result<std::string> missing =
        read_secret_option("--admin-token", "@" + files.folder + "/none", two_variables);
    REQUIRE_FALSE(missing);
    CHECK(missing.error().code == Code::io_failed);
    CHECK(missing.error().detail ==
          "--admin-token: file " + files.folder + "/none cannot be read: No such file or directory");
    CHECK(read_secret_option("--api-key", "", two_variables).error().detail == "--api-key: the secret is empty");
}

TEST_CASE("the environment of the process is read as it is") {
    ::setenv("OAI_SECRET_TEST", "x", 1);
    CHECK(process_environment()("OAI_SECRET_TEST") == "x");
    ::unsetenv("OAI_SECRET_TEST");
    CHECK_FALSE(process_environment()("OAI_SECRET_TEST"));
    CHECK_FALSE(empty_environment()("PATH"));
}
