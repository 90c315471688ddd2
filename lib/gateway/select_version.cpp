#include "gateway/stages.hpp"
#include "gateway/worker_state.hpp"
#include "upstream/sticky.hpp"

namespace oai::gateway {

using core::Code;
using core::Error;
using core::Result;

namespace {

/// What a client calls its session, by the headers of today's and yesterday's clients, or the field that providers
/// cache by.
std::string_view session_of(const Exchange& x) noexcept {
    using http::KnownField;
    for (const KnownField name : {KnownField::session_id, KnownField::session_id_of_old, KnownField::thread_id,
                                  KnownField::conversation_id_of_old}) {
        if (const std::string_view value = x.request.fields.value(name); !value.empty()) return value;
    }
    return x.body.cache_key;
}

}  // namespace

Result<void> select_version(Exchange& x) {
    const std::string_view session = session_of(x);
    const std::string_view owner = x.key == nullptr ? std::string_view{} : std::string_view(x.key->id);
    if (!session.empty()) x.session = upstream::session_hash(owner, session);
    const std::uint64_t seed = x.session != 0 ? x.session : x.worker.net.ids().next();

    if (x.ask.only_bound) {
        x.selection = x.tables->catalog.select(x.body.model_name, *x.selection.version);
    } else {
        Result<upstream::Selection> selection = x.tables->catalog.select(x.body.model_name, seed);
        if (!selection) return selection.error();
        x.selection = *selection;
    }
    const upstream::Version& version = *x.selection.version;
    if (version.dialect != x.endpoint->dialect)
        return Error{.code = Code::invalid_request,
                     .source = core::Source::downstream,
                     .detail = "the model is served in another API (" + std::string(wire::name_of(version.dialect)) +
                               "); this endpoint speaks " + std::string(wire::name_of(x.endpoint->dialect)),
                     .param = "model"};
    x.ask.model = x.selection.upstream_model;
    x.ask.seed = seed;
    if (x.ask.only_bound) {
        x.session = 0;  // where the resource lives is no place the session chose
    } else if (x.session != 0) {
        x.session = upstream::combine(x.session, version.version);
        x.ask.bound = x.worker.shared.sticky.find(x.session, x.stamps.scheduled);
    }
    return {};
}

}  // namespace oai::gateway
