#include <algorithm>
#include <array>

#include "gateway/forward.hpp"
#include "gateway/stages.hpp"
#include "gateway/worker_state.hpp"
#include "wire/multipart.hpp"

namespace oai::gateway {

using core::Code;
using core::Error;
using core::Result;
using net::Awaitable;
using net::Stream;

namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
/// How much of a body that is passed on as it comes is read first: enough for the fields before a file, and a body
/// that is no larger can be sent again to another account.
constexpr std::size_t kLookAhead = 64 * 1024;

bool is_json_body(const Exchange& x) noexcept {
    return x.endpoint->body == wire::BodyTreatment::json;
}

std::uint64_t most_bytes(const Exchange& x) noexcept {
    return is_json_body(x) ? x.tables->max_json_bytes : x.tables->max_body_bytes;
}

Error too_large(const Exchange& x) {
    return Error{.code = Code::payload_too_large,
                 .source = core::Source::downstream,
                 .detail = "the body is larger than " + std::to_string(most_bytes(x)) + " bytes"};
}

/// How much of a form is read until its model has been seen: as much as of a JSON body where the model decides, and no
/// more than is needed. Each look begins at the start of the form, so the next one waits until twice as much is here.
class FormWindow {
public:
    explicit FormWindow(const Exchange& x)
        : x_(x),
          most_(wire::is_form(type()) && x.endpoint->form_model && x.deployment.empty() &&
                        x.tables->catalog.needs_model()
                    ? x.tables->max_json_bytes
                    : kLookAhead) {}

    bool enough(std::string_view here) {
        if (here.size() < next_look_) return false;
        if (here.size() >= most_) return true;
        next_look_ = std::min(most_, 2 * here.size());
        static constexpr std::array<std::string_view, 1> names{"model"};
        std::array<std::string_view, 1> found;
        return !wire::form_fields(type(), here, names, found) || !found[0].empty();
    }

private:
    std::string_view type() const noexcept { return x_.request.fields.value("content-type"); }

    const Exchange& x_;
    std::size_t most_;
    std::size_t next_look_ = kLookAhead;
};

/// The first bytes of a body that is passed on as it comes.
Awaitable<Result<void>> look_ahead(Exchange& x) {
    auto reader = std::make_unique<http::BodyReader>(x.downstream, x.request, core::Source::downstream);
    FormWindow window(x);
    while (!reader->done() && !window.enough(x.gathered.readable())) {
        const Result<std::string_view> piece = co_await reader->next();
        if (!piece) co_return piece.error();
        x.gathered.append(*piece);
    }
    if (reader->done()) {
        reader->finish();
    } else {
        x.body.rest = std::move(reader);
    }
    x.body.text = x.gathered.readable();
    co_return Result<void>{};
}

}  // namespace

bool take_body(Exchange& x) {
    if (x.request.body == http::BodyFraming::none) return true;
    if (x.endpoint->body == wire::BodyTreatment::none) return true;
    const bool whole =
        x.request.body == http::BodyFraming::length && x.downstream.in.size() >= x.request.content_length;
    if (!whole || x.request.content_length > most_bytes(x)) return false;
    // The usual case: the body came with its head. Nothing to wait for, nothing to copy.
    x.body.text = x.downstream.in.readable().substr(0, static_cast<std::size_t>(x.request.content_length));
    return true;
}

Awaitable<Result<void>> read_body(Exchange& x) {
    if (x.request.body == http::BodyFraming::length && x.request.content_length > most_bytes(x)) {
        x.reply.keep = false;  // what was announced is not read
        co_return too_large(x);
    }
    if (x.request.expect_continue && x.downstream.in.empty()) {
        const net::Pieces go_on{kContinue};
        const bool written = co_await x.downstream.stream->write(go_on);
        if (!written)
            co_return Error{.code = Code::cancelled, .source = core::Source::downstream, .detail = "the client left"};
    }
    x.downstream.stream->set_deadline(
        deadline_after(x.tables->timeouts.request_body, std::chrono::steady_clock::now()));
    Result<void> read;
    if (is_json_body(x)) {
        const Result<std::string_view> body = co_await http::read_whole_body(
            x.downstream, x.request, core::Source::downstream, x.tables->max_json_bytes, x.gathered);
        if (body) {
            x.body.text = *body;
        } else {
            read = body.error();
        }
    } else {
        read = co_await look_ahead(x);
    }
    x.downstream.stream->set_deadline(Stream::kNever);  // also lets a 408 out
    if (!read) x.reply.keep = false;                    // the rest of the body is still on its way
    co_return read;
}

}  // namespace oai::gateway
