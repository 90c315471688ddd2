#include "mock/format.hpp"

namespace oai::mock {
namespace {

void append_usage(std::string& out, const Answer& a) {
    append(out, R"({"prompt_tokens":)", a.input_tokens, R"(,"completion_tokens":)", a.output_tokens,
           R"(,"total_tokens":)", a.input_tokens + a.output_tokens,
           R"(,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":)"
           R"({"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}})");
}

std::string_view finish_reason(const Answer& a) {
    return a.incomplete ? R"("length")" : R"("stop")";
}

void begin_chunk(std::string& out, const Answer& a) {
    append(out, R"(data: {"id":"chatcmpl-)", a.id, R"(","object":"chat.completion.chunk","created":)", a.created_at,
           R"(,"model":)", a.model_json, R"(,"service_tier":"default","system_fingerprint":"fp_mock","choices":[)");
}

/// Every chunk but the last says `"usage":null` when usage was asked for.
void end_chunk(std::string& out, const Answer& a) {
    out += a.include_usage ? "],\"usage\":null}\n\n" : "]}\n\n";
}

class ChatFormat final : public Format {
public:
    void body(std::string& out, const Answer& a) const override {
        append(out, R"({"id":"chatcmpl-)", a.id, R"(","object":"chat.completion","created":)", a.created_at,
               R"(,"model":)", a.model_json, R"(,"choices":[{"index":0,"message":{"role":"assistant","content":")");
        append_tokens_json(out, a.output_tokens);
        append(out, R"(","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":)", finish_reason(a),
               R"(}],"usage":)");
        append_usage(out, a);
        out += R"(,"service_tier":"default","system_fingerprint":"fp_mock"})";
    }

    bool streams() const noexcept override { return true; }

    unsigned open(std::string& out, Answer& a) const override {
        begin_chunk(out, a);
        out +=
            R"({"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null})";
        end_chunk(out, a);
        return 1;
    }

    unsigned output(std::string& out, Answer& a, unsigned index) const override {
        begin_chunk(out, a);
        append(out, R"({"index":0,"delta":{"content":")", token_json(index),
               R"("},"logprobs":null,"finish_reason":null})");
        end_chunk(out, a);
        return 1;
    }

    unsigned close(std::string& out, Answer& a) const override {
        begin_chunk(out, a);
        append(out, R"({"index":0,"delta":{},"logprobs":null,"finish_reason":)", finish_reason(a), "}");
        end_chunk(out, a);
        if (a.include_usage) {
            begin_chunk(out, a);
            out += R"(],"usage":)";
            append_usage(out, a);
            out += "}\n\n";
        }
        out += "data: [DONE]\n\n";
        return a.include_usage ? 3 : 2;
    }

    unsigned fail(std::string& out, Answer&, unsigned) const override {
        out += "data: ";
        append_error_body(out, kServerErrorMessage, "server_error", {}, {});
        out += "\n\n";
        return 1;
    }
};

}  // namespace

const Format& chat_format() noexcept {
    static const ChatFormat format;
    return format;
}

}  // namespace oai::mock
