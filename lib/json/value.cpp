#include "json/value.hpp"

#include <cmath>

#include <simdjson.h>

namespace oai::json {

struct ValueBuilder {
    static Value build(const simdjson::dom::element& element) {
        using simdjson::dom::element_type;
        Value value;
        switch (element.type()) {
            case element_type::OBJECT:
                value.type_ = Value::Type::object;
                for (const auto& field : simdjson::dom::object(element))
                    value.members_.emplace_back(std::string(field.key), build(field.value));
                break;
            case element_type::ARRAY:
                value.type_ = Value::Type::array;
                for (const auto& item : simdjson::dom::array(element)) value.items_.push_back(build(item));
                break;
            case element_type::STRING:
                value.type_ = Value::Type::string;
                value.string_ = std::string(std::string_view(element));
                break;
            case element_type::INT64:
                value.type_ = Value::Type::integer;
                value.integer_ = std::int64_t(element);
                value.number_ = static_cast<double>(value.integer_);
                break;
            case element_type::UINT64:
                value.type_ = Value::Type::number;
                value.number_ = static_cast<double>(std::uint64_t(element));
                break;
            case element_type::DOUBLE:
                value.type_ = Value::Type::number;
                value.number_ = double(element);
                break;
            case element_type::BOOL:
                value.type_ = Value::Type::boolean;
                value.boolean_ = bool(element);
                break;
            case element_type::NULL_VALUE: break;
        }
        return value;
    }
};

std::optional<bool> Value::as_bool() const noexcept {
    return type_ == Type::boolean ? std::optional(boolean_) : std::nullopt;
}

std::optional<std::int64_t> Value::as_int() const noexcept {
    if (type_ == Type::integer) return integer_;
    // 9e15 < 2^53: below it a double that is whole is exact.
    if (type_ == Type::number && std::abs(number_) < 9e15 && number_ == std::floor(number_))
        return static_cast<std::int64_t>(number_);
    return std::nullopt;
}

std::optional<double> Value::as_double() const noexcept {
    return is_number() ? std::optional(number_) : std::nullopt;
}

std::optional<std::string_view> Value::as_string() const noexcept {
    return type_ == Type::string ? std::optional<std::string_view>(string_) : std::nullopt;
}

const Value* Value::find(std::string_view name) const noexcept {
    for (auto it = members_.rbegin(); it != members_.rend(); ++it) {
        if (it->first == name) return &it->second;
    }
    return nullptr;
}

const Value* Value::find_path(std::string_view path) const noexcept {
    const Value* at = this;
    while (at != nullptr) {
        const std::size_t dot = path.find('.');
        at = at->find(path.substr(0, dot));
        if (dot == std::string_view::npos) break;
        path.remove_prefix(dot + 1);
    }
    return at;
}

core::Result<Value> Value::parse(std::string_view text) {
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    const simdjson::padded_string padded(text);
    const simdjson::error_code failed = parser.parse(padded).get(root);
    if (failed != simdjson::SUCCESS)
        return core::Error{.code = core::Code::parse_failed,
                           .detail = std::string("not JSON: ") + simdjson::error_message(failed)};
    return ValueBuilder::build(root);
}

}  // namespace oai::json
