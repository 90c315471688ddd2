#include "net/pieces.hpp"

#include <cassert>

namespace oai::net {

Pieces::Pieces(std::initializer_list<std::string_view> pieces) {
    for (const std::string_view piece : pieces) add(piece);
}

void Pieces::add(std::string_view piece) noexcept {
    assert(count_ < kMost);
    if (!piece.empty()) pieces_[count_++] = piece;
}

std::size_t Pieces::size() const noexcept {
    std::size_t total = 0;
    for (const std::string_view piece : rest()) total += piece.size();
    return total;
}

void Pieces::consume(std::size_t n) noexcept {
    while (n != 0) {
        std::string_view& piece = pieces_[first_];
        if (n < piece.size()) {
            piece.remove_prefix(n);
            return;
        }
        n -= piece.size();
        ++first_;
    }
}

}  // namespace oai::net
