#include "gateway/credential.hpp"
#include "gateway/stages.hpp"
#include "gateway/worker_state.hpp"

namespace oai::gateway {

using core::Code;
using core::Error;
using core::Result;

namespace {

Error refuse(std::string detail) {
    return Error{.code = Code::unauthorized, .source = core::Source::downstream, .detail = std::move(detail)};
}

}  // namespace

Result<void> authenticate(Exchange& x) {
    if (!x.tables->auth_required) return {};
    const std::string_view presented = presented_credential(x.request.fields);
    if (presented.empty()) return refuse("no API key; send it as \"Authorization: Bearer KEY\" or \"x-api-key: KEY\"");
    const ClientKey* key = x.caller.recall(*x.tables, presented);
    if (key == nullptr) {
        key = x.tables->credentials.keys->find(presented);
        if (key == nullptr) return refuse("the API key is not known here");
        x.caller.remember(*x.tables, presented, *key);
    }
    if (!key->active) return refuse("the API key is disabled");
    if (key->expires_at && *key->expires_at <= x.worker.shared.clock.wall_now())
        return refuse("the API key has expired");
    x.key = key;
    return {};
}

}  // namespace oai::gateway
