#include "gateway/serve.hpp"

#include "gateway/admin.hpp"
#include "gateway/reply.hpp"
#include "gateway/stages.hpp"
#include "gateway/worker_state.hpp"

namespace oai::gateway {

using core::Result;
using net::Awaitable;

// The life of a request, in order. One stage per line; one file and one test per stage.
Awaitable<void> serve(Exchange& x) {
    const SettleOnExit settle{x};  // account: runs once on every way out
    Result<void> ok = route(x);    // 404 405
    if (ok) ok = authenticate(x);  // 401
    if (ok) {                      // 400 408 413
        std::optional<Result<void>> here = validate_here(x);
        if (here)
            ok = std::move(*here);
        else
            ok = co_await validate(x);
    }
    if (ok && x.endpoint->served == wire::Served::models) {
        ok = co_await answer_models(x);  // 404
    } else {
        if (ok) ok = select_version(x);    // 404 503  once per request
        if (ok) ok = co_await forward(x);  // 502 504
    }
    if (!ok) co_await fail(x, ok.error());  // the one place where an Error becomes a reply
}

Awaitable<bool> Service::handle(http::Connection& connection, http::RequestHead& head) {
    if (is_public_path(head.path)) return answer_public(worker_, connection, head);
    if (is_admin_path(head.path)) return answer_admin(worker_, connection, head);
    return handle_api(connection, head);
}

Awaitable<bool> Service::handle_api(http::Connection& connection, http::RequestHead& head) {
    Exchange x(worker_, connection, head);
    co_await serve(x);
    co_return x.reply.keep&& connection.stream->is_open();
}

Awaitable<void> Service::refuse(http::Connection& connection, const core::Error& error) {
    // A head that cannot be read: no Exchange, no keep-alive.
    if (error.code == core::Code::cancelled) co_return;
    const PlainReply reply = error_reply(error, false);
    co_await send_plain(connection, reply);
}

}  // namespace oai::gateway
