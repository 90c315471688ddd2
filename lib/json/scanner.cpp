#include "json/scanner.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <cstring>
#include <vector>

#include <simdjson.h>

#include "json/value.hpp"

namespace oai::json {
namespace {

static_assert(Padded::kPadding >= simdjson::SIMDJSON_PADDING);

/// Capacity above this is given back after the body that needed it.
constexpr std::size_t kKeptCapacity = 1 << 20;

core::Error refuse(std::string detail, std::string_view param = {}) {
    return core::Error{.code = core::Code::invalid_request,
                       .source = core::Source::downstream,
                       .detail = std::move(detail),
                       .param = std::string(param)};
}

bool is_blank(char c) noexcept {
    return static_cast<unsigned char>(c) <= ' ' && (c == ' ' || c == '\n' || c == '\r' || c == '\t');
}

/// By the first byte of a value; absent when none begins so.
Kind kind_of(char first) noexcept {
    switch (first) {
        case '{': return Kind::object;
        case '[': return Kind::array;
        case '"': return Kind::string;
        case 't':
        case 'f': return Kind::boolean;
        case 'n': return Kind::null;
        default: return first == '-' || (first >= '0' && first <= '9') ? Kind::number : Kind::absent;
    }
}

/// By how much a structural byte changes the depth.
constexpr std::array<signed char, 256> kDepth = [] {
    std::array<signed char, 256> depth{};
    depth['{'] = depth['['] = 1;
    depth['}'] = depth[']'] = -1;
    return depth;
}();

/// What stands where a value should: bytes of its own kind, or the first of a scalar.
enum class Shape : std::uint8_t { scalar, container, none };
constexpr std::array<Shape, 256> kShape = [] {
    std::array<Shape, 256> shape{};
    shape['{'] = shape['['] = Shape::container;
    shape['}'] = shape[']'] = shape[','] = shape[':'] = Shape::none;
    return shape;
}();

/// RFC 8259's grammar.
bool is_number(std::string_view text) noexcept {
    std::size_t at = text.starts_with('-') ? 1 : 0;
    const auto is = [&](auto... any) { return at < text.size() && ((text[at] == any) || ...); };
    const auto digits = [&] {
        const std::size_t begin = at;
        while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
        return at != begin;
    };
    if (is('0')) {
        ++at;
    } else if (!digits()) {
        return false;
    }
    if (is('.') && (++at, !digits())) return false;
    if (is('e', 'E')) {
        ++at;
        if (is('+', '-')) ++at;
        if (!digits()) return false;
    }
    return at == text.size();
}

/// The names that are looked for. Most keys are told from all of them by one look into a table.
class Wanted {
public:
    explicit Wanted(std::span<const std::string_view> names) noexcept : names_(names) {
        assert(names.size() < 255);
        for (std::size_t i = names.size(); i-- > 0;) from_[slot(names[i])] = static_cast<std::uint8_t>(i + 1);
    }
    /// The place of `key` among the names; their number when it is none.
    std::size_t place(std::string_view key) const noexcept {
        const std::size_t from = from_[slot(key)];
        if (from == 0) return names_.size();
        std::size_t i = from - 1;
        while (i < names_.size() && names_[i] != key) ++i;
        return i;
    }

private:
    /// Also of an empty key: the quote behind it may be read.
    static std::size_t slot(std::string_view key) noexcept {
        return (key.size() * 4 + static_cast<unsigned char>(*key.data())) % 64;
    }

    std::span<const std::string_view> names_;
    std::array<std::uint8_t, 64> from_{};  ///< 1 + the first name of that slot; 0 where there is none
};

}  // namespace

/// A text and the positions of its structural bytes: brackets, colons, commas, and where strings and other scalars
/// begin. Between the last byte of a scalar and the next position there are only blanks.
///
/// They are what simdjson's first stage leaves: public in its header, but not part of its documented interface (written
/// for 3.0.1). Its On-Demand iterator walks over the same positions, but cannot come back for a part of the text
/// without reading that again.
class Scanner::Structure {
public:
    using Position = const std::uint32_t*;

