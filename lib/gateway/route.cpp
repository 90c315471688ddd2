#include "gateway/max_forwards.hpp"
#include "gateway/stages.hpp"
#include "http/url.hpp"

namespace oai::gateway {

using core::Code;
using core::Error;
using core::Result;

namespace {

Error unknown(std::string_view path) {
    return Error{.code = Code::not_found,
                 .source = core::Source::downstream,
                 .detail = "unknown path " + std::string(path) + "; the API is under /v1, such as POST /v1/responses"};
}

/// What is forwarded must mean the same to the upstream: no dot segments, no slashes in disguise. A path that is the
/// table's own, letter by letter, has neither.
bool is_unambiguous(const Exchange& x) noexcept {
    if (x.endpoint->served != wire::Served::upstream) return true;
    const bool literal = x.deployment.empty() && x.endpoint->path.ends_with(x.rest_path) &&
                         x.endpoint->path.size() == x.rest_path.size() + 3;
    return literal || http::is_plain_path(x.request.path);
}

wire::EndpointMatch match(const Exchange& x, const wire::PathAlias& alias) {
    const std::string_view path = x.request.path;
    // The usual case: the path is the canonical one already.
    if (path.size() == alias.rest.size() + 3) return wire::match_endpoint(x.request.method, path);
    wire::EndpointMatch match = wire::match_endpoint(x.request.method, "/v1" + std::string(alias.rest));
    // The id must point into bytes that stay: it ends where the alias does, or somewhere within.
    if (!match.id.empty()) match.id = alias.rest.substr(alias.rest.find(match.id), match.id.size());
    return match;
}

}  // namespace

Result<void> route(Exchange& x) {
    // TRACE would show the client what we add for the provider, and CONNECT asks for a tunnel.
    if (x.request.method == "TRACE" || x.request.method == "CONNECT")
        return Error{.code = Code::method_not_allowed,
                     .source = core::Source::downstream,
                     .detail = std::string(x.request.method) + " is not allowed here"};
    const wire::PathAlias alias = wire::read_alias(x.request.path);
    if (alias.rest.empty()) return unknown(x.request.path);
    const wire::EndpointMatch matched = match(x, alias);
    x.endpoint = matched.endpoint;
    x.path_id = matched.id;
    x.rest_path = alias.rest;
    x.deployment = alias.deployment;
    if (x.endpoint == nullptr && !matched.known && x.tables->passthrough_unknown)
        x.endpoint = &wire::unknown_endpoint();
    const Result<std::optional<std::uint32_t>> forwards = max_forwards(x.request);
    if (!forwards) return forwards.error();
    if (*forwards == 0U && (x.endpoint != nullptr || matched.known)) {
        x.endpoint = &wire::options_endpoint();
        x.allow = wire::allowed_methods("/v1" + std::string(alias.rest));
        return {};
    }
    if (x.endpoint != nullptr) {
        if (is_unambiguous(x)) return {};
        return Error{.code = Code::invalid_request,
                     .source = core::Source::downstream,
                     .detail = "the path is ambiguous; send it without dot segments and escaped slashes"};
    }
    if (!matched.known) return unknown(x.request.path);
    x.allow = wire::allowed_methods("/v1" + std::string(alias.rest));
    return Error{.code = Code::method_not_allowed,
                 .source = core::Source::downstream,
                 .detail = std::string(x.request.method) + " is not allowed for " + std::string(x.request.path)};
}

}  // namespace oai::gateway
