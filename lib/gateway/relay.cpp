#include <array>
#include <charconv>

#include "gateway/forward.hpp"
#include "gateway/reply.hpp"
#include "gateway/worker_state.hpp"
#include "wire/answer.hpp"
#include "wire/model_edit.hpp"

namespace oai::gateway {

using core::Code;
using core::Error;
using core::Result;
using net::Awaitable;

namespace {

/// A JSON answer is looked at whole before it is passed on; a larger one is refused.
constexpr std::size_t kLargestAnswer = std::size_t{64} << 20;

/// The provider refused our credential, or has no credit for it: nothing the client can mend, and the text may name the
/// account.
bool is_about_our_account(int status) noexcept {
    return status == 401 || status == 402 || status == 403;
}

}  // namespace

Awaitable<Result<void>> relay_whole(Exchange& x, http::Connection& upstream, const http::ResponseHead& head) {
    if (is_about_our_account(head.status)) {
        upstream.stream->close();
        co_return Error{.code = Code::upstream_error,
                        .source = core::Source::upstream,
                        .detail = "the upstream refused the gateway's credential"};
    }
    const int status = head.status;
    const bool readable = head.fields.find("content-encoding") == nullptr;
    const bool keep_connection = head.keep_alive;
    std::string& out = x.downstream.scratch;
    begin_head(out, head);

    net::Buffer gathered(x.worker.net.buffers());
    Result<std::string_view> body = upstream.in.readable().substr(0, static_cast<std::size_t>(head.content_length));
    const bool here = head.body == http::BodyFraming::length && body->size() == head.content_length;
    if (!here) body = co_await http::read_whole_body(upstream, head, core::Source::upstream, kLargestAnswer, gathered);
    x.upstream_end = upstream.read_at;
    if (!body) co_return body.error();

    wire::Answer answer;
    if (readable) answer = wire::read_answer(x.endpoint->terminal, json::Padded{*body}, x.worker.scanner);
    if (status < 400 && readable && !answer.is_json)
        co_return Error{.code = Code::upstream_malformed,
                        .source = core::Source::upstream,
                        .detail = "the upstream answered with something that is not JSON"};
    x.usage = answer.usage;

    std::string client_name;
    std::array<json::Splice, 1> splices{};
    std::size_t edits = 0;
    if (readable && x.selection.upstream_model != x.body.model_name) {
        const json::Member model = wire::find_model(json::Padded{*body}, x.selection.upstream_model, x.worker.scanner);
        if (model.present()) {
            client_name = wire::quoted_model(x.body.model_name);
            splices[edits++] = json::Splice{model.raw, client_name};
        }
    }
    const std::span<const json::Splice> done(splices.data(), edits);
    if (status != 204 && status != 304) {
        out += "content-length: ";
        std::array<char, 20> digits{};
        const auto [end, ec] =
            std::to_chars(digits.data(), digits.data() + digits.size(), json::spliced_size(*body, done));
        out.append(digits.data(), end);
        out += "\r\n";
    }
    finish_head(out, x);
    net::Pieces pieces{out};
    json::spliced(*body, done, [&](std::string_view piece) { pieces.add(piece); });

    x.reply.started = true;
    x.reply.status = status;
    net::Stream::Written written = write_now(x, pieces);
    if (written == net::Stream::Written::blocked) written = co_await write_rest(x, pieces);
    if (Result<void> sent = written_or_left(x, written); !sent) co_return sent.error();
    account_answer(x, status, readable ? answer.ending : wire::Ending::completed);
    http::finish_body(upstream, *body);
    if (!keep_connection) upstream.stream->close();
    co_return Result<void>{};
}

}  // namespace oai::gateway
