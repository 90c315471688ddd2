#include "json/scanner.hpp"

#include <cassert>
#include <charconv>
#include <cstring>

#include <simdjson.h>

#include "json/value.hpp"

namespace oai::json {

namespace ondemand = simdjson::ondemand;

static_assert(Padded::kPadding >= simdjson::SIMDJSON_PADDING);

struct Scanner::Parser {
    ondemand::parser ondemand;
};

namespace {

/// Capacity above this is given back after the body that needed it.
constexpr std::size_t kKeptCapacity = 1 << 20;

core::Error refuse(std::string detail, std::string_view param = {}) {
    return core::Error{.code = core::Code::invalid_request,
                       .source = core::Source::downstream,
                       .detail = std::move(detail),
                       .param = std::string(param)};
}

Kind kind_of(ondemand::json_type type) {
    switch (type) {
        case ondemand::json_type::array: return Kind::array;
        case ondemand::json_type::object: return Kind::object;
        case ondemand::json_type::number: return Kind::number;
        case ondemand::json_type::string: return Kind::string;
        case ondemand::json_type::boolean: return Kind::boolean;
        case ondemand::json_type::null: return Kind::null;
    }
    return Kind::absent;
}

/// simdjson's raw text reaches up to whatever comes next.
std::string_view trimmed(std::string_view token) {
    while (!token.empty() &&
           (token.back() == ' ' || token.back() == '\n' || token.back() == '\r' || token.back() == '\t'))
        token.remove_suffix(1);
    return token;
}

/// The key as bytes when it holds no escape (nearly always), else decoded by simdjson.
simdjson::error_code key_of(ondemand::field& field, std::string_view& key) {
    const char* raw = field.key().raw();
    const char* end = raw;
    while (*end != '"' && *end != '\\') ++end;
    if (*end == '"') {
        key = std::string_view(raw, static_cast<std::size_t>(end - raw));
        return simdjson::SUCCESS;
    }
    return field.unescaped_key().get(key);
}

simdjson::error_code member_of(ondemand::value value, Member& out) {
    ondemand::json_type type;
    if (const auto failed = value.type().get(type)) return failed;
    out.kind = kind_of(type);
    if (type == ondemand::json_type::object) {
        ondemand::object object;
        if (const auto failed = value.get_object().get(object)) return failed;
        const auto failed = object.raw_json().get(out.raw);
        out.raw = trimmed(out.raw);
        return failed;
    }
    if (type == ondemand::json_type::array) {
        ondemand::array array;
        if (const auto failed = value.get_array().get(array)) return failed;
        const auto failed = array.raw_json().get(out.raw);
        out.raw = trimmed(out.raw);
        return failed;
    }
    out.raw = trimmed(value.raw_json_token());
    // Reading the scalar checks it: `tru` or an unfinished string must not pass as a value.
    switch (type) {
        case ondemand::json_type::string: {
            std::string_view text;
            return value.get_string().get(text);
        }
        case ondemand::json_type::boolean: {
            bool flag = false;
            return value.get_bool().get(flag);
        }
        case ondemand::json_type::number: {
            double number = 0;
            return value.get_double().get(number);
        }
        default: {
            // Not as a condition: the result's conversion to bool throws for `nul`.
            bool null = false;
            if (const auto failed = value.is_null().get(null)) return failed;
            return null ? simdjson::SUCCESS : simdjson::N_ATOM_ERROR;
        }
    }
}

}  // namespace

std::string_view Member::plain_string() const noexcept {
    if (kind != Kind::string || raw.size() < 2) return {};
    const std::string_view inner = raw.substr(1, raw.size() - 2);
    return std::memchr(inner.data(), '\\', inner.size()) == nullptr ? inner : std::string_view{};
}

std::optional<std::string> Member::string() const {
    if (kind != Kind::string || raw.size() < 2) return std::nullopt;
    if (raw.find('\\') == std::string_view::npos) return std::string(raw.substr(1, raw.size() - 2));
    // A lone string is a JSON document: the slow way for the rare escape.
    const core::Result<Value> decoded = Value::parse(raw);
    if (!decoded || !decoded->is_string()) return std::nullopt;
    return std::string(*decoded->as_string());
}

std::optional<bool> Member::boolean() const noexcept {
    return kind == Kind::boolean ? std::optional(raw == "true") : std::nullopt;
}

std::optional<std::int64_t> Member::integer() const noexcept {
    std::int64_t value = 0;
    if (kind != Kind::number) return std::nullopt;
    const auto [end, ec] = std::from_chars(raw.data(), raw.data() + raw.size(), value);
    return ec == std::errc{} && end == raw.data() + raw.size() ? std::optional(value) : std::nullopt;
}

Scanner::Scanner() : parser_(std::make_unique<Parser>()) {}
Scanner::~Scanner() = default;

core::Result<void> Scanner::members(Padded body, std::span<const std::string_view> names, std::span<Member> found) {
    assert(names.size() == found.size());
    const auto not_json = [](simdjson::error_code why) {
        return refuse(std::string("the body is not a JSON object: ") + simdjson::error_message(why));
    };
    for (Member& member : found) member = {};
    if (parser_->ondemand.capacity() > kKeptCapacity && body.text.size() <= kKeptCapacity)
        parser_ = std::make_unique<Parser>();

    ondemand::document document;
    const simdjson::padded_string_view padded(body.text.data(), body.text.size(), body.text.size() + Padded::kPadding);
    if (const auto failed = parser_->ondemand.iterate(padded).get(document)) return not_json(failed);
    ondemand::object object;
    if (const auto failed = document.get_object().get(object)) return not_json(failed);
    for (auto result : object) {
        ondemand::field field;
        if (const auto failed = std::move(result).get(field)) return not_json(failed);
        std::string_view key;
        if (const auto failed = key_of(field, key)) return not_json(failed);
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (names[i] != key) continue;
            if (found[i].present())
                return refuse("\"" + std::string(key) + "\" stands twice in the body; send it once", key);
            if (const auto failed = member_of(field.value(), found[i])) return not_json(failed);
            break;
        }
    }
    // Only at the end of the text there is no current location.
    if (const char* rest = nullptr; document.current_location().get(rest) == simdjson::SUCCESS)
        return refuse("the body has text after its JSON object");
    return {};
}

Member Scanner::find(Padded text, std::initializer_list<std::string_view> path) {
    ondemand::document document;
    const simdjson::padded_string_view padded(text.text.data(), text.text.size(), text.text.size() + Padded::kPadding);
    Member member;
    if (parser_->ondemand.iterate(padded).get(document)) return {};
    ondemand::value at;
    bool first = true;
    for (const std::string_view step : path) {
        ondemand::object object;
        const auto failed = first ? document.get_object().get(object) : at.get_object().get(object);
        if (failed || object.find_field(step).get(at)) return {};
        first = false;
    }
    if (first || member_of(at, member)) return {};
    return member;
}

Padded Scanner::copy(std::string_view text) {
    if (copy_.capacity() > kKeptCapacity && text.size() <= kKeptCapacity) copy_ = {};
    copy_.reserve(text.size() + Padded::kPadding);
    copy_.assign(text);
    return Padded{copy_};
}

std::size_t spliced_size(std::string_view body, std::span<const Splice> splices) noexcept {
    std::size_t size = body.size();
    for (const Splice& splice : splices) size = size - splice.where.size() + splice.with.size();
    return size;
}

}  // namespace oai::json
