#include "mock/format.hpp"

// Chat completions, and the legacy completions, whose stream has the same frame.

namespace oai::mock {
namespace {

void append_usage(std::string& out, const Answer& a) {
    append(out, R"({"prompt_tokens":)", a.input_tokens, R"(,"completion_tokens":)", a.all_output_tokens(),
           R"(,"total_tokens":)", a.input_tokens + a.all_output_tokens(),
           R"(,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":)"
           R"({"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}})");
}

std::string_view finish_reason(const Answer& a) {
    if (a.incomplete) return R"("length")";
    return a.calls_tool() ? R"("tool_calls")" : R"("stop")";
}

void append_function(std::string& out, const Answer& a) {
    append(out, R"("id":"call_)", a.id, R"(","type":"function","function":{"name":)", a.tool_json, R"(,"arguments":")");
}

/// What is the same in every object of one of the two endpoints, up to its choices.
void append_frame(std::string& out, const Answer& a, std::string_view prefix, std::string_view object) {
    append(out, R"({"id":")", prefix, a.id, R"(","object":")", object, R"(","created":)", a.created_at, R"(,"model":)",
           a.model_json, R"(,"service_tier":"default","system_fingerprint":"fp_mock","choices":[)");
}

/// Every chunk but the last says `"usage":null` when usage was asked for.
void end_chunk(std::string& out, const Answer& a) {
    out += a.include_usage ? "}],\"usage\":null}\n\n" : "}]}\n\n";
}

void append_usage_chunk(std::string& out, const Answer& a, std::string_view prefix, std::string_view object) {
    out += "data: ";
    append_frame(out, a, prefix, object);
    out += R"(],"usage":)";
    append_usage(out, a);
    out += "}\n\n";
}

/// The end of both streams, after their finish reasons.
unsigned append_end(std::string& out, const Answer& a, std::string_view prefix, std::string_view object) {
    if (a.include_usage) append_usage_chunk(out, a, prefix, object);
    if (a.done) out += "data: [DONE]\n\n";
    return (a.include_usage ? 1 : 0) + (a.done ? 1 : 0);
}

class ChatFormat final : public Format {
public:
    void body(std::string& out, const Answer& a) const override {
        append_frame(out, a, kPrefix, "chat.completion");
        for (unsigned choice = 0; choice < a.choices; ++choice) {
            append(out, choice == 0 ? "" : ",", R"({"index":)", choice, R"(,"message":{"role":"assistant","content":)");
            if (a.calls_tool()) {
                out += R"(null,"tool_calls":[{)";
                append_function(out, a);
                append_arguments(out, a);
                out += R"("}}])";
            } else {
                out += '"';
                append_text(out, a);
                out += '"';
            }
            append(out, R"(,"refusal":null,"annotations":[]},"logprobs":null,"finish_reason":)", finish_reason(a), "}");
        }
        out += R"(],"usage":)";
        append_usage(out, a);
        out += '}';
    }

    bool streams() const noexcept override { return true; }

    unsigned open(std::string& out, Answer& a) const override {
        for (unsigned choice = 0; choice < a.choices; ++choice) {
            begin_delta(out, a, choice);
            append(out, R"("role":"assistant","content":)", a.calls_tool() ? "null" : R"("")", R"(,"refusal":null)");
            end_delta(out, a, "null");
        }
        return a.choices;
    }

    unsigned output(std::string& out, Answer& a, unsigned index) const override {
        for (unsigned choice = 0; choice < a.choices; ++choice) {
            begin_delta(out, a, choice);
            if (!a.calls_tool()) {
                out += R"("content":")";
                append_token(out, a, index);
                out += '"';
            } else {
                out += R"("tool_calls":[{"index":0,)";
                if (index == 0) {
                    append_function(out, a);
                } else {
                    out += R"("function":{"arguments":")";
                }
                append_argument(out, a, index);
                out += R"("}}])";
            }
            end_delta(out, a, "null");
        }
        return a.choices;
    }

    unsigned close(std::string& out, Answer& a) const override {
        for (unsigned choice = 0; choice < a.choices; ++choice) {
            begin_delta(out, a, choice);
            end_delta(out, a, finish_reason(a));
        }
        return a.choices + append_end(out, a, kPrefix, kChunk);
    }

private:
    static constexpr std::string_view kPrefix = "chatcmpl-", kChunk = "chat.completion.chunk";

    static void begin_delta(std::string& out, const Answer& a, unsigned choice) {
        out += "data: ";
        append_frame(out, a, kPrefix, kChunk);
        append(out, R"({"index":)", choice, R"(,"delta":{)");
    }
    static void end_delta(std::string& out, const Answer& a, std::string_view finish) {
        append(out, R"(},"logprobs":null,"finish_reason":)", finish);
        end_chunk(out, a);
    }
};

class CompletionsFormat final : public Format {
public:
    void body(std::string& out, const Answer& a) const override {
        append_frame(out, a, kPrefix, kObject);
        for (unsigned choice = 0; choice < a.choices; ++choice) {
            append(out, choice == 0 ? "" : ",", R"({"text":")");
            append_text(out, a);
            append(out, R"(","index":)", choice, R"(,"logprobs":null,"finish_reason":)", finish_reason(a), "}");
        }
        out += R"(],"usage":)";
        append_usage(out, a);
        out += '}';
    }

    bool streams() const noexcept override { return true; }

    unsigned output(std::string& out, Answer& a, unsigned index) const override {
        for (unsigned choice = 0; choice < a.choices; ++choice) {
            begin_text(out, a);
            append_token(out, a, index);
            end_text(out, a, choice, "null");
        }
        return a.choices;
    }

    unsigned close(std::string& out, Answer& a) const override {
        for (unsigned choice = 0; choice < a.choices; ++choice) {
            begin_text(out, a);
            end_text(out, a, choice, finish_reason(a));
        }
        return a.choices + append_end(out, a, kPrefix, kObject);
    }

private:
    static constexpr std::string_view kPrefix = "cmpl-", kObject = "text_completion";

    static void begin_text(std::string& out, const Answer& a) {
        out += "data: ";
        append_frame(out, a, kPrefix, kObject);
        out += R"({"text":")";
    }
    static void end_text(std::string& out, const Answer& a, unsigned choice, std::string_view finish) {
        append(out, R"(","index":)", choice, R"(,"logprobs":null,"finish_reason":)", finish);
        end_chunk(out, a);
    }
};

}  // namespace

const Format& chat_format() noexcept {
    static const ChatFormat format;
    return format;
}

const Format& completions_format() noexcept {
    static const CompletionsFormat format;
    return format;
}

}  // namespace oai::mock
