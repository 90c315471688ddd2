#include "store/open.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>

#include <doctest/doctest.h>

#include "store/temporary_folder.hpp"

using namespace oai::store;
using oai::core::Code;
using oai::core::Result;

namespace {

unsigned mode_of(const std::string& path) {
    struct stat facts {};
    return ::stat(path.c_str(), &facts) == 0 ? facts.st_mode & 07777U : 0;
}

}  // namespace

TEST_CASE("a URL that names no backend is refused without its password") {
    for (const char* url : {"", "sqlite", "sqlite:", "sqlite::memory:", "sqlite://data/oaigw.db", "memory", "memory:x",
                            "data/oaigw.db", "mysql://u:secret@h/d"}) {
        CAPTURE(url);
        const Result<std::unique_ptr<Store>> store = open(url);
        REQUIRE_FALSE(store);
        CHECK(store.error().code == Code::invalid_argument);
        CHECK(store.error().detail.find("a store must be like sqlite:data/oaigw.db") == 0);
        CHECK(store.error().detail.find("secret") == std::string::npos);
    }
}

TEST_CASE("a new database and all beside it are for their owner alone") {
    const TemporaryFolder folder;
    const mode_t before = ::umask(0);
    {
        Result<std::unique_ptr<Store>> store = open("sqlite:" + (folder / "data/sub/oaigw.db"));
        REQUIRE(store);
        REQUIRE((*store)->settings().put("a", "x"));
        CHECK((*store)->name() == folder / "data/sub/oaigw.db");
        CHECK(mode_of(folder / "data/sub") == 0700);
        for (const char* name : {"oaigw.db", "oaigw.db-wal", "oaigw.db-shm"}) {
            CAPTURE(name);
            CHECK(mode_of(folder / ("data/sub/" + std::string(name))) == 0600);
        }
    }
    ::umask(before);
}

TEST_CASE("a file that cannot be the database is named") {
    const TemporaryFolder folder;
    std::ofstream(folder / "text") << std::string(5000, 'x');
    std::filesystem::create_directory(folder / "directory");
    struct Row {
        std::string path;
        const char* says;
    };
    const Row rows[] = {
        {folder / "text", "file is not a database"},
        {folder / "directory", "cannot be opened"},
        {folder / "text/oaigw.db", "cannot be"},
        {"/proc/nowhere/oaigw.db", "cannot be made"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.path);
        const Result<std::unique_ptr<Store>> store = open("sqlite:" + row.path);
        REQUIRE_FALSE(store);
        CHECK(store.error().code == Code::io_failed);
        CAPTURE(store.error().detail);
        CHECK(store.error().detail.find(row.says) != std::string::npos);
        CHECK(store.error().detail.find(row.path.substr(0, row.path.rfind('/'))) == 0);
    }
}

TEST_CASE("a path is a path and not a URI of SQLite") {
    const TemporaryFolder folder;
    REQUIRE(open("sqlite:" + (folder / "file?mode=memory")));
    CHECK(std::filesystem::exists(folder / "file?mode=memory"));
}
