#include "gateway/stages.hpp"
#include "http/url.hpp"

namespace oai::gateway {

using core::Code;
using core::Error;
using core::Result;

Result<void> route(Exchange& x) {
    const wire::EndpointMatch match = wire::match_endpoint(x.request.method, x.request.path);
    x.endpoint = match.endpoint;
    x.path_id = match.id;
    if (match.endpoint != nullptr) {
        // What is forwarded must mean the same to the upstream: no dot segments, no slashes in disguise.
        if (match.endpoint->served != wire::Served::upstream || http::is_plain_path(x.request.path)) return {};
        return Error{.code = Code::invalid_request,
                     .source = core::Source::downstream,
                     .detail = "the path is ambiguous; send it without dot segments and escaped slashes"};
    }
    x.allow = match.allow;
    if (!match.allow.empty())
        return Error{.code = Code::method_not_allowed,
                     .source = core::Source::downstream,
                     .detail = std::string(x.request.method) + " is not allowed for " + std::string(x.request.path)};
    return Error{
        .code = Code::not_found,
        .source = core::Source::downstream,
        .detail = "unknown path " + std::string(x.request.path) + "; the API is under /v1, such as POST /v1/responses"};
}

}  // namespace oai::gateway
