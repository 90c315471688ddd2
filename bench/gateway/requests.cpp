#include "requests.hpp"

#include <cstddef>

#include "program.hpp"

namespace oai::bench {
namespace {

constexpr std::size_t kSmallBytes = 469;
constexpr std::size_t kAgentBytes = 211'414;

/// Text as it stands in a JSON string: words, code, escaped quotes and line ends, and letters beyond ASCII. Never ends
/// within an escape or a letter.
class Prose {
public:
    void append(std::string& out, std::size_t at_least) {
        for (const std::size_t end = out.size() + at_least; out.size() < end; ++next_)
            out += kPieces[next_ % std::size(kPieces)];
    }

private:
    static constexpr std::string_view kPieces[] = {
        R"(The test fails because the lock is taken twice; the second caller waits for ever.\n)",
        R"(    if (const auto found = table.find(name); found != table.end()) return found->second;\n)",
        R"($ grep -rn \"deadline\" src/ | head -3\nsrc/worker.cpp:118:    const auto deadline = now() + limit;\n)",
        R"(Größe und Überlauf prüfen – naïve café: “quoted”, then the path C:\\temp\\out.log.\n)",
        R"({\"status\":\"ok\",\"items\":[1,2,3],\"next\":null}\n)",
        R"(@@ -42,7 +42,9 @@ void Worker::run() {\n-    step();\n+    while (step()) {\n+    }\n \t// done\n)",
        R"(A line with a tab\tand an escape \u00e9, and nothing else of interest in it.\n)",
    };
    std::size_t next_ = 0;
};

std::string small_body(bool stream) {
    std::string before =
        R"({"model":"bench-model","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":")";
    std::string after = R"("}]}],"max_output_tokens":256,"temperature":1,"store":false,"stream":)";
    after += stream ? "true}" : "false}";
    std::string text = "Reply with a short greeting.";
    while (before.size() + text.size() + after.size() < kSmallBytes) text += " pad"[text.size() % 4];
    return before + text + after;
}

void append_tools(std::string& body, Prose& prose) {
    body += R"("tools":[)";
    for (const std::string_view name : {"shell", "apply_patch", "read_file", "search", "update_plan"}) {
        if (!body.ends_with('[')) body += ',';
        body.append(R"({"type":"function","name":")").append(name).append(R"(","description":")");
        prose.append(body, 600);
        body += R"(","strict":false,"parameters":{"type":"object","properties":{"command":{"type":"array","items":)"
                R"({"type":"string"}},"workdir":{"type":"string"},"timeout_ms":{"type":"integer"}},"required":)"
                R"(["command"],"additionalProperties":false}})";
    }
    body += "],";
}

/// One turn: what the agent said, the tool it called, and what the tool printed.
void append_turn(std::string& body, Prose& prose, std::size_t number) {
    const std::string call = "call_" + std::to_string(1'000'000 + number);
    body += R"({"type":"message","role":"assistant","content":[{"type":"output_text","text":")";
    prose.append(body, 500);
    body +=
        R"("}]},{"type":"function_call","name":"shell","arguments":"{\"command\":[\"bash\",\"-lc\",\"sed -n 1,200p )";
    body += R"(src/worker.cpp\"]}","call_id":")" + call + R"("},{"type":"function_call_output","call_id":")" + call;
    body += R"(","output":")";
    prose.append(body, 3000);
    body += R"("},)";
}

std::string agent_body() {
    constexpr std::string_view kTail =
        R"("}]}],"tool_choice":"auto","parallel_tool_calls":false,"reasoning":{"effort":"medium","summary":"auto"},)"
        R"("store":false,"stream":false,"include":["reasoning.encrypted_content"],)"
        R"("prompt_cache_key":"01234567-89ab-cdef-0123-456789abcdef"})";
    Prose prose;
    std::string body = R"({"model":"bench-model","instructions":")";
    prose.append(body, 16'000);
    body += R"(",)";
    append_tools(body, prose);
    body += R"("input":[)";
    for (std::size_t turn = 0; body.size() < kAgentBytes - 6000; ++turn) append_turn(body, prose, turn);
    body += R"({"type":"message","role":"user","content":[{"type":"input_text","text":")";
    while (body.size() + kTail.size() < kAgentBytes) body += "Go on. "[body.size() % 7];
    return body.append(kTail);
}

}  // namespace

std::string request_text(std::string_view name, std::string_view key) {
    std::string body;
    if (name == "small" || name == "stream") {
        body = small_body(name == "stream");
    } else if (name == "body") {
        body = agent_body();
    } else {
        fail("no request is named " + std::string(name));
    }
    std::string text =
        "POST /v1/responses HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: codex_cli_rs/0.1.0\r\nAccept: ";
    text.append(name == "stream" ? "text/event-stream" : "application/json");
    text.append("\r\nAuthorization: Bearer ").append(key);
    text.append("\r\nContent-Type: application/json\r\nOriginator: codex_cli_rs\r\n");
    text.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n\r\n");
    return text.append(body);
}

}  // namespace oai::bench
