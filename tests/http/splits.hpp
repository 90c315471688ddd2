#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

namespace oai::http::test {

/// The ways an input may arrive: whole, cut in two at every place, and byte by byte. `read` gets the pieces and says
/// what came out as text; every way must say the same. Returns that text.
inline std::string same_for_every_split(std::string_view input,
                                        const std::function<std::string(const std::vector<std::string>&)>& read) {
    const std::string whole = read({std::string(input)});
    for (std::size_t cut = 1; cut < input.size(); ++cut) {
        CAPTURE(cut);
        CHECK(read({std::string(input.substr(0, cut)), std::string(input.substr(cut))}) == whole);
    }
    std::vector<std::string> bytes;
    for (const char c : input) bytes.emplace_back(1, c);
    CHECK(read(bytes) == whole);
    return whole;
}

/// Small, seeded, the same everywhere: std::uniform_int_distribution is not.
class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed) {}
    std::size_t below(std::size_t bound) {
        state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
        return static_cast<std::size_t>((state_ >> 33) % bound);
    }

private:
    std::uint64_t state_;
};

/// One to four random edits; half of them with bytes that parsers care about.
inline std::string mutate(std::string text, Random& random) {
    using namespace std::literals;
    constexpr std::string_view interesting =
        "\r\n\r\n \t:;,0\0\x7f\xff\xEF\xBB\xBF+-Content-Length: Transfer-Encoding"sv;
    for (std::size_t edits = 1 + random.below(4); edits > 0 && !text.empty(); --edits) {
        const std::size_t at = random.below(text.size());
        const char byte =
            random.below(2) == 0 ? static_cast<char>(random.below(256)) : interesting[random.below(interesting.size())];
        switch (random.below(6)) {
            case 0: text[at] = byte; break;
            case 1: text.erase(at, 1 + random.below(3)); break;
            case 2: text.insert(at, 1, byte); break;
            case 3: text.insert(at, text.substr(random.below(text.size()), random.below(24))); break;
            case 4: text.insert(at, interesting.substr(random.below(4), 1 + random.below(4))); break;
            default: text.resize(at); break;
        }
    }
    return text;
}

/// The input in random pieces.
inline std::vector<std::string> random_pieces(std::string_view input, Random& random) {
    std::vector<std::string> pieces;
    while (!input.empty()) {
        const std::size_t size = 1 + random.below(input.size());
        pieces.emplace_back(input.substr(0, size));
        input.remove_prefix(size);
    }
    return pieces;
}

}  // namespace oai::http::test
