#include "gateway/request_head.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/units.hpp"

namespace oai::gateway {
namespace {

/// Fields of the client's that end here, besides the hop's own. `accept-encoding`: the answer must be read, so identity
/// is asked for.
bool ends_here(std::string_view name) noexcept {
    switch (name.size()) {
        case 4: return core::equals_ignore_case(name, "host");
        case 6: return core::equals_ignore_case(name, "cookie") || core::equals_ignore_case(name, "expect");
        case 7: return core::equals_ignore_case(name, "api-key");
        case 9: return core::equals_ignore_case(name, "x-api-key") || core::equals_ignore_case(name, "forwarded");
        case 13: return core::equals_ignore_case(name, "authorization");
        case 14:
            return core::equals_ignore_case(name, "content-length") || core::equals_ignore_case(name, "x-goog-api-key");
        case 15:
            return core::equals_ignore_case(name, "accept-encoding") ||
                   core::equals_ignore_case(name, "x-forwarded-for");
        default: return false;
    }
}

/// What only a WebSocket's handshake has.
bool is_of_the_upgrade(std::string_view name) noexcept {
    constexpr std::string_view prefix = "sec-websocket-";
    return (name.size() > prefix.size() && core::equals_ignore_case(name.substr(0, prefix.size()), prefix)) ||
           core::equals_ignore_case(name, "content-type") || core::equals_ignore_case(name, "accept");
}

/// What of a query goes on: all of it, less the api-version that a client wrote for Azure.
void append_query(std::string& out, std::string_view query, bool without_api_version, char separator) {
    while (!query.empty()) {
        const std::string_view pair = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), pair.size() + 1));
        if (without_api_version && pair.starts_with("api-version=")) continue;
        out += separator;
        out += pair;
        separator = '&';
    }
}

void append_number(std::string& out, std::uint64_t number) {
    std::array<char, 20> digits{};
    const auto [end, ec] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    out.append(digits.data(), end);
}

/// Azure serves these below a deployment; everything else beside the deployments.
bool is_below_deployment(std::string_view rest_path) noexcept {
    for (const std::string_view family : {"/chat/", "/completions", "/embeddings", "/images/", "/audio/"}) {
        if (rest_path.starts_with(family)) return true;
    }
    return false;
}

}  // namespace

void append_target(std::string& out, const OutgoingHead& head) {
    const upstream::Account& account = head.account;
    out += account.target.url.base_path;
    const bool azure = account.type == upstream::AccountType::azure;
    const bool versioned = azure && !account.api_version.empty();
    if (versioned && is_below_deployment(head.rest_path)) {
        const auto found = account.deployments.find(head.model);
        out += "/openai/deployments/";
        out += found == account.deployments.end() ? head.model : std::string_view(found->second);
    } else {
        out += versioned ? "/openai" : azure ? "/openai/v1" : "/v1";
    }
    out += head.rest_path;
    if (versioned) {
        out += "?api-version=";
        out += account.api_version;
    }
    if (head.client.query.empty()) return;
    append_query(out, head.client.query, head.azure_style || versioned, versioned ? '&' : '?');
}

void append_fields(std::string& out, const OutgoingHead& head) {
    const http::RequestHead& client = head.client;
    const bool lists = client.fields.find("connection") != nullptr;
    for (const http::Field& field : client.fields) {
        if (ends_here(field.name) || http::is_hop_by_hop(field.name)) continue;
        if (lists && http::connection_lists(client.fields, field.name)) continue;
        if (head.turn && is_of_the_upgrade(field.name)) continue;
        if (!head.dropped.empty() && std::ranges::any_of(head.dropped, [&](const std::string& name) {
                return core::equals_ignore_case(name, field.name);
            }))
            continue;
        out += field.name;
        out += ": ";
        out += field.value;
        out += "\r\n";
    }
    out += head.credential;
}

void write_request_head(std::string& out, const OutgoingHead& head) {
    out.clear();
    out += head.turn ? std::string_view("POST") : head.client.method;
    out += ' ';
    append_target(out, head);
    out += " HTTP/1.1\r\nhost: ";
    out += head.account.target.authority;
    out += "\r\n";
    append_fields(out, head);
    if (head.turn) out += "content-type: application/json\r\naccept: text/event-stream\r\n";
    // Answers are read: for their usage, their end and the model's name.
    out += "accept-encoding: identity\r\n";
    if (head.chunked) {
        out += "transfer-encoding: chunked\r\n";
    } else if (head.body_bytes) {
        out += "content-length: ";
        append_number(out, *head.body_bytes);
        out += "\r\n";
    }
    out += "\r\n";
}

}  // namespace oai::gateway
