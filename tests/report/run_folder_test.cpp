#include "report/run_folder.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <unistd.h>

#include <doctest/doctest.h>

#include "core/units.hpp"
#include "fixtures.hpp"

namespace oai::report {
namespace {

namespace fs = std::filesystem;

class Folder {
public:
    Folder() {
        std::string name = (fs::temp_directory_path() / "oai-report-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
    }
    ~Folder() { fs::remove_all(path); }
    fs::path path;
};

std::string read(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

std::size_t entries(const fs::path& path) {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path), fs::directory_iterator()));
}

TEST_CASE("runs that start in the same second get folders of their own") {
    const Folder folder;
    const core::WallTime wall = *core::parse_rfc3339("2026-02-12T09:00:00Z");
    const auto first = create_run_folder(folder.path / "a" / "b", "baseline", wall);
    const auto second = create_run_folder(folder.path / "a" / "b", "baseline", wall);
    REQUIRE(first.has_value());
    REQUIRE(second.has_value());
    CHECK(first->filename() == "20260212T090000Z-baseline");
    CHECK(second->filename() == "20260212T090000Z-baseline-2");
}

TEST_CASE("a folder that cannot be made is an error with its path") {
    const Folder folder;
    const fs::path file = folder.path / "file";
    REQUIRE(write_file(file, "x").has_value());
    const auto made = create_run_folder(file / "reports", "baseline", {});
    REQUIRE(!made.has_value());
    CHECK(made.error().detail.find(file.string()) != std::string::npos);
    CHECK(made.error().code == core::Code::io_failed);
}

TEST_CASE("a file is replaced whole, and nothing is left beside it") {
    const Folder folder;
    const fs::path path = folder.path / "report.json";
    REQUIRE(write_file(path, "first, longer").has_value());
    REQUIRE(write_file(path, "second").has_value());
    CHECK(read(path) == "second");
    CHECK(entries(folder.path) == 1);
    const auto failed = write_file(folder.path / "missing" / "report.json", "x");
    REQUIRE(!failed.has_value());
    CHECK(failed.error().detail.find("missing/report.json: cannot open") != std::string::npos);
    // A folder stands in the way: the rename fails, the old one stays.
    fs::create_directory(folder.path / "taken");
    CHECK(!write_file(folder.path / "taken", "x").has_value());
    CHECK(entries(folder.path) == 2);
}

TEST_CASE("a run folder holds the three documents") {
    const Folder folder;
    const BaselineReport report = fixtures::invalid_baseline();
    REQUIRE(write_documents(folder.path, report).has_value());
    CHECK((read(folder.path / "report.json") == write_json(report)));
    CHECK((read(folder.path / "report.md") == write_markdown(report)));
    CHECK((read(folder.path / "report.html") == write_html(report)));
    CHECK(entries(folder.path) == 3);
}

}  // namespace
}  // namespace oai::report
