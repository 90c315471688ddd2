#include "gateway/forward.hpp"
#include "gateway/stages.hpp"
#include "gateway/worker_state.hpp"

namespace oai::gateway {

using core::Code;
using core::Error;
using core::Result;
using net::Awaitable;

namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

bool take_body(Exchange& x) {
    if (x.endpoint->body == wire::BodyTreatment::none) return true;
    const bool whole =
        x.request.body == http::BodyFraming::length && x.downstream.in.size() >= x.request.content_length;
    if (!whole || x.request.content_length > x.tables->max_json_bytes) return false;
    // The usual case: the body came with its head. Nothing to wait for, nothing to copy.
    x.body.text = x.downstream.in.readable().substr(0, static_cast<std::size_t>(x.request.content_length));
    return true;
}

Awaitable<Result<void>> read_body(Exchange& x) {
    if (x.request.body == http::BodyFraming::length && x.request.content_length > x.tables->max_json_bytes) {
        x.reply.keep = false;  // what was announced is not read
        co_return Error{.code = Code::payload_too_large,
                        .source = core::Source::downstream,
                        .detail = "the body is larger than " + std::to_string(x.tables->max_json_bytes) + " bytes"};
    }
    if (x.request.expect_continue && x.downstream.in.empty()) {
        const net::Pieces go_on{kContinue};
        const bool written = co_await x.downstream.stream->write(go_on);
        if (!written)
            co_return Error{.code = Code::cancelled, .source = core::Source::downstream, .detail = "the client left"};
    }
    x.downstream.stream->set_deadline(
        deadline_after(x.tables->timeouts.request_body, std::chrono::steady_clock::now()));
    Result<std::string_view> body = co_await http::read_whole_body(x.downstream, x.request, core::Source::downstream,
                                                                   x.tables->max_json_bytes, x.gathered);
    x.downstream.stream->set_deadline(net::Stream::kNever);  // also lets a 408 out
    if (!body) {
        x.reply.keep = false;  // the rest of the body is still on its way
        co_return body.error();
    }
    x.body.text = *body;
    co_return Result<void>{};
}

}  // namespace oai::gateway
