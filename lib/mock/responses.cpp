#include "mock/format.hpp"

namespace oai::mock {
namespace {

enum class Status { in_progress, completed, incomplete, failed };

std::string_view name(Status status) {
    switch (status) {
        case Status::in_progress: return "in_progress";
        case Status::completed: return "completed";
        case Status::incomplete: return "incomplete";
        case Status::failed: return "failed";
    }
    return {};
}

Status final_status(const Answer& a) {
    return a.incomplete ? Status::incomplete : Status::completed;
}

void append_part(std::string& out, unsigned tokens) {
    out += R"({"type":"output_text","annotations":[],"logprobs":[],"text":")";
    append_tokens_json(out, tokens);
    out += "\"}";
}

void append_item(std::string& out, const Answer& a, Status status) {
    append(out, R"({"id":"msg_)", a.id, R"(","type":"message","status":")", name(status), R"(","content":[)");
    if (status != Status::in_progress) append_part(out, a.output_tokens);
    out += R"(],"role":"assistant"})";
}

void append_response(std::string& out, const Answer& a, Status status) {
    append(out, R"({"id":"resp_)", a.id, R"(","object":"response","created_at":)", a.created_at, R"(,"status":")",
           name(status), R"(","background":false,"error":)");
    if (status == Status::failed) {
        append(out, R"({"code":"server_error","message":")", kServerErrorMessage, "\"}");
    } else {
        out += "null";
    }
    append(out, R"(,"incomplete_details":)",
           status == Status::incomplete ? R"({"reason":"max_output_tokens"})" : "null",
           R"(,"instructions":null,"max_output_tokens":)", a.max_output_tokens_json,
           R"(,"max_tool_calls":null,"model":)", a.model_json, R"(,"output":[)");
    const bool ended = status == Status::completed || status == Status::incomplete;
    if (ended) append_item(out, a, status);
    append(
        out, R"(],"parallel_tool_calls":true,"previous_response_id":)", a.previous_response_json,
        R"(,"prompt_cache_key":null,"reasoning":{"effort":null,"summary":null},"safety_identifier":null,)"
        R"("service_tier":"default","store":)",
        a.store_json,
        R"(,"temperature":1.0,"text":{"format":{"type":"text"},"verbosity":"medium"},"tool_choice":"auto","tools":[],)"
        R"("top_logprobs":0,"top_p":1.0,"truncation":"disabled","usage":)");
    if (ended) {
        append(out, R"({"input_tokens":)", a.input_tokens,
               R"(,"input_tokens_details":{"cached_tokens":0},"output_tokens":)", a.output_tokens,
               R"(,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":)", a.input_tokens + a.output_tokens,
               "}");
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
    append(out, R"(,"item_id":"msg_)", a.id, R"(","output_index":0,"content_index":0)");
}

void append_response_event(std::string& out, Answer& a, std::string_view type, Status status) {
    begin_event(out, a, type);
    out += R"(,"response":)";
    append_response(out, a, status);
    end_event(out);
}

void append_item_event(std::string& out, Answer& a, std::string_view type, Status status) {
    begin_event(out, a, type);
    out += R"(,"output_index":0,"item":)";
    append_item(out, a, status);
    end_event(out);
}

void append_part_event(std::string& out, Answer& a, std::string_view type, unsigned tokens) {
    begin_event(out, a, type);
    append_place(out, a);
    out += R"(,"part":)";
    append_part(out, tokens);
    end_event(out);
}

class ResponsesFormat final : public Format {
public:
    void body(std::string& out, const Answer& a) const override { append_response(out, a, final_status(a)); }
    void failed_body(std::string& out, const Answer& a) const override { append_response(out, a, Status::failed); }
    bool streams() const noexcept override { return true; }

    unsigned open(std::string& out, Answer& a) const override {
        append_response_event(out, a, "response.created", Status::in_progress);
        append_response_event(out, a, "response.in_progress", Status::in_progress);
        return 2;
    }

    unsigned output(std::string& out, Answer& a, unsigned index) const override {
        // The item opens with its first token, as it does upstream: nothing but `created` and `in_progress` comes
        // early.
        if (index == 0) {
            append_item_event(out, a, "response.output_item.added", Status::in_progress);
            append_part_event(out, a, "response.content_part.added", 0);
        }
        begin_event(out, a, "response.output_text.delta");
        append_place(out, a);
        append(out, R"(,"delta":")", token_json(index), R"(","logprobs":[])");
        end_event(out);
        return index == 0 ? 3 : 1;
    }

    unsigned close(std::string& out, Answer& a) const override {
        begin_event(out, a, "response.output_text.done");
        append_place(out, a);
        out += R"(,"text":")";
        append_tokens_json(out, a.output_tokens);
        out += R"(","logprobs":[])";
        end_event(out);
        append_part_event(out, a, "response.content_part.done", a.output_tokens);
        append_item_event(out, a, "response.output_item.done", final_status(a));
        append_response_event(out, a, a.incomplete ? "response.incomplete" : "response.completed", final_status(a));
        return 4;
    }

    unsigned fail(std::string& out, Answer& a, unsigned) const override {
        append_response_event(out, a, "response.failed", Status::failed);
        return 1;
    }
};

}  // namespace

const Format& responses_format() noexcept {
    static const ResponsesFormat format;
    return format;
}

}  // namespace oai::mock
