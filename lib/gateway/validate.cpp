#include <array>

#include "gateway/reply.hpp"
#include "gateway/stages.hpp"
#include "gateway/worker_state.hpp"

namespace oai::gateway {

using core::Code;
using core::Error;
using core::Result;
using json::Kind;
using net::Awaitable;

namespace {

constexpr std::size_t kLongestModel = 256;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::chrono::seconds kBodyPatience{60};

Error invalid(std::string detail, std::string_view param) {
    return Error{.code = Code::invalid_request,
                 .source = core::Source::downstream,
                 .detail = std::move(detail),
                 .param = std::string(param)};
}

/// The fields the gateway itself goes by; everything else is the upstream's business.
Result<void> read_fields(Exchange& x) {
    const std::array<std::string_view, 3> names{"model", "stream", x.endpoint->input_field};
    std::array<json::Member, names.size()> found;
    if (Result<void> ok = x.worker.scanner.members(json::Padded{x.body.text}, names, found); !ok) return ok.error();
    const auto& [model, stream, input] = found;
    if (model.kind != Kind::string)
        return invalid(model.present() ? "model must be a string" : "model is required, such as \"gpt-5\"", "model");
    std::optional<std::string> name = model.string();
    if (!name || name->empty() || name->size() > kLongestModel)
        return invalid("model must be a name of 1 to 256 characters", "model");
    if (stream.present() && stream.kind != Kind::boolean && stream.kind != Kind::null)
        return invalid("stream must be true or false", "stream");
    if (x.endpoint->terminal == wire::Terminal::chat && input.kind != Kind::array)
        return invalid("messages is required and must be an array", "messages");
    x.body.model = model;
    x.body.model_name = std::move(*name);
    x.body.stream = stream.boolean().value_or(false);
    return {};
}

}  // namespace

std::optional<Result<void>> validate_here(Exchange& x) {
    if (x.endpoint->body == wire::BodyTreatment::none) return Result<void>{};
    const bool whole =
        x.request.body == http::BodyFraming::length && x.downstream.in.size() >= x.request.content_length;
    if (!whole || x.request.content_length > x.tables->max_json_bytes) return std::nullopt;
    // The usual case: the body came with its head. Nothing to wait for, nothing to copy.
    x.body.text = x.downstream.in.readable().substr(0, static_cast<std::size_t>(x.request.content_length));
    return read_fields(x);
}

Awaitable<Result<void>> validate(Exchange& x) {
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
    x.downstream.stream->set_deadline(std::chrono::steady_clock::now() + kBodyPatience);
    Result<std::string_view> body = co_await http::read_whole_body(x.downstream, x.request, core::Source::downstream,
                                                                   x.tables->max_json_bytes, x.gathered);
    x.downstream.stream->set_deadline(net::Stream::kNever);
    if (!body) {
        x.reply.keep = false;  // the rest of the body is still on its way
        co_return body.error();
    }
    x.body.text = *body;
    co_return read_fields(x);
}

}  // namespace oai::gateway
