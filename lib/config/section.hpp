#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/clock.hpp"

namespace oai::config {

struct DocumentState;
struct Node;

/// One word of a fixed set and what it stands for.
template <class E>
struct Choice {
    std::string_view name;
    E value;
};

/// One table of a Document. A getter marks its key as known; a value that is wrong is noted in the document, with file
/// and line, and the getter returns the default (or an empty value), so that reading goes on and all mistakes show at
/// once. A section that is not in the file is empty: every getter returns its default. Copies are cheap and keep the
/// file alive.
class Section {
public:
    enum class Kind { none, string, integer, number, boolean, array, table, time };

    std::string string(std::string_view name, std::string_view fallback = {}) const;
    /// Absent or empty is a problem.
    std::string required_string(std::string_view name) const;
    bool boolean(std::string_view name, bool fallback) const;
    std::int64_t integer(std::string_view name, std::int64_t fallback, std::int64_t min, std::int64_t max) const;
    /// 2.5, or an integer.
    double number(std::string_view name, double fallback, double min, double max) const;
    /// "250ms", "30s", "15m"; "0" is zero.
    core::nanoseconds duration(std::string_view name, core::nanoseconds fallback,
                               core::nanoseconds min = core::nanoseconds::zero(),
                               core::nanoseconds max = core::nanoseconds::max()) const;
    /// "20%" in basis points: 2000.
    std::int64_t percent(std::string_view name, std::int64_t fallback_bp) const;
    /// "32MiB" or a plain integer, in bytes.
    std::uint64_t size(std::string_view name, std::uint64_t fallback, std::uint64_t min = 0,
                       std::uint64_t max = std::numeric_limits<std::int64_t>::max()) const;
    /// An array of strings, empty when absent.
    std::vector<std::string> strings(std::string_view name) const;
    /// `[map]` of name = "text".
    std::map<std::string, std::string> string_map(std::string_view name) const;
    /// Literal, `env:NAME` or `file:PATH`, resolved; empty when absent. No problem ever holds the value.
    std::string secret(std::string_view name) const;
    std::string required_secret(std::string_view name) const;

    /// One of a few words: choice("on_client_gone", Gone::cancel, {{"cancel", Gone::cancel}, {"drain", Gone::drain}}).
    template <class E>
    E choice(std::string_view name, E fallback, std::initializer_list<Choice<std::type_identity_t<E>>> choices) const {
        std::vector<std::string_view> names;
        for (const auto& one : choices) names.push_back(one.name);
        const std::optional<std::size_t> index = choice_index(name, names);
        return index ? (choices.begin() + *index)->value : fallback;
    }

    /// `[name]` or an inline table.
    Section section(std::string_view name) const;
    /// `[[name]]`, or an array of inline tables; in the order of the file.
    std::vector<Section> sections(std::string_view name) const;

    /// Whether the file has the key. Makes the name known, but does not count as reading it.
    bool has(std::string_view name) const;
    /// What the value is, none when absent; for tables whose keys are free. Like `has`, not a reading.
    Kind kind(std::string_view name) const;
    /// The names of this table in the order of the file, for tables whose keys are free.
    std::vector<std::string> keys() const;
    /// Counts the key, with all below it, as read: for a part of the file that another reader owns.
    void ignore(std::string_view name) const;
    /// False for a section that is not in the file.
    bool present() const noexcept { return node_ != nullptr; }

    /// Notes a problem of the caller's own at the key (at the section when it is absent): `fail("weight", "must not be
    /// 0 for the default version")` becomes `oaigw.toml:12: "weight" must not be 0 for the default version`.
    void fail(std::string_view name, std::string_view message) const;
    /// The same about the section as a whole: `oaigw.toml:9: [[account]] needs base_url or path`.
    void fail(std::string_view message) const;
    /// `oaigw.toml:12`, the line of the key, else of the section, else the file alone.
    std::string where(std::string_view name = {}) const;
    /// As a person writes it: `[[provider.version]]`, `[limits]`, `the top level`.
    std::string title() const;

private:
    friend class Document;
    Section(std::shared_ptr<DocumentState> state, const Node* node, std::string path, bool element)
        : state_(std::move(state)), node_(node), path_(std::move(path)), element_(element) {}

    const Node* find(std::string_view name, bool read) const;
    const Node* find_string(std::string_view name, std::string_view right) const;
    std::optional<std::size_t> choice_index(std::string_view name, const std::vector<std::string_view>& names) const;
    Section child(const Node* node, std::string_view name, bool element) const;
    void must_be(std::string_view name, const Node& node, std::string_view right) const;

    std::shared_ptr<DocumentState> state_;
    const Node* node_;  ///< null when the file does not have the section
    std::string path_;  ///< dotted, without indexes: "provider.version"; empty at the top
    bool element_;      ///< one of an array of tables
};

}  // namespace oai::config