    /// Reads a text; the positions are those of this one from now on.
    simdjson::error_code read(std::string_view text);

    Position begin() const noexcept { return simdjson_->structural_indexes.get(); }
    Position end() const noexcept { return end_; }
    /// Of a value that lies in the text; end() when none begins there.
    Position position_of(std::string_view value) const noexcept;

    /// Calls `visit(key, value, behind)` for each field of the object at `object` until it returns something else than
    /// SUCCESS: the key decoded, the positions of its value and of what follows that. `behind_object` is set to what
    /// follows the object when all of it was visited.
    template <class Visit>
    simdjson::error_code fields(Position object, Position& behind_object, Visit visit);

    /// The fields with wanted names, as Scanner::members finds them.
    core::Result<void> members(Position object, Position& behind_object, std::span<const std::string_view> names,
                               std::span<Member> found);

    /// The value between two positions. Refuses a scalar that is not well-formed.
    simdjson::error_code value(Position at, Position behind, Member& out);

    /// The position behind the value at `at`, or null: there is no value, or it is not closed.
    Position skip(Position at) const noexcept {
        switch (kShape[static_cast<unsigned char>(byte(at))]) {
            case Shape::scalar: return at + 1;
            case Shape::container: return skip_container(at);
            case Shape::none: break;
        }
        return nullptr;
    }

    bool is_large() const noexcept { return std::max(capacity_, decoded_.size()) > kKeptCapacity; }

private:
    char byte(Position at) const noexcept { return text_[*at]; }
    /// From a position to the last byte before another one that is no blank.
    std::string_view between(Position at, Position behind) const noexcept {
        const char* last = text_ + *behind - 1;
        while (is_blank(*last)) --last;
        return {text_ + *at, static_cast<std::size_t>(last + 1 - (text_ + *at))};
    }
    /// The inside of the string at `at`, behind which only blanks stand before the next position.
    std::string_view inside(Position at) const noexcept {
        const char* const first = text_ + *at + 1;
        const char* last = text_ + at[1];
        do --last;
        while (*last != '"');
        return {first, static_cast<std::size_t>(last - first)};
    }
    Position skip_container(Position at) const noexcept;
    /// Whether a backslash is among the bytes. Those of the text are mostly inside its long values, and a key before
    /// the first or behind the last of them is told without a look.
    bool has_escape(std::string_view inside) const noexcept {
        return inside.data() <= last_backslash_ && inside.data() + inside.size() > first_backslash_ &&
               inside.find('\\') != std::string_view::npos;
    }
    /// Decodes what is inside a string; false when an escape is broken. Good until the next call.
    bool decode(std::string_view inside, std::string_view& text);

