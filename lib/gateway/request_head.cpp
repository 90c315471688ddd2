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

}  // namespace

void write_request_head(std::string& out, const http::RequestHead& client, const upstream::Account& account,
                        std::size_t body_bytes) {
    out.clear();
    out += client.method;
    out += ' ';
    out += account.target.url.base_path;
    out += client.path;
    if (!client.query.empty()) {
        out += '?';
        out += client.query;
    }
    out += " HTTP/1.1\r\nhost: ";
    out += account.target.authority;
    out += "\r\n";
    const bool lists = client.fields.find("connection") != nullptr;
    for (const http::Field& field : client.fields) {
        if (ends_here(field.name) || http::is_hop_by_hop(field.name)) continue;
        if (lists && http::connection_lists(client.fields, field.name)) continue;
        out += field.name;
        out += ": ";
        out += field.value;
        out += "\r\n";
    }
    if (!account.authorization.empty()) {
        out += "authorization: ";
        out += account.authorization;
        out += "\r\n";
    }
    out += "accept-encoding: identity\r\ncontent-length: ";
    std::array<char, 20> digits{};
    const auto [end, ec] = std::to_chars(digits.data(), digits.data() + digits.size(), body_bytes);
    out.append(digits.data(), end);
    out += "\r\n\r\n";
}

}  // namespace oai::gateway
