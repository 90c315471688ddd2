#include "config/document.hpp"

#include <algorithm>
#include <utility>

#include "config/document_state.hpp"
#include "config/file.hpp"

namespace oai::config {
namespace {

/// Steps (insert, delete, replace a character) from one word to the other.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, diagonal + 1, row[j] + 1});
        }
    }
    return row.back();
}

/// What to say after "unknown key": the nearest name, else the names there are.
std::string hint(const DocumentState& state, const std::string& path, std::string_view unknown) {
    const auto found = state.known.find(path);
    if (found == state.known.end() || found->second.empty()) return {};
    // A third of the word may be wrong; beyond that a suggestion misleads.
    std::size_t best = std::max<std::size_t>(2, unknown.size() / 3) + 1;
    std::string_view nearest;
    for (const std::string& name : found->second) {
        const std::size_t distance = edit_distance(unknown, name);
        if (distance < best && distance < name.size()) {
            best = distance;
            nearest = name;
        }
    }
    if (!nearest.empty()) return "; did you mean " + quoted(nearest) + "?";
    constexpr std::size_t kMostListed = 16;
    if (found->second.size() > kMostListed) return {};
    std::string known;
    for (const std::string& name : found->second) known += (known.empty() ? "; known are " : ", ") + name;
    return known;
}

void find_unknown(const DocumentState& state, const Node& table, const std::string& path, bool element,
                  std::vector<Problem>& out) {
    for (const auto& [name, node] : table.members) {
        if (!node.read) {
            const std::string place = path.empty() ? " at the top level" : " in " + section_title(path, element);
            out.push_back({node.line,
                           state.where(node.line) + ": unknown key " + quoted(name) + place + hint(state, path, name)});
            continue;
        }
        if (node.whole) continue;
        const std::string below = joined_path(path, name);
        if (node.kind == Section::Kind::table) find_unknown(state, node, below, false, out);
        for (const Node& item : node.items) find_unknown(state, item, below, true, out);
    }
}

}  // namespace

std::string DocumentState::where(int line) const {
    return line > 0 ? name + ":" + std::to_string(line) : name;
}

void DocumentState::note(int line, std::string_view message) {
    std::string text = where(line) + ": " + std::string(message);
    const auto same = [&](const Problem& problem) { return problem.text == text; };
    if (std::none_of(problems.begin(), problems.end(), same)) problems.push_back({line, std::move(text)});
}

std::string section_title(std::string_view path, bool element) {
    if (path.empty()) return "the top level";
    return (element ? "[[" : "[") + std::string(path) + (element ? "]]" : "]");
}

std::string joined_path(std::string_view path, std::string_view name) {
    return path.empty() ? std::string(name) : std::string(path) + "." + std::string(name);
}

std::string quoted(std::string_view text) {
    constexpr std::size_t kMostShown = 60;
    std::string out = "\"";
    for (const char c : text.substr(0, kMostShown)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
    out += text.size() > kMostShown ? "...\"" : "\"";
    return out;
}

core::Result<Document> Document::parse(std::string_view text, std::string name, Environment environment) {
    core::Result<Node> root = read_toml(text, name);
    if (!root) return root.error();
    return Document(std::make_shared<DocumentState>(
        DocumentState{.name = std::move(name), .environment = std::move(environment), .root = *std::move(root)}));
}

core::Result<Document> Document::load(const std::string& path, Environment environment) {
    constexpr std::size_t kMostBytes = 16 << 20;  // more is a wrong path, such as /dev/zero
    core::Result<std::string> text = read_file(path, kMostBytes);
    if (text && text->size() > kMostBytes)
        text = core::Error{.code = core::Code::io_failed, .detail = "is larger than 16 MiB: not a configuration"};
    if (!text) return core::Error{.code = text.error().code, .detail = path + ": " + text.error().detail};
    return parse(*text, path, std::move(environment));
}

const std::string& Document::name() const noexcept {
    return state_->name;
}

Section Document::root() const {
    return Section(state_, &state_->root, "", false);
}

std::vector<std::string> Document::problems() const {
    std::vector<Problem> all = state_->problems;
    find_unknown(*state_, state_->root, "", false, all);
    std::stable_sort(all.begin(), all.end(), [](const Problem& a, const Problem& b) { return a.line < b.line; });
    std::vector<std::string> texts;
    for (Problem& problem : all) texts.push_back(std::move(problem.text));
    return texts;
}

core::Result<void> Document::finish() const {
    std::string detail;
    for (const std::string& problem : problems()) {
        if (!detail.empty()) detail += '\n';
        detail += problem;
    }
    if (detail.empty()) return {};
    return core::Error{.code = core::Code::parse_failed, .detail = std::move(detail)};
}

}  // namespace oai::config
