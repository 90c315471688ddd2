#include "config/section.hpp"

#include <algorithm>
#include <charconv>

#include "config/document_state.hpp"
#include "config/secret.hpp"
#include "core/units.hpp"

namespace oai::config {
namespace {

using core::Result;
using Kind = Section::Kind;

const Node* member(const Node* table, std::string_view name) {
    if (table == nullptr) return nullptr;
    for (const auto& [key, node] : table->members) {
        if (key == name) return &node;
    }
    return nullptr;
}

std::string as_text(double value) {
    char buffer[32];
    const auto [end, ec] = std::to_chars(buffer, buffer + sizeof buffer, value);
    return ec == std::errc{} ? std::string(buffer, end) : "a number";
}

std::string shown(const Node& node) {
    switch (node.kind) {
        case Kind::none: return "nothing";
        case Kind::string: return quoted(node.text);
        case Kind::integer: return std::to_string(node.integer);
        case Kind::number: return as_text(node.number);
        case Kind::boolean: return node.boolean ? "true" : "false";
        case Kind::array: return "an array";
        case Kind::table: return "a table";
        case Kind::time: return "a date or time";
    }
    return "something else";
}

}  // namespace

const Node* Section::find(std::string_view name, bool read) const {
    state_->known[path_].emplace(name);
    const Node* node = member(node_, name);
    if (node != nullptr && read) node->read = true;
    return node;
}

void Section::must_be(std::string_view name, const Node& node, std::string_view right) const {
    node.whole = true;  // what stands below a value of the wrong kind is no second problem
    state_->note(node.line, quoted(name) + " must be " + std::string(right) + ", got " + shown(node));
}

const Node* Section::find_string(std::string_view name, std::string_view right) const {
    const Node* node = find(name, true);
    if (node == nullptr || node->kind == Kind::string) return node;
    must_be(name, *node, right);
    return nullptr;
}

std::string Section::string(std::string_view name, std::string_view fallback) const {
    const Node* node = find_string(name, "a text in quotes");
    return node != nullptr ? node->text : std::string(fallback);
}

std::string Section::required_string(std::string_view name) const {
    if (!has(name)) fail("needs " + quoted(name));
    std::string text = string(name);
    if (kind(name) == Kind::string && text.empty()) fail(name, "must not be empty");
    return text;
}

bool Section::boolean(std::string_view name, bool fallback) const {
    const Node* node = find(name, true);
    if (node == nullptr) return fallback;
    if (node->kind == Kind::boolean) return node->boolean;
    must_be(name, *node, "true or false, without quotes");
    return fallback;
}

std::int64_t Section::integer(std::string_view name, std::int64_t fallback, std::int64_t min, std::int64_t max) const {
    const Node* node = find(name, true);
    if (node == nullptr) return fallback;
    if (node->kind == Kind::integer && node->integer >= min && node->integer <= max) return node->integer;
    must_be(name, *node, "a whole number from " + std::to_string(min) + " to " + std::to_string(max));
    return fallback;
}

double Section::number(std::string_view name, double fallback, double min, double max) const {
    const Node* node = find(name, true);
    if (node == nullptr) return fallback;
    if (node->kind == Kind::integer || node->kind == Kind::number) {
        const double value = node->kind == Kind::integer ? static_cast<double>(node->integer) : node->number;
        if (value >= min && value <= max) return value;  // false for nan
    }
    must_be(name, *node, "a number from " + as_text(min) + " to " + as_text(max));
    return fallback;
}

core::nanoseconds Section::duration(std::string_view name, core::nanoseconds fallback, core::nanoseconds min,
                                    core::nanoseconds max) const {
    constexpr std::string_view right = "like \"250ms\", \"30s\" or \"3m\"";
    const Node* node = find_string(name, right);
    if (node == nullptr) return fallback;
    const Result<core::nanoseconds> value = core::parse_duration(node->text);
    if (!value) {
        must_be(name, *node, right);
    } else if (*value < min || *value > max) {
        const std::string least = "\"" + core::format_duration(min) + "\"";
        const std::string most = "\"" + core::format_duration(max) + "\"";
        must_be(name, *node, max == core::nanoseconds::max() ? "at least " + least : "from " + least + " to " + most);
    } else {
        return *value;
    }
    return fallback;
}

std::int64_t Section::percent(std::string_view name, std::int64_t fallback_bp) const {
    constexpr std::string_view right = "a share like \"2%\" or \"99.5%\"";
    const Node* node = find_string(name, right);
    if (node == nullptr) return fallback_bp;
    const Result<std::int64_t> value = core::parse_percent(node->text);
    if (value) return *value;
    must_be(name, *node, right);
    return fallback_bp;
}

std::uint64_t Section::size(std::string_view name, std::uint64_t fallback, std::uint64_t min, std::uint64_t max) const {
    const Node* node = find(name, true);
    if (node == nullptr) return fallback;
    std::optional<std::uint64_t> value;
    if (node->kind == Kind::integer && node->integer >= 0) value = static_cast<std::uint64_t>(node->integer);
    if (node->kind == Kind::string) {
        const Result<std::uint64_t> parsed = core::parse_size(node->text);
        if (parsed) value = *parsed;
    }
    if (value && *value >= min && *value <= max) return *value;
    if (value)
        must_be(name, *node, "from " + std::to_string(min) + " to " + std::to_string(max) + " bytes");
    else
        must_be(name, *node, "a size like 4096, \"64KiB\" or \"32MiB\"");
    return fallback;
}

std::vector<std::string> Section::strings(std::string_view name) const {
    const Node* node = find(name, true);
    if (node == nullptr) return {};
    node->whole = true;
    std::vector<std::string> texts;
    for (const Node& item : node->items) {
        if (item.kind == Kind::string) texts.push_back(item.text);
    }
    if (node->kind == Kind::array && texts.size() == node->items.size()) return texts;
    must_be(name, *node, "a list of texts like [\"a\", \"b\"]");
    return {};
}

std::map<std::string, std::string> Section::string_map(std::string_view name) const {
    const Section table = section(name);
    std::map<std::string, std::string> texts;
    for (const std::string& key : table.keys()) texts.emplace(key, table.string(key));
    return texts;
}

std::string Section::secret(std::string_view name) const {
    const Node* node = find(name, true);
    if (node == nullptr) return {};
    if (node->kind != Kind::string) {
        // Not must_be: a secret that lacks its quotes must not be repeated.
        node->whole = true;
        fail(name, "must be a text in quotes: the secret itself, \"env:NAME\" or \"file:PATH\"");
        return {};
    }
    Result<std::string> value = resolve_secret(node->text, state_->environment);
    if (value) return *std::move(value);
    state_->note(node->line, quoted(name) + ": " + value.error().detail);
    return {};
}

std::string Section::required_secret(std::string_view name) const {
    if (!has(name)) fail("needs " + quoted(name));
    return secret(name);
}

std::optional<std::size_t> Section::choice_index(std::string_view name,
                                                 const std::vector<std::string_view>& names) const {
    std::string right = "one of ";
    for (const std::string_view one : names) right += (one == names.front() ? "\"" : ", \"") + std::string(one) + "\"";
    const Node* node = find_string(name, right);
    if (node == nullptr) return std::nullopt;
    const auto found = std::find(names.begin(), names.end(), node->text);
    if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
    must_be(name, *node, right);
    return std::nullopt;
}

Section Section::child(const Node* node, std::string_view name, bool element) const {
    return Section(state_, node, joined_path(path_, name), element);
}

Section Section::section(std::string_view name) const {
    const Node* node = find(name, true);
    if (node != nullptr && node->kind != Kind::table) {
        must_be(name, *node, "one table, as in " + section_title(joined_path(path_, name), false));
        node = nullptr;
    }
    return child(node, name, false);
}

std::vector<Section> Section::sections(std::string_view name) const {
    const Node* node = find(name, true);
    std::vector<Section> all;
    if (node == nullptr) return all;
    const bool tables =
        std::all_of(node->items.begin(), node->items.end(), [](const Node& n) { return n.kind == Kind::table; });
    if (node->kind != Kind::array || !tables) {
        must_be(name, *node, "a list of tables, each with " + section_title(joined_path(path_, name), true));
        return all;
    }
    for (const Node& item : node->items) all.push_back(child(&item, name, true));
    return all;
}

bool Section::has(std::string_view name) const {
    return find(name, false) != nullptr;
}

Section::Kind Section::kind(std::string_view name) const {
    const Node* node = find(name, false);
    return node != nullptr ? node->kind : Kind::none;
}

std::vector<std::string> Section::keys() const {
    std::vector<std::string> names;
    if (node_ == nullptr) return names;
    for (const auto& [name, node] : node_->members) names.push_back(name);
    return names;
}

void Section::ignore(std::string_view name) const {
    if (const Node* node = find(name, true)) node->whole = true;
}

void Section::fail(std::string_view name, std::string_view message) const {
    const Node* node = member(node_, name);
    const std::string text = quoted(name) + " " + std::string(message);
    if (node != nullptr) return state_->note(node->line, text);
    state_->note(node_ != nullptr ? node_->line : 0, path_.empty() ? text : title() + " " + text);
}

void Section::fail(std::string_view message) const {
    state_->note(node_ != nullptr ? node_->line : 0, title() + " " + std::string(message));
}

std::string Section::where(std::string_view name) const {
    const Node* node = member(node_, name);
    if (node == nullptr) node = node_;
    return state_->where(node != nullptr ? node->line : 0);
}

std::string Section::title() const {
    return section_title(path_, element_);
}

}  // namespace oai::config
