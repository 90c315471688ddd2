// What is read out of header fields: comma-separated lists, Connection, credentials, offers of permessage-deflate.

#include "fuzz/fuzz.hpp"
#include "fuzz/text.hpp"
#include "gateway/credential.hpp"
#include "http/head.hpp"
#include "http/websocket_handshake.hpp"

using namespace oai;
using namespace oai::fuzz;

namespace {

struct Line {
    std::string name, value;
};

/// "name:value" lines, as far as a head could hold them.
std::vector<Line> lines_of(std::string_view text) {
    std::vector<Line> lines;
    for (const std::string& line : split(text, "\n")) {
        const std::size_t colon = line.find(':');
        if (colon == std::string::npos || !is_token(line.substr(0, colon)) || holds_control(line)) continue;
        if (lines.size() < http::Fields::kCapacity)
            lines.push_back({line.substr(0, colon), trimmed(line.substr(colon + 1))});
    }
    return lines;
}

std::string_view plain_credential(const std::vector<Line>& lines) {
    const auto first = [&](std::string_view name) -> const Line* {
        for (const Line& line : lines) {
            if (lower(line.name) == name) return &line;
        }
        return nullptr;
    };
    if (const Line* line = first("authorization")) {
        if (line->value.size() > 7 && lower(line->value.substr(0, 7)) == "bearer ")
            return std::string_view(line->value).substr(7);
    }
    if (const Line* line = first("x-api-key")) return line->value;
    if (const Line* line = first("api-key")) return line->value;
    return {};
}

void check_lists(const std::vector<Line>& lines, const http::Fields& fields) {
    const std::vector<std::string> hop_by_hop = {"te",
                                                 "upgrade",
                                                 "trailer",
                                                 "trailers",
                                                 "connection",
                                                 "keep-alive",
                                                 "http2-settings",
                                                 "proxy-connection",
                                                 "transfer-encoding",
                                                 "proxy-authenticate",
                                                 "proxy-authorization"};
    for (std::string_view token : {"close", "upgrade", "x-secret", "chunked"}) {
        bool listed = false;
        for (const Line& line : lines) {
            const bool here = holds(members(line.value), token);
            require(http::list_has(line.value, token) == here, "a list holds what it plainly holds");
            listed = listed || (here && lower(line.name) == "connection");
        }
        require(http::connection_lists(fields, token) == listed, "Connection lists what it plainly lists");
    }
    for (const Line& line : lines) {
        require(http::kHopByHop.has(http::known_field(line.name)) == holds(hop_by_hop, lower(line.name)),
                "a hop ends at its hop");
        const http::Field* found = fields.find(line.name);
        require(found != nullptr && lower(found->name) == lower(line.name), "a field is found by its name");
    }
}

void check_deflate(const http::Fields& fields, const http::Deflate& most) {
    if (const std::optional<http::AcceptedDeflate> accepted = http::accept_deflate(fields, most)) {
        const http::Deflate& agreed = accepted->agreed;
        require(agreed.server.window_bits >= 9 && agreed.server.window_bits <= most.server.window_bits,
                "we pack as we can");
        require(agreed.client.window_bits >= 8 && agreed.client.window_bits <= 15, "a window is one");
        require(most.server.context_takeover || !agreed.server.context_takeover, "we promise no more than we want");
        http::Fields answer;
        answer.push_back({"Sec-WebSocket-Extensions", accepted->answer});
        const auto understood = http::check_deflate_answer(answer, http::Deflate{});
        require(understood.has_value() == (agreed.client.window_bits != 8), "our answer is one");
        if (understood)
            require((*understood)->server.window_bits == agreed.server.window_bits &&
                        (*understood)->client.window_bits == agreed.client.window_bits &&
                        (*understood)->server.context_takeover == agreed.server.context_takeover &&
                        (*understood)->client.context_takeover == agreed.client.context_takeover,
                    "our answer says what was agreed upon");
    }
    // Whatever a server answers, what comes of it is within our offer.
    if (const auto checked = http::check_deflate_answer(fields, most); checked && *checked)
        require((*checked)->server.window_bits <= most.server.window_bits &&
                    (most.server.context_takeover || !(*checked)->server.context_takeover),
                "an answer stays within the offer");
    const std::string offer = http::deflate_offer(most);
    http::Fields offers;
    offers.push_back({"sec-websocket-extensions", offer});
    require(http::accept_deflate(offers, http::Deflate{}).has_value(), "our offer is one");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(data, size);
    Input settings = input;
    for (int i = 0; i < 3; ++i) input.byte();
    const std::vector<Line> lines = lines_of(input.rest());
    http::Fields fields;
    for (const Line& line : lines) fields.push_back({line.name, line.value});
    check_lists(lines, fields);
    require_same(gateway::presented_credential(fields), plain_credential(lines), "a credential is what was sent");
    http::Deflate most;
    most.server.window_bits = 9 + settings.byte() % 7;
    most.client.window_bits = 8 + settings.byte() % 8;
    most.server.context_takeover = settings.byte() % 2 == 0;
    check_deflate(fields, most);
    // Beside the least that can be wanted nearly every offer and answer asks for more.
    check_deflate(fields, {.client = {.context_takeover = true, .window_bits = 8},
                           .server = {.context_takeover = false, .window_bits = 9}});
    return 0;
}
