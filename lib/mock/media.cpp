#include <array>

#include "mock/format.hpp"

// Images and audio.

namespace oai::mock {
namespace {

/// A PNG of one transparent pixel, as base64.
constexpr std::string_view kImage =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

void append_image_usage(std::string& out, const Answer& a) {
    append(out, R"("usage":{"input_tokens":)", a.input_tokens,
           R"(,"input_tokens_details":{"image_tokens":0,"text_tokens":)", a.input_tokens, R"(},"output_tokens":)",
           a.all_output_tokens(), R"(,"total_tokens":)", a.input_tokens + a.all_output_tokens(), "}");
}

/// Of a stream, each output event is a partial image.
class ImagesFormat final : public Format {
public:
    void body(std::string& out, const Answer& a) const override {
        append(out, R"({"created":)", a.created_at, R"(,"background":"opaque","output_format":"png","quality":"low",)",
               R"("size":"1024x1024","data":[)");
        for (unsigned i = 0; i < a.choices; ++i) append(out, i == 0 ? "" : ",", R"({"b64_json":")", kImage, R"("})");
        out += "],";
        append_image_usage(out, a);
        out += '}';
    }

    bool streams() const noexcept override { return true; }

    unsigned output(std::string& out, Answer& a, unsigned index) const override {
        begin_event(out, a, "image_generation.partial_image");
        append(out, R"(,"partial_image_index":)", index, "}\n\n");
        return 1;
    }

    unsigned close(std::string& out, Answer& a) const override {
        begin_event(out, a, "image_generation.completed");
        out += ',';
        append_image_usage(out, a);
        out += "}\n\n";
        return 1;
    }

private:
    static void begin_event(std::string& out, const Answer& a, std::string_view type) {
        append(out, "event: ", type, "\ndata: {\"type\":\"", type, R"(","b64_json":")", kImage, R"(","created_at":)",
               a.created_at, R"(,"background":"opaque","output_format":"png","quality":"low","size":"1024x1024")");
    }
};

/// Binary, in chunks as it is made: 1 KiB per output token.
class SpeechFormat final : public Format {
public:
    void body(std::string& out, const Answer& a) const override {
        for (unsigned i = 0; i < a.output_tokens; ++i) append_block(out, i);
    }
    std::string_view type(const Answer&) const noexcept override { return "audio/mpeg"; }
    bool streams() const noexcept override { return true; }
    bool always_streams() const noexcept override { return true; }
    std::string_view stream_type() const noexcept override { return "audio/mpeg"; }
    unsigned output(std::string& out, Answer&, unsigned index) const override {
        append_block(out, index);
        return 0;
    }
    unsigned error_event(std::string&, Answer&) const override { return 0; }  // sound has no words for it

private:
    /// No two alike, and with every value of a byte: what is not passed on byte by byte shows.
    static void append_block(std::string& out, unsigned index) {
        std::array<char, 1024> block{};
        for (std::size_t i = 0; i < block.size(); ++i) block[i] = static_cast<char>((i * 7 + index) & 0xFF);
        out.append(block.data(), block.size());
    }
};

class TranscriptionFormat final : public Format {
public:
    void body(std::string& out, const Answer& a) const override {
        if (is_plain(a)) {
            // Plain text has no escapes: the words of a tool's arguments have none.
            for (unsigned i = 0; i < a.output_tokens; ++i) out += "north ";
            out.back() = '\n';
            return;
        }
        out += R"({"text":")";
        append_text(out, a);
        out += '"';
        if (a.text_format == "verbose_json")
            append(out, R"(,"task":"transcribe","language":"english","duration":)", a.output_tokens,
                   R"(,"segments":[])");
        out += ',';
        append_usage(out, a);
        out += '}';
    }
    std::string_view type(const Answer& a) const noexcept override {
        return is_plain(a) ? "text/plain; charset=utf-8" : "application/json";
    }

    bool streams() const noexcept override { return true; }

    unsigned output(std::string& out, Answer& a, unsigned index) const override {
        out += R"(data: {"type":"transcript.text.delta","delta":")";
        append_token(out, a, index);
        out += "\"}\n\n";
        return 1;
    }

    unsigned close(std::string& out, Answer& a) const override {
        out += R"(data: {"type":"transcript.text.done","text":")";
        append_text(out, a);
        out += "\",";
        append_usage(out, a);
        out += "}\n\n";
        return 1;
    }

private:
    static bool is_plain(const Answer& a) noexcept {
        return a.text_format == "text" || a.text_format == "srt" || a.text_format == "vtt";
    }
    static void append_usage(std::string& out, const Answer& a) {
        append(out, R"("usage":{"type":"tokens","input_tokens":)", a.input_tokens, R"(,"output_tokens":)",
               a.output_tokens, R"(,"total_tokens":)", a.input_tokens + a.output_tokens, "}");
    }
};

}  // namespace

const Format& images_format() noexcept {
    static const ImagesFormat format;
    return format;
}

const Format& speech_format() noexcept {
    static const SpeechFormat format;
    return format;
}

const Format& transcription_format() noexcept {
    static const TranscriptionFormat format;
    return format;
}

}  // namespace oai::mock
