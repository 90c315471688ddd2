#pragma once

#include <cassert>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "http/head.hpp"

namespace oai::http {

/// A number among the parts of `append`.
class Decimal {
public:
    explicit Decimal(std::uint64_t number) noexcept
        : size_(static_cast<std::size_t>(std::to_chars(digits_, digits_ + sizeof digits_, number).ptr - digits_)) {}
    operator std::string_view() const noexcept { return {digits_, size_}; }

private:
    char digits_[20];
    std::size_t size_;
};

/// Appends texts and Decimals, with one look at the room for all of them. None may lie in `out`.
template <class... Parts>
void append(std::string& out, const Parts&... parts) {
    const auto write = [](char* at, std::string_view part) {
        if (!part.empty()) std::memcpy(at, part.data(), part.size());
        return at + part.size();
    };
    const std::size_t before = out.size();
    out.resize(before + (std::string_view(parts).size() + ...));
    char* at = out.data() + before;
    ((at = write(at, parts)), ...);
}

/// Copies lines of a head that was read, as they came, spacing and all: a run of lines is one copy.
class LineRun {
public:
    /// `out` is complete after end().
    explicit LineRun(std::string& out) noexcept : out_(out) {}

    /// Lines in the order of their head. Precondition: the field was read, not made.
    void add(const Field& field) {
        assert(field.line_bytes != 0);
        const std::string_view line = field.line();
        if (run_.data() + run_.size() != line.data()) {
            out_.append(run_);
            run_ = {line.data(), 0};
        }
        run_ = {run_.data(), run_.size() + line.size()};
    }
    void end() {
        out_.append(run_);
        run_ = {};
    }

private:
    std::string& out_;
    std::string_view run_;
};

}  // namespace oai::http
