#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/environment.hpp"
#include "config/section.hpp"
#include "core/result.hpp"

namespace oai::config {

// Inside of `config`: what Document and Section share.

/// A value of the file, copied out of toml++, so that its header (4 s per source) is included once.
struct Node {
    Section::Kind kind = Section::Kind::none;
    int line = 0;
    int column = 0;
    bool boolean = false;
    std::int64_t integer = 0;
    double number = 0;
    std::string text{};
    std::vector<Node> items{};                            ///< of an array
    std::vector<std::pair<std::string, Node>> members{};  ///< of a table, in the order of the file

    // Marks of the reader; they are no part of the value.
    mutable bool read = false;   ///< asked for
    mutable bool whole = false;  ///< asked for with all below it
};

struct Problem {
    int line = 0;  ///< 0: of the file as a whole
    std::string text;
};

struct DocumentState {
    std::string name;
    Environment environment;
    Node root;
    std::vector<Problem> problems{};
    /// Names asked for, by the path of their table: what an unknown key may have been meant to be. By path and not by
    /// table, since the reader may ask one of several [[key]] tables for more than the others.
    std::map<std::string, std::set<std::string, std::less<>>, std::less<>> known{};

    std::string where(int line) const;
    /// Notes a problem once, even when a key is read twice.
    void note(int line, std::string_view message);
};

core::Result<Node> read_toml(std::string_view text, const std::string& name);

/// `[[provider.version]]`, `[limits]`, `the top level`.
std::string section_title(std::string_view path, bool element);
std::string joined_path(std::string_view path, std::string_view name);
/// Quoted, on one line, and not longer than a message bears.
std::string quoted(std::string_view text);

}  // namespace oai::config
