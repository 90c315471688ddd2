#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// What the fuzz targets share. Each defines LLVMFuzzerTestOneInput; libFuzzer calls it, or corpus_main.cpp does.

namespace oai::fuzz {

/// The parser broke a promise. Ends the process, which is how a fuzzer learns of it.
inline void require(bool kept, const char* promise) {
    if (kept) return;
    std::fprintf(stderr, "broken promise: %s\n", promise);
    std::abort();
}

inline void require_same(std::string_view got, std::string_view want, const char* promise) {
    if (got == want) return;
    std::fprintf(stderr, "broken promise: %s\n got: %.*s\nwant: %.*s\n", promise, static_cast<int>(got.size()),
                 got.data(), static_cast<int>(want.size()), want.data());
    std::abort();
}

/// The input: settings of the target byte by byte from its front, then what is to be parsed.
class Input {
public:
    Input(const std::uint8_t* data, std::size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

    std::uint8_t byte() {
        if (rest_.empty()) return 0;
        const auto value = static_cast<std::uint8_t>(rest_.front());
        rest_.remove_prefix(1);
        return value;
    }
    std::string_view rest() const { return rest_; }

private:
    std::string_view rest_;
};

/// `text` in pieces whose places follow from `seed`; 0 cuts it into single bytes.
inline std::vector<std::string_view> pieces_of(std::string_view text, std::uint8_t seed) {
    std::vector<std::string_view> pieces;
    std::uint32_t state = seed;
    while (!text.empty()) {
        state = state * 1664525U + 1013904223U;
        const std::size_t size = seed == 0 ? 1 : 1 + (state >> 16) % (text.size() < 16 ? text.size() : 16);
        pieces.push_back(text.substr(0, size));
        text.remove_prefix(size);
    }
    return pieces;
}

/// A copy in a block of exactly its size and `padding`: the address sanitizer sees every access beyond it.
class Block {
public:
    explicit Block(std::string_view text, std::size_t padding = 0)
        : bytes_(new char[text.size() + padding]), size_(text.size()) {
        std::memcpy(bytes_.get(), text.data(), text.size());
        std::memset(bytes_.get() + text.size(), 0, padding);
    }
    char* data() const { return bytes_.get(); }
    std::size_t size() const { return size_; }
    std::string_view view() const { return {bytes_.get(), size_}; }

private:
    std::unique_ptr<char[]> bytes_;
    std::size_t size_;
};

inline bool lies_in(std::string_view part, std::string_view whole) {
    return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

}  // namespace oai::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
