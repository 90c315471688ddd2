#include <algorithm>

#include "gateway/reply.hpp"
#include "gateway/stages.hpp"
#include "gateway/worker_state.hpp"
#include "http/url.hpp"
#include "json/writer.hpp"

namespace oai::gateway {

using core::Code;
using core::Error;
using core::Result;
using net::Awaitable;

namespace {

void write_model(json::Writer& out, std::string_view name) {
    // OpenAI's shape. We do not know when a model was made, and do not pretend to.
    out.begin_object()
        .member("id", name)
        .member("object", "model")
        .member("created", 0)
        .member("owned_by", "oaigw")
        .end_object();
}

}  // namespace

Awaitable<Result<void>> answer_models(Exchange& x) {
    const upstream::Catalog& catalog = x.tables->catalog;
    const std::vector<std::string> names = catalog.model_names();
    json::Writer out;
    if (x.endpoint->name == "model") {
        const Result<std::string> id = http::percent_decode(x.path_id);
        if (!id) co_return id.error();
        if (catalog.find_route(*id) == nullptr)
            co_return Error{.code = Code::not_found,
                            .source = core::Source::downstream,
                            .detail = "the model \"" + *id + "\" is not served here",
                            .param = "model"};
        write_model(out, *id);
    } else {
        out.begin_object().member("object", "list").key("data").begin_array();
        for (const std::string& name : names) write_model(out, name);
        out.end_array().end_object();
    }
    if (x.reply.keep) x.reply.keep = co_await skip_body(x.downstream, x.request);
    PlainReply reply;
    reply.body = out.take();
    reply.keep = x.reply.keep;
    reply.headers = "x-request-id: " + std::string(x.id.view()) + "\r\n";
    x.reply.started = true;
    x.reply.status = 200;
    const bool written = co_await send_plain(x.downstream, reply);
    if (!written)
        co_return Error{.code = Code::cancelled, .source = core::Source::downstream, .detail = "the client left"};
    x.sample.outcome = metrics::Outcome::ok;
    x.sample.owner = metrics::Owner::none;
    co_return Result<void>{};
}

}  // namespace oai::gateway
