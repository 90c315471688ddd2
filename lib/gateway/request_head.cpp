#include "gateway/request_head.hpp"

#include <algorithm>

#include "core/units.hpp"
#include "gateway/max_forwards.hpp"
#include "http/head_writer.hpp"

namespace oai::gateway {
namespace {

using http::FieldSet;
using http::KnownField;

/// Fields of the client's that end here. `accept-encoding`: the answer must be read, so identity is asked for.
constexpr FieldSet kEndsHere =
    http::kHopByHop | FieldSet{
                          KnownField::accept_encoding, KnownField::api_key,        KnownField::authorization,
                          KnownField::content_length,  KnownField::cookie,         KnownField::expect,
                          KnownField::forwarded,       KnownField::host,           KnownField::x_api_key,
                          KnownField::x_forwarded_for, KnownField::x_goog_api_key,
                      };
/// For a turn of a WebSocket too: a request that it makes has its own.
constexpr FieldSet kEndsWithUpgrade = kEndsHere | FieldSet{KnownField::accept, KnownField::content_type};

/// What only a WebSocket's handshake has.
bool is_of_the_upgrade(const http::Field& field) noexcept {
    constexpr std::string_view prefix = "sec-websocket-";
    return field.name.size() > prefix.size() && core::equals_ignore_case(field.name.substr(0, prefix.size()), prefix);
}

bool is_dropped(const OutgoingHead& head, std::string_view name) noexcept {
    return std::ranges::any_of(head.dropped,
                               [name](const std::string& drop) { return core::equals_ignore_case(drop, name); });
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

/// Azure serves these below a deployment; everything else beside the deployments.
bool is_below_deployment(std::string_view rest_path) noexcept {
    for (const std::string_view family : {"/chat/", "/completions", "/embeddings", "/images/", "/audio/"}) {
        if (rest_path.starts_with(family)) return true;
    }
    return false;
}

void append_hops_left(std::string& out, const http::RequestHead& request) {
    const core::Result<std::optional<std::uint32_t>> told = max_forwards(request);
    const std::uint32_t hops = told ? told->value_or(0) : 0;
    if (hops != 0) http::append(out, "max-forwards: ", http::Decimal(hops - 1), "\r\n");
}

}  // namespace

void append_target(std::string& out, const OutgoingHead& head) {
    const upstream::Account& account = head.account;
    const std::string_view base = account.target.url.base_path;
    const bool azure = account.type == upstream::AccountType::azure;
    const bool versioned = azure && !account.api_version.empty();
    if (versioned && is_below_deployment(head.rest_path)) {
        const auto found = account.deployments.find(head.model);
        const bool named = found != account.deployments.end();
        http::append(out, base, "/openai/deployments/", named ? std::string_view(found->second) : head.model,
                     head.rest_path, "?api-version=", account.api_version);
    } else if (versioned) {
        http::append(out, base, "/openai", head.rest_path, "?api-version=", account.api_version);
    } else {
        http::append(out, base, azure ? std::string_view("/openai/v1") : std::string_view("/v1"), head.rest_path);
    }
    if (head.client.query.empty()) return;
    append_query(out, head.client.query, head.azure_style || versioned, versioned ? '&' : '?');
}

void append_fields(std::string& out, const OutgoingHead& head) {
    const http::Fields& fields = head.client.fields;
    const FieldSet ends_here = head.turn ? kEndsWithUpgrade : kEndsHere;
    const bool counts_hops = head.client.method == "OPTIONS";
    http::LineRun kept(out);
    for (const http::Field& field : fields) {
        if (ends_here.has(field.known)) continue;
        if (head.client.lists_fields && http::connection_lists(fields, field.name)) continue;
        if (head.turn && is_of_the_upgrade(field)) continue;
        if (counts_hops && core::equals_ignore_case(field.name, "max-forwards")) continue;
        if (is_dropped(head, field.name)) continue;
        kept.add(field);
    }
    kept.end();
    if (counts_hops) append_hops_left(out, head.client);
    out += head.credential;
}

void write_request_head(std::string& out, const OutgoingHead& head) {
    out.clear();
    http::append(out, head.turn ? std::string_view("POST") : head.client.method, " ");
    append_target(out, head);
    http::append(out, " HTTP/1.1\r\nhost: ", head.account.target.authority, "\r\n");
    append_fields(out, head);
    if (head.turn) out += "content-type: application/json\r\naccept: text/event-stream\r\n";
    // Answers are read: for their usage, their end and the model's name.
    constexpr std::string_view identity = "accept-encoding: identity\r\n";
    if (head.chunked) {
        http::append(out, identity, "transfer-encoding: chunked\r\n\r\n");
    } else if (head.body_bytes) {
        http::append(out, identity, "content-length: ", http::Decimal(*head.body_bytes), "\r\n\r\n");
    } else {
        http::append(out, identity, "\r\n");
    }
}

}  // namespace oai::gateway
