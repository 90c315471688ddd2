#include <algorithm>
#include <string>
#include <string_view>

#include <toml++/toml.h>

#include "config/document_state.hpp"

namespace oai::config {
namespace {

void fill(Node& to, const toml::node& from);

void fill_table(Node& to, const toml::table& from) {
    to.members.reserve(from.size());
    for (const auto& [key, value] : from) {
        Node& child = to.members.emplace_back(std::string(key.str()), Node{}).second;
        // The key's place: a value may begin lines below it, in a multi-line string.
        child.line = static_cast<int>(key.source().begin.line);
        child.column = static_cast<int>(key.source().begin.column);
        fill(child, value);
    }
    // toml++ keeps tables sorted by name; messages and free keys follow the file.
    std::stable_sort(to.members.begin(), to.members.end(), [](const auto& a, const auto& b) {
        return std::pair(a.second.line, a.second.column) < std::pair(b.second.line, b.second.column);
    });
}

void fill(Node& to, const toml::node& from) {
    using Kind = Section::Kind;
    switch (from.type()) {
        case toml::node_type::string:
            to.kind = Kind::string;
            to.text = from.as_string()->get();
            return;
        case toml::node_type::integer:
            to.kind = Kind::integer;
            to.integer = from.as_integer()->get();
            return;
        case toml::node_type::floating_point:
            to.kind = Kind::number;
            to.number = from.as_floating_point()->get();
            return;
        case toml::node_type::boolean:
            to.kind = Kind::boolean;
            to.boolean = from.as_boolean()->get();
            return;
        case toml::node_type::array:
            to.kind = Kind::array;
            for (const toml::node& item : *from.as_array()) {
                Node& child = to.items.emplace_back();
                child.line = static_cast<int>(item.source().begin.line);
                child.column = static_cast<int>(item.source().begin.column);
                fill(child, item);
            }
            return;
        case toml::node_type::table:
            to.kind = Kind::table;
            fill_table(to, *from.as_table());
            return;
        default: to.kind = Kind::time; return;
    }
}

}  // namespace

core::Result<Node> read_toml(std::string_view text, const std::string& name) {
    try {
        const toml::table table = toml::parse(text, name);
        Node root;
        root.kind = Section::Kind::table;
        root.read = true;
        fill_table(root, table);
        return root;
    } catch (const toml::parse_error& error) {
        const toml::source_position at = error.source().begin;
        return core::Error{.code = core::Code::parse_failed,
                           .detail = name + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) + ": " +
                                     std::string(error.description())};
    }
}

}  // namespace oai::config
