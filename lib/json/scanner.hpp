#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace oai::json {

/// Text that may be read, not written, up to kPadding bytes beyond its end. A view into a net::Buffer is; a std::string
/// is not.
struct Padded {
    static constexpr std::size_t kPadding = 64;
    std::string_view text;
};

enum class Kind : std::uint8_t { absent, null, boolean, number, string, array, object };

/// A member of an object and where its value lies, quotes and brackets included.
struct Member {
    Kind kind = Kind::absent;
    std::string_view raw;

    bool present() const noexcept { return kind != Kind::absent; }
    /// The text of a string; empty when it is none. Decodes escapes; a string with broken ones is none.
    std::optional<std::string> string() const;
    /// The text of a string without escapes as a view, or empty: for comparing with known words.
    std::string_view plain_string() const noexcept;
    /// Whether it is a string with that text, however it is escaped.
    bool is_text(std::string_view text) const;
    std::optional<bool> boolean() const noexcept;
    std::optional<std::int64_t> integer() const noexcept;
};

/// Finds members by one pass over the bytes, without building a tree. Keys are compared decoded, so "mod\u0065l" is
/// "model". One per worker: it keeps its memory between calls, up to 1 MiB of text; not for several threads at once.
///
/// A text is read once: what lies deeper than its top level is looked up in the structure that the first call left.
class Scanner {
public:
    Scanner();
    ~Scanner();
    Scanner(const Scanner&) = delete;

    /// Members `names[i]` of the object `body` into `found[i]`. Refuses text that is no object, and a name that stands
    /// twice: whoever reads the other one of the two would see a different request. Strings must be UTF-8 and closed
    /// everywhere, and values that were asked for must be well-formed scalars, or containers that are closed; what
    /// nobody asked for is skipped, not checked. `found` must be as long as `names`; no name is empty.
    core::Result<void> members(Padded body, std::span<const std::string_view> names, std::span<Member> found);

    /// The same of an object inside the text, without reading it again. Precondition: `object` was found in the text
    /// that was last given to `members` or `find`, by this scanner, and its bytes are still there.
    core::Result<void> members(const Member& object, std::span<const std::string_view> names, std::span<Member> found);
    /// The first element of an array inside the text, by the same rule; absent when it is empty or no array.
    Member first_element(const Member& array);

    /// The value at a path of object members, such as {"response", "usage"}; absent when a step is missing or the text
    /// breaks before it is reached.
    Member find(Padded text, std::initializer_list<std::string_view> path);
    /// A padded copy of text that has no padding of its own: for the few events per stream that are looked into.
    /// Good until the next call of `copy`.
    Padded copy(std::string_view text);

private:
    class Structure;
    std::unique_ptr<Structure> structure_;
    std::string copy_;
};

/// One span of a body and what is to stand there instead.
struct Splice {
    std::string_view where;  ///< a view into the body, such as Member::raw
    std::string_view with;
};

/// Calls `piece` for each part of the body with its splices done, in order. Precondition: splices are sorted and do not
/// overlap.
template <class F>
void spliced(std::string_view body, std::span<const Splice> splices, F piece) {
    const char* at = body.data();
    for (const Splice& splice : splices) {
        piece(std::string_view(at, static_cast<std::size_t>(splice.where.data() - at)));
        piece(splice.with);
        at = splice.where.data() + splice.where.size();
    }
    piece(std::string_view(at, static_cast<std::size_t>(body.data() + body.size() - at)));
}

/// Length of the body after its splices.
std::size_t spliced_size(std::string_view body, std::span<const Splice> splices) noexcept;

}  // namespace oai::json
