#include "gateway/reply.hpp"
#include "gateway/stages.hpp"

namespace oai::gateway {

using core::Result;
using net::Awaitable;

Awaitable<Result<void>> answer_options(Exchange& x) {
    PlainReply reply;
    reply.content_type.clear();
    if (!x.allow.empty()) reply.headers = "allow: " + x.allow + "\r\n";
    co_return co_await answer_ourselves(x, reply);
}

}  // namespace oai::gateway
