#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <string_view>

namespace oai::net {

/// What is to be written, as up to eight pieces that go out in one system call. Views: the bytes stay where they are.
class Pieces {
public:
    static constexpr std::size_t kMost = 8;

    Pieces() = default;
    Pieces(std::initializer_list<std::string_view> pieces);  // NOLINT(google-explicit-constructor)

    void add(std::string_view piece) noexcept;
    bool empty() const noexcept { return first_ == count_; }
    std::size_t size() const noexcept;
    std::span<const std::string_view> rest() const noexcept { return {pieces_.data() + first_, count_ - first_}; }
    void consume(std::size_t n) noexcept;

private:
    std::array<std::string_view, kMost> pieces_{};
    std::size_t first_ = 0;
    std::size_t count_ = 0;
};

}  // namespace oai::net
