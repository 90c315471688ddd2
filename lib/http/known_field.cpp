#include "http/known_field.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace oai::http {
namespace {

constexpr std::array<std::string_view, kKnownFields> kNames = {
#define OAI_FIELD(id, name) name,
#include "http/known_fields.def"
};

/// Shorter names are compared one by one: there are hardly any.
constexpr std::size_t kShortest = 4;

/// What tells the known names apart, whatever their case: length, first byte and the last four.
/// Precondition: not shorter than kShortest.
constexpr std::uint64_t signature(std::string_view name) {
    const std::size_t size = name.size();
    std::array<char, 4> tail{};
    for (std::size_t i = 0; i < tail.size(); ++i) tail[i] = name[size - tail.size() + i];
    const std::uint64_t first = static_cast<unsigned char>(name[0]);
    return (std::bit_cast<std::uint32_t>(tail) | first << 32 | 0x20'2020'2020) + (std::uint64_t{size} << 40);
}

constexpr std::size_t kSlots = 256;

constexpr std::size_t slot_of(std::string_view name, std::uint64_t multiplier) {
    return signature(name) * multiplier >> 56;
}

struct Table {
    std::uint64_t multiplier = 0;
    std::array<KnownField, kSlots> slots{};
};

/// The first multiplier that gives each name a slot of its own: found by the compiler, so that a new name needs its
/// line in the .def and nothing else.
constexpr Table make_table() {
    for (std::uint64_t factor = 0x9E37'79B9'7F4A'7C15; true; factor += 0x1234'5678'9ABC'DEF2) {
        Table table{.multiplier = factor, .slots = {}};
        table.slots.fill(KnownField::other);
        std::size_t placed = 0;
        for (; placed < kNames.size(); ++placed) {
            if (kNames[placed].size() < kShortest) continue;
            KnownField& slot = table.slots[slot_of(kNames[placed], factor)];
            if (slot != KnownField::other) break;
            slot = static_cast<KnownField>(placed);
        }
        if (placed == kNames.size()) return table;
    }
}
constexpr Table kTable = make_table();

/// Whether the words at `text` and `lower` differ in more than the case of letters. Bit 5 is the case where `lower` has
/// a letter (bits 5 and 6 set), and only there: '-' is not CR, '_' is not DEL.
template <class Word>
bool differ(const char* text, const char* lower) noexcept {
    Word t = 0, l = 0;
    std::memcpy(&t, text, sizeof t);
    std::memcpy(&l, lower, sizeof l);
    constexpr auto bit5 = static_cast<Word>(0x2020'2020'2020'2020ULL);
    const auto letters = static_cast<Word>((l >> 1) & l & bit5);
    return ((t ^ l) & ~letters) != 0;
}

/// In words; the last one overlaps the one before. Precondition: `size` is that of both, and a word's at least.
template <class Word>
bool same_words(const char* text, const char* lower, std::size_t size) noexcept {
    for (std::size_t at = 0; at + sizeof(Word) < size; at += sizeof(Word)) {
        if (differ<Word>(text + at, lower + at)) return false;
    }
    return !differ<Word>(text + size - sizeof(Word), lower + size - sizeof(Word));
}

KnownField known_short_field(std::string_view name) noexcept {
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        if (kNames[i].size() == name.size() && same_words<char>(name.data(), kNames[i].data(), name.size()))
            return static_cast<KnownField>(i);
    }
    return KnownField::other;
}

}  // namespace

KnownField known_field(std::string_view name) noexcept {
    const std::size_t size = name.size();
    if (size < kShortest) return size == 0 ? KnownField::other : known_short_field(name);
    const KnownField candidate = kTable.slots[slot_of(name, kTable.multiplier)];
    if (candidate == KnownField::other) return candidate;
    const std::string_view known = kNames[static_cast<std::size_t>(candidate)];
    if (known.size() != size) return KnownField::other;
    const bool same = size >= 8 ? same_words<std::uint64_t>(name.data(), known.data(), size)
                                : same_words<std::uint32_t>(name.data(), known.data(), size);
    return same ? candidate : KnownField::other;
}

}  // namespace oai::http
