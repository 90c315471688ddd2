#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.hpp"

namespace oai::mock {

/// The members of a JSON object in their order, each value as the text it had: what somebody sent is given back byte
/// for byte. Not for the hot path.
class Members {
public:
    /// An object, or nothing at all: no members. Errors say where the text is none.
    static core::Result<Members> parse(std::string_view text);

    /// Replaces, or adds at the end. `json` is a JSON text.
    void set(std::string_view name, std::string json);
    void set_text(std::string_view name, std::string_view text);
    /// The value's JSON text; null when there is none.
    const std::string* find(std::string_view name) const noexcept;
    /// The text of a string, without its quotes and escapes; empty when it is none.
    std::string text(std::string_view name) const;

    using Member = std::pair<std::string, std::string>;  ///< decoded name, JSON text
    const std::vector<Member>& all() const noexcept { return members_; }
    void append_to(std::string& out) const;

private:
    std::vector<Member> members_;
};

/// The elements of a JSON array that is known to be one; nothing else has any.
std::vector<std::string_view> array_elements(std::string_view json);
/// The text of a JSON string that is known to be one; empty for anything else.
std::string decoded(std::string_view json);

}  // namespace oai::mock
