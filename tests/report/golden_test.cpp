#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <doctest/doctest.h>

#include "fixtures.hpp"

namespace oai::report {
namespace {

namespace fs = std::filesystem;

/// Compares with tests/golden/report/<name>; UPDATE_GOLDEN=1 writes it instead, for a reviewer to read the difference.
void check_golden(const std::string& name, const std::string& text) {
    const fs::path path = fs::path(OAI_SOURCE_DIR) / "tests/golden/report" / name;
    if (std::getenv("UPDATE_GOLDEN") != nullptr) {
        std::ofstream(path, std::ios::binary) << text;
        return;
    }
    std::ostringstream wanted;
    wanted << std::ifstream(path, std::ios::binary).rdbuf();
    CAPTURE(path.string());
    // Not CHECK(a == b): doctest would print two whole documents.
    const bool same = wanted.str() == text;
    CHECK_MESSAGE(same, "differs from the golden file; UPDATE_GOLDEN=1 rewrites it");
}

TEST_CASE("documents of a load run are those of the golden files") {
    for (const auto& [name, report] : fixtures::baselines()) {
        check_golden("baseline-" + name + ".json", write_json(report));
        check_golden("baseline-" + name + ".md", write_markdown(report));
        check_golden("baseline-" + name + ".html", write_html(report));
        check_golden("baseline-" + name + ".txt",
                     write_terminal(report, {.unicode = true}) + verdict_line(report) + "\n");
    }
}

TEST_CASE("documents of a judged window are those of the golden files") {
    for (const auto& [name, report] : fixtures::guards()) {
        check_golden("guard-" + name + ".json", write_json(report));
        check_golden("guard-" + name + ".md", write_markdown(report));
        check_golden("guard-" + name + ".xml", write_junit(report));
        check_golden("guard-" + name + ".annotations", write_annotations(report));
        check_golden("guard-" + name + ".txt", write_terminal(report, {}) + verdict_line(report) + "\n");
    }
}

}  // namespace
}  // namespace oai::report
