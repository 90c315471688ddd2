#include "mock/format.hpp"

namespace oai::mock {
namespace {

enum class Status { in_progress, completed, incomplete, failed, cancelled };

std::string_view name(Status status) {
    switch (status) {
        case Status::in_progress: return "in_progress";
        case Status::completed: return "completed";
        case Status::incomplete: return "incomplete";
        case Status::failed: return "failed";
        case Status::cancelled: return "cancelled";
    }
    return {};
}

std::string_view last_event(const Answer& a) {
    if (a.done_event) return "response.done";
    if (a.cancelled) return "response.cancelled";
    return a.incomplete ? "response.incomplete" : "response.completed";
}

Status final_status(const Answer& a) {
    if (a.cancelled) return Status::cancelled;
    return a.incomplete ? Status::incomplete : Status::completed;
}

/// Tokens of a summary of reasoning; they are no output events.
constexpr unsigned kReasoningTokens = 4;
constexpr std::string_view kSummary = "Thinking it over.";

unsigned reasoning_tokens(const Answer& a) {
    return a.reasoning ? kReasoningTokens : 0;
}

/// Where the message or the call stands in the output.
unsigned output_index(const Answer& a) {
    return a.reasoning ? 1 : 0;
}

void append_part(std::string& out, const Answer& a, Status status) {
    out += R"({"type":"output_text","annotations":[],"logprobs":[],"text":")";
    if (status != Status::in_progress) append_text(out, a);
    out += "\"}";
}

void append_item_id(std::string& out, const Answer& a) {
    append(out, a.calls_tool() ? "fc_" : "msg_", a.id);
}

void append_item(std::string& out, const Answer& a, Status status) {
    out += R"({"id":")";
    append_item_id(out, a);
    append(out, R"(","type":")", a.calls_tool() ? "function_call" : "message", R"(","status":")", name(status));
    if (a.calls_tool()) {
        append(out, R"(","call_id":"call_)", a.id, R"(","name":)", a.tool_json, R"(,"arguments":")");
        if (status != Status::in_progress) append_arguments(out, a);
        out += R"("})";
        return;
    }
    out += R"(","content":[)";
    if (status != Status::in_progress) append_part(out, a, status);
    out += R"(],"role":"assistant"})";
}

void append_reasoning(std::string& out, const Answer& a, Status status) {
    append(out, R"({"id":"rs_)", a.id, R"(","type":"reasoning","summary":[)");
    if (status != Status::in_progress) append(out, R"({"type":"summary_text","text":")", kSummary, R"("})");
    out += "]}";
}

void append_error(std::string& out, const Answer& a, Status status) {
    if (status == Status::failed) {
        append(out, R"({"code":")", a.failure.code, R"(","message":")", a.failure.message, "\"}");
    } else {
        out += "null";
    }
}

void append_usage(std::string& out, const Answer& a) {
    const std::uint64_t output = a.output_tokens + reasoning_tokens(a);
    append(out, R"({"input_tokens":)", a.input_tokens,
           R"(,"input_tokens_details":{"cached_tokens":0},"output_tokens":)", output,
           R"(,"output_tokens_details":{"reasoning_tokens":)", reasoning_tokens(a), R"(},"total_tokens":)",
           a.input_tokens + output, "}");
}

void append_response(std::string& out, const Answer& a, Status status) {
    append(out, R"({"id":"resp_)", a.id, R"(","object":"response","created_at":)", a.created_at, R"(,"status":")",
           name(status), R"(","background":false,"error":)");
    append_error(out, a, status);
    append(out, R"(,"incomplete_details":)",
           status == Status::incomplete ? R"({"reason":"max_output_tokens"})" : "null",
           R"(,"instructions":null,"max_output_tokens":)", a.max_output_tokens_json,
           R"(,"max_tool_calls":null,"model":)", a.model_json, R"(,"output":[)");
    const bool ended = status == Status::completed || status == Status::incomplete;
    const bool output = ended && !a.warm_up;
    if (output && a.reasoning) {
        append_reasoning(out, a, status);
        out += ',';
    }
    if (output) append_item(out, a, status);
    append(
        out, R"(],"parallel_tool_calls":true,"previous_response_id":)", a.previous_response_json,
        R"(,"prompt_cache_key":null,"reasoning":{"effort":null,"summary":null},"safety_identifier":null,)"
        R"("service_tier":"default","store":)",
        a.store_json,
        R"(,"temperature":1.0,"text":{"format":{"type":"text"},"verbosity":"medium"},"tool_choice":"auto","tools":[],)"
        R"("top_logprobs":0,"top_p":1.0,"truncation":"disabled","usage":)");
    if (ended) {
        append_usage(out, a);
    } else {
        out += "null";
    }
    out += R"(,"user":null,"metadata":{}})";
}

/// `event: T\ndata: {"type":T,"sequence_number":N` and then whatever the caller adds up to `end_event`.
void begin_event(std::string& out, Answer& a, std::string_view type) {
    append(out, "event: ", type, "\ndata: {\"type\":\"", type, "\",\"sequence_number\":", a.sequence++);
}

void end_event(std::string& out) {
    out += "}\n\n";
}

void append_place(std::string& out, const Answer& a) {
    out += R"(,"item_id":")";
    append_item_id(out, a);
    append(out, R"(","output_index":)", output_index(a));
    if (!a.calls_tool()) out += R"(,"content_index":0)";
}

void append_response_event(std::string& out, Answer& a, std::string_view type, Status status) {
    begin_event(out, a, type);
    out += R"(,"response":)";
    append_response(out, a, status);
    end_event(out);
}

