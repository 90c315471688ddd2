#include "http/websocket_handshake.hpp"

#include <algorithm>

#include "core/units.hpp"
#include "crypto/hash.hpp"
#include "crypto/random.hpp"

namespace oai::http {
namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string base64(std::string_view bytes) {
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t here = std::min<std::size_t>(3, bytes.size() - i);
        unsigned group = 0;
        for (std::size_t k = 0; k < 3; ++k)
            group = group << 8 | (k < here ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        for (std::size_t k = 0; k < 4; ++k) text += k <= here ? kBase64[group >> (18 - 6 * k) & 63] : '=';
    }
    return text;
}

/// 16 bytes in base64 are 22 digits and two signs of padding.
bool is_key(std::string_view key) noexcept {
    return key.size() == 24 && key.substr(22) == "==" && key.find_first_not_of(kBase64) == 22;
}

bool any_field_lists(const Fields& fields, std::string_view name, std::string_view token) noexcept {
    return std::any_of(fields.begin(), fields.end(), [&](const Field& field) {
        return core::equals_ignore_case(field.name, name) && list_has(field.value, token);
    });
}

core::Error wrong_answer(std::string_view what) {
    return {.code = core::Code::upstream_malformed,
            .source = core::Source::upstream,
            .detail = "WebSocket handshake: " + std::string(what)};
}

void add_field(std::string& out, std::string_view name, std::string_view value) {
    if (!value.empty()) out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::optional<UpgradeRefusal> refuse_websocket(const RequestHead& request) noexcept {
    // Fields::upgrade: HTTP/1.1, Connection lists it and Upgrade is there.
    if (!request.upgrade || !any_field_lists(request.fields, "upgrade", "websocket"))
        return UpgradeRefusal{426, "this is a WebSocket; ask for it with Connection: Upgrade and Upgrade: websocket"};
    if (request.method != "GET") return UpgradeRefusal{400, "a WebSocket is asked for with GET"};
    if (request.body != BodyFraming::none && !(request.body == BodyFraming::length && request.content_length == 0))
        return UpgradeRefusal{400, "a request for a WebSocket has no body"};
    if (request.fields.count("sec-websocket-version") != 1 || request.fields.value("sec-websocket-version") != "13")
        return UpgradeRefusal{426, "Sec-WebSocket-Version must be 13"};
    if (request.fields.count("sec-websocket-key") != 1 || !is_key(request.fields.value("sec-websocket-key")))
        return UpgradeRefusal{400, "Sec-WebSocket-Key must be there once: 16 bytes in base64"};
    return std::nullopt;
}

std::string websocket_accept(std::string_view key) {
    const std::array<char, 20> digest = crypto::sha1(std::string(key).append(kGuid));
    return base64({digest.data(), digest.size()});
}

void write_websocket_answer(std::string& out, std::string_view key, std::string_view extensions,
                            std::string_view more_fields) {
    out.append("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n");
    add_field(out, "sec-websocket-accept", websocket_accept(key));
    add_field(out, "sec-websocket-extensions", extensions);
    out.append(more_fields).append("\r\n");
}

std::string new_websocket_key() {
    return base64(crypto::random_bytes(16));
}

void write_websocket_request(std::string& out, const WebSocketRequest& request, std::string_view key) {
    out.append("GET ").append(request.target).append(" HTTP/1.1\r\n");
    add_field(out, "host", request.authority);
    out.append("connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n");
    add_field(out, "sec-websocket-key", key);
    add_field(out, "sec-websocket-protocol", request.protocols);
    if (request.deflate) add_field(out, "sec-websocket-extensions", deflate_offer(*request.deflate));
    out.append(request.more_fields).append("\r\n");
}

core::Result<std::optional<Deflate>> check_websocket_answer(const ResponseHead& answer, const WebSocketRequest& request,
                                                            std::string_view key) {
    if (!any_field_lists(answer.fields, "upgrade", "websocket") || !connection_lists(answer.fields, "upgrade"))
        return wrong_answer("the server switched to something else");
    if (answer.fields.count("sec-websocket-accept") != 1 ||
        answer.fields.value("sec-websocket-accept") != websocket_accept(key))
        return wrong_answer("Sec-WebSocket-Accept is not the answer to our key");
    const std::size_t protocols = answer.fields.count("sec-websocket-protocol");
    if (protocols > 1 ||
        (protocols == 1 && !list_has(request.protocols, answer.fields.value("sec-websocket-protocol"))))
        return wrong_answer("the server chose a protocol that was not offered");
    return check_deflate_answer(answer.fields, request.deflate);
}

}  // namespace oai::http
