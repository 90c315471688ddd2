#include "gateway/serve.hpp"

#include "gateway/admin.hpp"
#include "gateway/lists.hpp"
#include "gateway/reply.hpp"
#include "gateway/resources.hpp"
#include "gateway/stages.hpp"
#include "gateway/websocket.hpp"
#include "gateway/worker_state.hpp"

namespace oai::gateway {

using core::Result;
using net::Awaitable;

// clang-format off
// The life of a request, in order. One stage per line; one file and one test per stage.
Awaitable<bool> serve(WorkerState& worker, http::Connection& connection, http::RequestHead& head, Caller& caller) {
    const KeptExchange kept(worker, connection, head, caller);
    Exchange& x = *kept;
    const SettleOnExit settle{x};                            // account: runs once on every way out
    Result<void> ok = route(x);                              // 404 405
    if (ok) ok = authenticate(x);                            // 401
    if (ok && !take_body(x)) ok = co_await read_body(x);     // 408 413  only when it did not come with its head
    if (ok) ok = validate(x);                                // 400
    const bool ours = ok && x.endpoint->served != wire::Served::upstream;
    if (ours && x.endpoint->served == wire::Served::models) ok = co_await answer_models(x);         // 404
    if (ours && x.endpoint->served == wire::Served::options) ok = co_await answer_options(x);
    if (ours && x.endpoint->served == wire::Served::websocket) ok = co_await hold_conversation(x);  // turns
    if (ok && !ours && !find_resource(x)) co_await load_resource(x);
    if (ok && !ours) ok = select_version(x);                 // 404 503  once per request
    const bool several = ok && !ours && lists_several(x);
    if (several) ok = co_await answer_list(x);               // 502      one page from all accounts
    if (ok && !ours && !several) ok = co_await forward(x);   // 502 504
    if (!ok) co_await fail(x, ok.error());                   // the one place where an Error becomes a reply
    co_return x.reply.keep && connection.stream->is_open();
}
// clang-format on

Awaitable<bool> Service::handle(http::Connection& connection, http::RequestHead& head) {
    if (is_public_path(head.path)) return answer_public(worker_, connection, head);
    if (is_admin_path(head.path)) return answer_admin(worker_, connection, head);
    return serve(worker_, connection, head, caller_);
}

Awaitable<void> Service::refuse(http::Connection& connection, const core::Error& error) {
    // A head that cannot be read: no Exchange, no keep-alive.
    if (error.code == core::Code::cancelled) co_return;
    const PlainReply reply = error_reply(error, false);
    co_await send_plain(worker_, connection, reply);
}

}  // namespace oai::gateway
