#include "mock/format.hpp"

// Anthropic's Messages.

namespace oai::mock {
namespace {

std::string_view stop_reason(const Answer& a) {
    if (a.incomplete) return R"("max_tokens")";
    return a.calls_tool() ? R"("tool_use")" : R"("end_turn")";
}

/// A message up to its content, and from there on.
void append_message(std::string& out, const Answer& a) {
    append(out, R"({"id":"msg_)", a.id, R"(","type":"message","role":"assistant","model":)", a.model_json,
           R"(,"content":[)");
}

void append_message_end(std::string& out, const Answer& a, std::string_view stop, unsigned output_tokens) {
    append(out, R"(],"stop_reason":)", stop, R"(,"stop_sequence":null,"usage":{"input_tokens":)", a.input_tokens,
           R"(,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":)", output_tokens,
           R"(,"service_tier":"standard"}})");
}

void append_tool_use(std::string& out, const Answer& a) {
    append(out, R"({"type":"tool_use","id":"toolu_)", a.id, R"(","name":)", a.tool_json, R"(,"input":)");
}

void begin_event(std::string& out, std::string_view type) {
    append(out, "event: ", type, "\ndata: {\"type\":\"", type, "\"");
}

void end_event(std::string& out) {
    out += "}\n\n";
}

class MessagesFormat final : public Format {
public:
    void body(std::string& out, const Answer& a) const override {
        append_message(out, a);
        if (a.calls_tool()) {
            append_tool_use(out, a);
            append_arguments_object(out, a);
            out += '}';
        } else {
            out += R"({"type":"text","text":")";
            append_text(out, a);
            out += R"("})";
        }
        append_message_end(out, a, stop_reason(a), a.output_tokens);
    }

    void failed_body(std::string& out, const Answer& a) const override {
        append_error_body(out, Shape::anthropic, 529, a.failure, {});
    }

    bool streams() const noexcept override { return true; }

    unsigned open(std::string& out, Answer& a) const override {
        begin_event(out, "message_start");
        out += R"(,"message":)";
        append_message(out, a);
        append_message_end(out, a, "null", 1);
        end_event(out);
        begin_event(out, "content_block_start");
        out += R"(,"index":0,"content_block":)";
        if (a.calls_tool()) {
            append_tool_use(out, a);
            out += "{}}";
        } else {
            out += R"({"type":"text","text":""})";
        }
        end_event(out);
        begin_event(out, "ping");
        end_event(out);
        return 3;
    }

    unsigned output(std::string& out, Answer& a, unsigned index) const override {
        begin_event(out, "content_block_delta");
        out += R"(,"index":0,"delta":)";
        if (a.calls_tool()) {
            out += R"({"type":"input_json_delta","partial_json":")";
            append_argument(out, a, index);
        } else {
            out += R"({"type":"text_delta","text":")";
            append_token(out, a, index);
        }
        out += R"("})";
        end_event(out);
        return 1;
    }

    unsigned close(std::string& out, Answer& a) const override {
        begin_event(out, "content_block_stop");
        out += R"(,"index":0)";
        end_event(out);
        begin_event(out, "message_delta");
        append(out, R"(,"delta":{"stop_reason":)", stop_reason(a),
               R"(,"stop_sequence":null},"usage":{"output_tokens":)", a.output_tokens, "}");
        end_event(out);
        begin_event(out, "message_stop");
        end_event(out);
        return 3;
    }

    unsigned error_event(std::string& out, Answer& a) const override {
        out += "event: error\ndata: ";
        append_error_body(out, Shape::anthropic, 529, a.failure, {});
        out += "\n\n";
        return 1;
    }
};

class CountTokensFormat final : public Format {
public:
    void body(std::string& out, const Answer& a) const override {
        append(out, R"({"input_tokens":)", a.input_tokens, "}");
    }
};

}  // namespace

const Format& messages_format() noexcept {
    static const MessagesFormat format;
    return format;
}

const Format& count_tokens_format() noexcept {
    static const CountTokensFormat format;
    return format;
}

}  // namespace oai::mock
