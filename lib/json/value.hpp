#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.hpp"

namespace oai::json {

/// A parsed document as an owned tree: for reports, settings and answers of an API, where a copy does not matter.
/// The request path never uses it; see json/top_level.hpp.
class Value {
public:
    enum class Type { null, boolean, integer, number, string, array, object };
    using Member = std::pair<std::string, Value>;

    Type type() const noexcept { return type_; }
    bool is_null() const noexcept { return type_ == Type::null; }
    bool is_object() const noexcept { return type_ == Type::object; }
    bool is_array() const noexcept { return type_ == Type::array; }
    bool is_string() const noexcept { return type_ == Type::string; }
    bool is_number() const noexcept { return type_ == Type::integer || type_ == Type::number; }

    std::optional<bool> as_bool() const noexcept;
    /// Empty for anything else, 3.5 and 1e30 included.
    std::optional<std::int64_t> as_int() const noexcept;
    std::optional<double> as_double() const noexcept;
    std::optional<std::string_view> as_string() const noexcept;

    /// Elements of an array, in order; none for anything else.
    const std::vector<Value>& items() const noexcept { return items_; }
    /// Members of an object, in the order of the text; none for anything else.
    const std::vector<Member>& members() const noexcept { return members_; }
    /// The member of that name, or null. The last one wins when a name stands twice.
    const Value* find(std::string_view name) const noexcept;
    /// Follows members: find_path("ttft.p99_ms"). Null when a step is missing.
    const Value* find_path(std::string_view path) const noexcept;

    /// Strict JSON, all of `text`. The error says where.
    static core::Result<Value> parse(std::string_view text);

private:
    friend struct ValueBuilder;
    Type type_ = Type::null;
    bool boolean_ = false;
    std::int64_t integer_ = 0;
    double number_ = 0;
    std::string string_;
    std::vector<Value> items_;
    std::vector<Member> members_;
};

}  // namespace oai::json
