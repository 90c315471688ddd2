#include "inputs.hpp"

#include <algorithm>
#include <string>

namespace oai::bench {
namespace {

constexpr std::string_view kText =
    "The function reads the configuration file line by line, \\\"splits\\\" each at its first equals sign and keeps "
    "what "
    "it finds in a map.\\n\\tfor (const auto& [name, value] : settings) apply(name, value);\\n\\tAn unknown name is an "
    "error, with the file and the line in its message; caf\u00e9, na\u00efve and \u4f60\u597d are text like any "
    "other.\\n";

void append_item(std::string& body, std::size_t index) {
    const std::string number = std::to_string(index);
    switch (index % 3) {
        case 0:
            body += R"({"type":"message","role":"user","content":[{"type":"input_text","text":")";
            for (int i = 0; i < 3; ++i) body += kText;
            body += R"("}]})";
            break;
        case 1:
            body += R"({"type":"function_call","call_id":"call_)" + number +
                    R"(","name":"shell","arguments":"{\"command\":[\"bash\",\"-lc\",\"sed -n 1,80p lib/file_)" +
                    number + R"(.cpp\"],\"timeout_ms\":10000}"})";
            break;
        default:
            body += R"({"type":"function_call_output","call_id":"call_)" + std::to_string(index - 1) +
                    R"(","output":"{\"exit_code\":0,\"duration_seconds\":0.12,\"output\":\")";
            for (int i = 0; i < 4; ++i) body += "#include <string>\\\\nint main() { return 0; }\\\\n// line ";
            body += R"(\"}"})";
            break;
    }
}

std::string event(std::string_view type, std::string_view members) {
    std::string text = "event: ";
    text += type;
    text += "\ndata: {\"type\":\"";
    text += type;
    text += '"';
    text += members;
    text += "}\n\n";
    return text;
}

std::string response(std::string_view status, std::string_view usage) {
    std::string text =
        R"(,"response":{"id":"resp_0123456789abcdef","object":"response","created_at":1760000000,"status":")";
    text += status;
    text += R"(","model":")";
    text += kUpstreamModel;
    text += R"(","instructions":"You are a coding agent. )";
    for (int i = 0; i < 4; ++i) text += kText;
    text += R"(","output":[],"parallel_tool_calls":true,"store":false,"temperature":1.0,"usage":)";
    text += usage;
    text += '}';
    return text;
}

}  // namespace

std::string make_body(std::size_t bytes) {
    std::string body = R"({"model":")";
    body += kClientModel;
    body += R"(","max_output_tokens":4096,"store":true,"instructions":"You are a coding agent.","input":[)";
    std::string end =
        R"(],"tools":[{"type":"function","name":"shell","description":"Runs a command","strict":false,"parameters":)"
        R"({"type":"object","properties":{"command":{"type":"array","items":{"type":"string"}}}}}],"tool_choice":"auto",)"
        R"("parallel_tool_calls":true,"reasoning":{"effort":"medium","summary":"auto"},"include":[],)"
        R"("prompt_cache_key":"0199a213-81a0-7000-8b5c-4f3c0c7b2f01","stream":false})";
    append_item(body, 0);
    for (std::size_t index = 1; body.size() + end.size() < bytes; ++index) {
        body += ',';
        append_item(body, index);
    }
    return body + end;
}

std::vector<std::string> make_events() {
    std::vector<std::string> events;
    events.push_back(event("response.created", response("in_progress", "null")));
    events.push_back(event("response.in_progress", response("in_progress", "null")));
    events.push_back(event("response.output_item.added",
                           R"(,"output_index":0,"item":{"id":"msg_0123456789abcdef","type":"message","content":[]})"));
    for (int i = 0; i < 200; ++i)
        events.push_back(
            event("response.output_text.delta", R"(,"item_id":"msg_0123456789abcdef","output_index":0,)"
                                                R"("content_index":0,"delta":" token","sequence_number":)" +
                                                    std::to_string(i + 4)));
    events.push_back(event("response.completed",
                           response("completed", R"({"input_tokens":5120,"output_tokens":200,"total_tokens":5320})")));
    return events;
}

std::vector<std::string> make_reads(std::size_t together) {
    std::vector<std::string> reads;
    const std::vector<std::string> events = make_events();
    for (std::size_t i = 0; i < events.size(); ++i) {
        if (i % together == 0) reads.emplace_back();
        reads.back() += events[i];
    }
    return reads;
}

std::string_view data_of(std::string_view event) noexcept {
    constexpr std::string_view field = "data: ";
    const std::size_t at = event.find(field) + field.size();
    return event.substr(at, event.find('\n', at) - at);
}

}  // namespace oai::bench