void append_item_event(std::string& out, Answer& a, std::string_view type, Status status) {
    begin_event(out, a, type);
    append(out, R"(,"output_index":)", output_index(a), R"(,"item":)");
    append_item(out, a, status);
    end_event(out);
}

void append_part_event(std::string& out, Answer& a, std::string_view type, Status status) {
    begin_event(out, a, type);
    append_place(out, a);
    out += R"(,"part":)";
    append_part(out, a, status);
    end_event(out);
}

void append_reasoning_item_event(std::string& out, Answer& a, std::string_view type, Status status) {
    begin_event(out, a, type);
    out += R"(,"output_index":0,"item":)";
    append_reasoning(out, a, status);
    end_event(out);
}

/// One event of the summary: its last member is `name`, the text with what stands before and after it.
void append_summary_event(std::string& out, Answer& a, std::string_view type, std::string_view name,
                          std::string_view before, std::string_view text, std::string_view after) {
    begin_event(out, a, type);
    append(out, R"(,"item_id":"rs_)", a.id, R"(","output_index":0,"summary_index":0,")", name, "\":", before, "\"",
           text, "\"", after);
    end_event(out);
}

unsigned append_reasoning_events(std::string& out, Answer& a) {
    constexpr std::string_view kPart = R"({"type":"summary_text","text":)";
    append_reasoning_item_event(out, a, "response.output_item.added", Status::in_progress);
    append_summary_event(out, a, "response.reasoning_summary_part.added", "part", kPart, "", "}");
    append_summary_event(out, a, "response.reasoning_summary_text.delta", "delta", "", kSummary, "");
    append_summary_event(out, a, "response.reasoning_summary_text.done", "text", "", kSummary, "");
    append_summary_event(out, a, "response.reasoning_summary_part.done", "part", kPart, kSummary, "}");
    append_reasoning_item_event(out, a, "response.output_item.done", Status::completed);
    return 6;
}

class ResponsesFormat final : public Format {
public:
    void body(std::string& out, const Answer& a) const override { append_response(out, a, final_status(a)); }
    void failed_body(std::string& out, const Answer& a) const override { append_response(out, a, Status::failed); }
    bool streams() const noexcept override { return true; }

    unsigned open(std::string& out, Answer& a) const override {
        append_response_event(out, a, "response.created", Status::in_progress);
        if (a.warm_up) return 1;
        append_response_event(out, a, "response.in_progress", Status::in_progress);
        return 2;
    }

    unsigned output(std::string& out, Answer& a, unsigned index) const override {
        // The item opens with its first token, as it does upstream: nothing but `created` and `in_progress` comes
        // early.
        const unsigned before = index == 0 ? open_items(out, a) : 0;
        begin_event(out, a, a.calls_tool() ? "response.function_call_arguments.delta" : "response.output_text.delta");
        append_place(out, a);
        out += R"(,"delta":")";
        if (a.calls_tool()) {
            append_argument(out, a, index);
            out += '"';
        } else {
            append_token(out, a, index);
            out += R"(","logprobs":[])";
        }
        end_event(out);
        return before + 1;
    }

    unsigned close(std::string& out, Answer& a) const override {
        if (a.warm_up) {
            append_response_event(out, a, "response.completed", Status::completed);
            return 1;
        }
        begin_event(out, a, a.calls_tool() ? "response.function_call_arguments.done" : "response.output_text.done");
        append_place(out, a);
        if (a.calls_tool()) {
            append(out, R"(,"name":)", a.tool_json, R"(,"arguments":")");
            append_arguments(out, a);
            out += '"';
        } else {
            out += R"(,"text":")";
            append_text(out, a);
            out += R"(","logprobs":[])";
        }
        end_event(out);
        if (!a.calls_tool()) append_part_event(out, a, "response.content_part.done", final_status(a));
        append_item_event(out, a, "response.output_item.done", final_status(a));
        append_response_event(out, a, last_event(a), final_status(a));
        return a.calls_tool() ? 3 : 4;
    }

    unsigned fail(std::string& out, Answer& a, unsigned) const override {
        append_response_event(out, a, "response.failed", Status::failed);
        return 1;
    }

    unsigned error_event(std::string& out, Answer& a) const override {
        begin_event(out, a, "error");
        append(out, R"(,"code":")", a.failure.code, R"(","message":")", a.failure.message, R"(","param":null)");
        end_event(out);
        return 1;
    }

private:
    static unsigned open_items(std::string& out, Answer& a) {
        const unsigned reasoning = a.reasoning ? append_reasoning_events(out, a) : 0;
        append_item_event(out, a, "response.output_item.added", Status::in_progress);
        if (a.calls_tool()) return reasoning + 1;
        append_part_event(out, a, "response.content_part.added", Status::in_progress);
        return reasoning + 2;
    }
};

/// POST /v1/responses/compact: what was said, as one sealed item.
class CompactFormat final : public Format {
public:
    void body(std::string& out, const Answer& a) const override {
        append(out, R"({"id":"resp_)", a.id, R"(","object":"response.compaction","created_at":)", a.created_at,
               R"(,"output":[{"id":"cmp_)", a.id, R"(","type":"compaction","encrypted_content":"mock)", a.id,
               R"("}],"usage":)");
        append_usage(out, a);
        out += '}';
    }
};

class InputTokensFormat final : public Format {
public:
    void body(std::string& out, const Answer& a) const override {
        append(out, R"({"object":"response.input_tokens","input_tokens":)", a.input_tokens, "}");
    }
};

}  // namespace

const Format& compact_format() noexcept {
    static const CompactFormat format;
    return format;
}

const Format& input_tokens_format() noexcept {
    static const InputTokensFormat format;
    return format;
}

const Format& responses_format() noexcept {
    static const ResponsesFormat format;
    return format;
}

}  // namespace oai::mock
