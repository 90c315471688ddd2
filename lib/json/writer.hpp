#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace oai::json {

/// Writes JSON text in the order it is told: same calls, same bytes. Numbers are integers, or decimals built from
/// integers: no floating point reaches a document.
class Writer {
public:
    enum class Layout { compact, pretty };  ///< pretty: two blanks per level, for files people read

    explicit Writer(Layout layout = Layout::compact) : pretty_(layout == Layout::pretty) {}

    Writer& begin_object();
    Writer& end_object();
    Writer& begin_array();
    Writer& end_array();
    Writer& key(std::string_view name);

    Writer& value(std::string_view text);
    Writer& value(const char* text) { return value(std::string_view(text)); }
    Writer& value(bool flag);
    Writer& value(std::nullptr_t);
    template <std::signed_integral I>
    Writer& value(I number) {
        return integer(number);
    }
    template <std::unsigned_integral U>
    requires(!std::same_as<U, bool>) Writer& value(U number) { return unsigned_integer(number); }
    template <class T>
    Writer& value(const std::optional<T>& maybe) {
        return maybe ? value(*maybe) : value(nullptr);
    }

    /// The decimal number `scaled` / 10^decimals, written with just that many decimals: decimal(9950, 4) is 0.9950.
    Writer& decimal(std::int64_t scaled, int decimals);

    /// Text that already is JSON. In a pretty document it is laid out like everything else; its tokens stay as they
    /// are.
    Writer& raw(std::string_view json);

    template <class T>
    Writer& member(std::string_view name, const T& v) {
        return key(name).value(v);
    }

    const std::string& text() const noexcept { return out_; }
    std::string take() { return std::move(out_); }

private:
    Writer& integer(std::int64_t number);
    Writer& unsigned_integer(std::uint64_t number);
    void before_value();
    void line_break();
    Writer& close(char bracket);

    std::string out_;
    int depth_ = 0;
    bool pretty_;
    bool first_ = true;
    bool after_key_ = false;
};

/// Appends `text` with quotes and escapes. Bytes that are not UTF-8 become U+FFFD, so the result always is JSON.
void append_quoted(std::string& out, std::string_view text);

}  // namespace oai::json