    std::unique_ptr<simdjson::internal::dom_parser_implementation> simdjson_;
    std::size_t capacity_ = 0;
    const char* text_ = nullptr;
    const char* first_backslash_ = nullptr;  ///< null where there is none
    const char* last_backslash_ = nullptr;
    Position end_ = nullptr;
    std::vector<std::uint8_t> decoded_;
};

simdjson::error_code Scanner::Structure::read(std::string_view text) {
    constexpr std::size_t least = 4096;
    end_ = nullptr;
    if (!simdjson_ || capacity_ < text.size()) {
        const std::size_t capacity = std::max(text.size(), least);
        capacity_ = 0;
        // The depth is of the second stage, which is never run.
        if (const auto failed =
                simdjson::get_active_implementation()->create_dom_parser_implementation(capacity, 1, simdjson_))
            return failed;
        capacity_ = capacity;
    }
    const auto failed = simdjson_->stage1(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(),
                                          simdjson::stage1_mode::regular);
    if (failed) return failed;
    text_ = text.data();
    first_backslash_ = static_cast<const char*>(std::memchr(text_, '\\', text.size()));
    last_backslash_ = first_backslash_;
    if (first_backslash_ != nullptr)
        last_backslash_ = static_cast<const char*>(
            memrchr(first_backslash_, '\\', text.size() - static_cast<std::size_t>(first_backslash_ - text_)));
    end_ = begin() + simdjson_->n_structural_indexes;
    return simdjson::SUCCESS;
}

Scanner::Structure::Position Scanner::Structure::position_of(std::string_view value) const noexcept {
    if (end_ == nullptr || std::less<>{}(value.data(), text_)) return end_;
    const auto offset = static_cast<std::size_t>(value.data() - text_);
    const Position at = std::lower_bound(begin(), end_, offset);
    return at != end_ && *at == offset ? at : end_;
}

Scanner::Structure::Position Scanner::Structure::skip_container(Position at) const noexcept {
    const char open = byte(at);
    const char* const text = text_;
    const Position end = end_;
    // No branch on the byte: nobody can foretell it.
    for (int depth = 1; depth != 0; depth += kDepth[static_cast<unsigned char>(text[*at])]) {
        if (++at == end) return nullptr;
    }
    return byte(at) == open + 2 ? at + 1 : nullptr;  // in ASCII '}' is '{' + 2 and ']' is '[' + 2
}

template <class Visit>
simdjson::error_code Scanner::Structure::fields(Position object, Position& behind_object, Visit visit) {
    const char* const text =
        text_;  // kept at hand: the calls below could change the members for all the compiler knows
    const Position end = end_;
    if (text[*object] != '{') return simdjson::INCORRECT_TYPE;
    Position at = object + 1;
    if (at != end && text[*at] == '}') {
        behind_object = at + 1;
        return simdjson::SUCCESS;
    }
    while (true) {
        // A key, a colon, the first of a value and what follows it.
        if (end - at < 4 || text[at[0]] != '"' || text[at[1]] != ':') return simdjson::TAPE_ERROR;
        std::string_view key = inside(at);
        if (has_escape(key) && !decode(key, key)) return simdjson::STRING_ERROR;
        const Position behind = skip(at + 2);
        if (behind == nullptr || behind == end) return simdjson::TAPE_ERROR;
        if (const auto stopped = visit(key, at + 2, behind)) return stopped;
        at = behind + 1;
        if (text[*behind] == '}') {
            behind_object = at;
            return simdjson::SUCCESS;
        }
        if (text[*behind] != ',') return simdjson::TAPE_ERROR;
    }
}

simdjson::error_code Scanner::Structure::value(Position at, Position behind, Member& out) {
    const Kind kind = kind_of(byte(at));
    const std::string_view raw = between(at, behind);
    simdjson::error_code broken = simdjson::SUCCESS;
    switch (kind) {
        case Kind::absent: broken = simdjson::TAPE_ERROR; break;
        case Kind::null: broken = raw == "null" ? simdjson::SUCCESS : simdjson::N_ATOM_ERROR; break;
        case Kind::boolean:
            if (raw != "true" && raw != "false")
                broken = raw[0] == 't' ? simdjson::T_ATOM_ERROR : simdjson::F_ATOM_ERROR;
            break;
        case Kind::number: broken = is_number(raw) ? simdjson::SUCCESS : simdjson::NUMBER_ERROR; break;
        case Kind::string: {
            std::string_view text = raw.substr(1, raw.size() - 2);
            if (has_escape(text) && !decode(text, text)) broken = simdjson::STRING_ERROR;
            break;
        }
        case Kind::array:
        case Kind::object: break;
    }
    if (broken) return broken;
    out.kind = kind;
    out.raw = raw;
    return simdjson::SUCCESS;
}

bool Scanner::Structure::decode(std::string_view inside, std::string_view& text) {
    const std::size_t needed = inside.size() + simdjson::SIMDJSON_PADDING;
    if (decoded_.size() < needed) decoded_.resize(needed);
    const auto* begin = reinterpret_cast<const std::uint8_t*>(inside.data());
    const std::uint8_t* end = simdjson_->parse_string(begin, decoded_.data());
    if (end == nullptr) return false;
    text = {reinterpret_cast<const char*>(decoded_.data()), static_cast<std::size_t>(end - decoded_.data())};
    return true;
}

core::Result<void> Scanner::Structure::members(Position object, Position& behind_object,
                                               std::span<const std::string_view> names, std::span<Member> found) {
    assert(names.size() == found.size());
    for (Member& member : found) member = {};
    const Wanted wanted(names);
    const Member* twice = nullptr;
    const auto failed = fields(object, behind_object, [&](std::string_view key, Position at, Position behind) {
        const std::size_t place = wanted.place(key);
        if (place == names.size()) return simdjson::SUCCESS;
        if (!found[place].present()) return value(at, behind, found[place]);
        twice = &found[place];
        return simdjson::TAPE_ERROR;
    });
    if (twice != nullptr) {
        const std::string_view key = names[static_cast<std::size_t>(twice - found.data())];
        return refuse("\"" + std::string(key) + "\" stands twice in the body; send it once", key);
    }
    if (failed) return refuse(std::string("the body is not a JSON object: ") + simdjson::error_message(failed));
    return {};
}

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

bool Member::is_text(std::string_view text) const {
    if (kind != Kind::string || raw.size() < text.size() + 2) return false;
    if (raw.find('\\') != std::string_view::npos) return string() == text;
    return raw.substr(1, raw.size() - 2) == text;
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

Scanner::Scanner() : structure_(std::make_unique<Structure>()) {}
Scanner::~Scanner() = default;

core::Result<void> Scanner::members(Padded body, std::span<const std::string_view> names, std::span<Member> found) {
    if (structure_->is_large() && body.text.size() <= kKeptCapacity) structure_ = std::make_unique<Structure>();
    if (const auto failed = structure_->read(body.text)) {
        std::ranges::fill(found, Member{});
        return refuse(std::string("the body is not a JSON object: ") + simdjson::error_message(failed));
    }
    Structure::Position behind = nullptr;
    core::Result<void> read = structure_->members(structure_->begin(), behind, names, found);
    if (read && behind != structure_->end()) return refuse("the body has text after its JSON object");
    return read;
}

core::Result<void> Scanner::members(const Member& object, std::span<const std::string_view> names,
                                    std::span<Member> found) {
    const Structure::Position at = structure_->position_of(object.raw);
    Structure::Position behind = nullptr;
    if (at != structure_->end()) return structure_->members(at, behind, names, found);
    std::ranges::fill(found, Member{});
    return refuse("an object that was asked for is not in the body");
}

Member Scanner::first_element(const Member& array) {
    Member element;
    const Structure::Position at = structure_->position_of(array.raw);
    if (array.kind != Kind::array || structure_->end() - at < 3) return element;
    const Structure::Position behind = structure_->skip(at + 1);
    if (behind == nullptr || behind == structure_->end() || structure_->value(at + 1, behind, element)) return {};
    return element;
}

Member Scanner::find(Padded text, std::initializer_list<std::string_view> path) {
    Member found;
    if (structure_->read(text.text)) return found;
    Structure::Position at = structure_->begin(), behind = nullptr;
    for (const std::string_view step : path) {
        Structure::Position next = nullptr;
        const auto stopped = structure_->fields(
            at, behind, [&](std::string_view key, Structure::Position value, Structure::Position behind_value) {
                if (key != step) return simdjson::SUCCESS;
                next = value;
                behind = behind_value;
                return simdjson::NO_SUCH_FIELD;  // no failure here: it ends the walk
            });
        if (next == nullptr || !stopped) return found;
        at = next;
    }
    if (behind != nullptr && structure_->value(at, behind, found)) return {};
    return found;
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
