#include <array>
#include <bit>
#include <cstdint>

#include "mock/distribution.hpp"
#include "mock/format.hpp"
#include "mock/members.hpp"

// Embeddings and moderations: one result per input.

namespace oai::mock {
namespace {

constexpr unsigned kDimensions = 1536;

/// A string, an array of strings, an array of tokens, or an array of those.
std::vector<std::string_view> inputs_of(std::string_view json) {
    std::vector<std::string_view> all = array_elements(json);
    const bool several =
        !all.empty() && (all.front().front() == '"' || all.front().front() == '[' || all.front().front() == '{');
    if (!several) all.assign(1, json);
    return all;
}

std::uint64_t hash(std::string_view text) {  // FNV-1a: the same text has the same embedding, everywhere
    std::uint64_t value = 0xcbf29ce484222325;
    for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return value;
}

/// In 1024ths, from -512 to 511: exact as decimal text and as float, so that both encodings say the same.
std::int32_t next_component(Draws& draws) {
    return static_cast<std::int32_t>(draws.below(1024)) - 512;
}

void append_decimal(std::string& out, std::int32_t in_1024ths) {
    char digits[32];
    const auto done = std::to_chars(digits, digits + sizeof digits, static_cast<double>(in_1024ths) / 1024);
    out.append(digits, done.ptr);
}

void append_base64(std::string& out, std::string_view bytes) {
    constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        for (std::size_t j = 0; j < 3; ++j)
            group = group << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0);
        for (std::size_t j = 0; j < 4; ++j) out += i + j <= bytes.size() ? kDigits[group >> (18 - 6 * j) & 63] : '=';
    }
}

/// Little-endian floats.
void append_floats(std::string& bytes, std::int32_t in_1024ths) {
    const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(in_1024ths) / 1024);
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(bits >> shift & 0xFF);
}

void append_embedding(std::string& out, const Answer& a, std::string_view input) {
    Draws draws(hash(input), 0, 0);
    const unsigned count = a.dimensions == 0 ? kDimensions : a.dimensions;
    std::string bytes;
    out += a.base64 ? '"' : '[';
    for (unsigned i = 0; i < count; ++i) {
        const std::int32_t component = next_component(draws);
        if (a.base64) {
            append_floats(bytes, component);
            continue;
        }
        if (i != 0) out += ',';
        append_decimal(out, component);
    }
    append_base64(out, bytes);
    out += a.base64 ? '"' : ']';
}

class EmbeddingsFormat final : public Format {
public:
    void body(std::string& out, const Answer& a) const override {
        out += R"({"object":"list","data":[)";
        unsigned index = 0;
        for (const std::string_view input : inputs_of(a.input_json)) {
            append(out, index == 0 ? "" : ",", R"({"object":"embedding","index":)", index, R"(,"embedding":)");
            append_embedding(out, a, input);
            out += '}';
            ++index;
        }
        append(out, R"(],"model":)", a.model_json, R"(,"usage":{"prompt_tokens":)", a.input_tokens,
               R"(,"total_tokens":)", a.input_tokens, "}}");
    }
};

class ModerationsFormat final : public Format {
public:
    void body(std::string& out, const Answer& a) const override {
        append(out, R"({"id":"modr-)", a.id, R"(","model":)", a.model_json, R"(,"results":[)");
        bool first = true;
        for ([[maybe_unused]] const std::string_view input : inputs_of(a.input_json)) {
            if (!first) out += ',';
            first = false;
            out += R"({"flagged":false,"categories":{)";
            append_categories(out, "false");
            out += R"(},"category_scores":{)";
            append_categories(out, "0.0001");
            out += R"(},"category_applied_input_types":{)";
            append_categories(out, R"(["text"])");
            out += "}}";
        }
        out += "]}";
    }

private:
    static void append_categories(std::string& out, std::string_view value) {
        constexpr std::array<std::string_view, 13> kCategories{
            "harassment",      "harassment/threatening", "hate",
            "illicit",         "hate/threatening",       "illicit/violent",
            "self-harm",       "self-harm/intent",       "self-harm/instructions",
            "sexual",          "sexual/minors",          "violence",
            "violence/graphic"};
        for (const std::string_view category : kCategories)
            append(out, category == kCategories.front() ? "\"" : ",\"", category, "\":", value);
    }
};

}  // namespace

const Format& embeddings_format() noexcept {
    static const EmbeddingsFormat format;
    return format;
}

const Format& moderations_format() noexcept {
    static const ModerationsFormat format;
    return format;
}

}  // namespace oai::mock
