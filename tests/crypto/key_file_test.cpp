#include "crypto/key_file.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <doctest/doctest.h>

using namespace oai::crypto;
using oai::core::Code;
using oai::core::Result;

namespace {

namespace fs = std::filesystem;

class Folder {
public:
    Folder() {
        std::string name = (fs::temp_directory_path() / "oai-key-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { fs::remove_all(path_); }
    std::string operator/(const char* name) const { return (path_ / name).string(); }

private:
    fs::path path_;
};

unsigned mode_of(const std::string& path) {
    struct stat facts {};
    return ::stat(path.c_str(), &facts) == 0 ? facts.st_mode & 07777U : 0;
}

std::string content_of(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void write_file(const std::string& path, std::string_view text, mode_t mode) {
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
}

}  // namespace

TEST_CASE("the first start makes a key that later starts read back") {
    const Folder folder;
    const std::string path = folder / "data/sub/hash.key";
    const Result<Key> first = load_or_create_key_file(path);
    REQUIRE(first);
    CHECK(mode_of(path) == 0600);
    CHECK(mode_of(folder / "data/sub") == 0700);
    CHECK(content_of(path).size() == 65);
    CHECK(as_bytes(*first) != std::string(32, '\0'));
    const Result<Key> second = load_or_create_key_file(path);
    REQUIRE(second);
    CHECK(*first == *second);
    CHECK(std::distance(fs::directory_iterator(folder / "data/sub"), fs::directory_iterator()) == 1);  // no draft left

    const Result<Key> other = load_or_create_key_file(folder / "other.key");
    REQUIRE(other);
    CHECK(*first != *other);
}

TEST_CASE("starts at once agree on one key") {
    for (int round = 0; round < 10; ++round) {
        const Folder folder;
        const std::string path = folder / "data/hash.key";
        std::vector<std::string> keys(6);
        {
            std::vector<std::jthread> threads;
            for (std::string& key : keys)
                threads.emplace_back([&path, &key] {
                    const Result<Key> got = load_or_create_key_file(path);
                    key = got ? std::string(as_bytes(*got)) : got.error().detail;
                });
        }
        CHECK(keys.front().size() == 32);
        CHECK(std::count(keys.begin(), keys.end(), keys.front()) == 6);
    }
}

TEST_CASE("a key file that is not right is refused and left alone") {
    const std::string good(64, 'a');
    struct Row {
        const char* name;
        std::string text;
        mode_t mode;
        const char* says;  // null: accepted
    };
    const Row rows[] = {
        {"with line end", good + "\n", 0600, nullptr},
        {"without", good, 0600, nullptr},
        {"line end of Windows, read-only, upper case", std::string(64, 'A') + "\r\n", 0400, nullptr},
        {"group may read", good, 0640, "chmod 600"},
        {"all may read", good, 0644, "chmod 600"},
        {"empty", "", 0600, "got 0 characters"},
        {"short", good.substr(1), 0600, "got 63 characters"},
        {"long", good + "a", 0600, "got more"},
        {"two lines", good + "\n\n", 0600, "got more"},
        {"much", std::string(5000, 'a'), 0600, "got more"},
        {"no hex", good.substr(1) + "x", 0600, "not hex"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const Folder folder;
        const std::string path = folder / "hash.key";
        write_file(path, row.text, row.mode);
        const Result<Key> key = load_or_create_key_file(path);
        CHECK(key.has_value() == (row.says == nullptr));
        if (!key) {
            CHECK(key.error().code == Code::invalid_argument);
            CHECK(key.error().detail.find(path) == 0);
            CHECK(key.error().detail.find(row.says != nullptr ? row.says : "-") != std::string::npos);
            CHECK(key.error().detail.find("aaaa") == std::string::npos);
        }
        CHECK(content_of(path) == row.text);
    }
}

TEST_CASE("a place where no key file can be says so") {
    const Folder folder;
    write_file(folder / "file", "x", 0600);
    for (const std::string& path : {folder / "file/hash.key", std::string("/proc/nowhere/hash.key")}) {
        CAPTURE(path);
        const Result<Key> key = load_or_create_key_file(path);
        REQUIRE_FALSE(key);
        CHECK(key.error().code == Code::io_failed);
        CHECK(key.error().detail.find(fs::path(path).parent_path().string()) == 0);
    }
    CHECK_FALSE(load_or_create_key_file(""));
    fs::create_directory(folder / "directory");
    CHECK_FALSE(load_or_create_key_file(folder / "directory"));
}

TEST_CASE("a key as hex in a variable is read without being repeated") {
    const Result<Key> key = parse_key_hex("00" + std::string(60, '1') + "ff", "OAIGW_ENCRYPTION_KEY");
    REQUIRE(key);
    CHECK(key->front() == 0x00);
    CHECK(key->back() == 0xFF);
    CHECK(parse_key_hex("abcd", "OAIGW_ENCRYPTION_KEY").error().detail ==
          "OAIGW_ENCRYPTION_KEY: must be 64 hex digits (32 bytes), got 4 characters");
}
