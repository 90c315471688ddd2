#include <algorithm>
#include <chrono>
#include <utility>

#include "core/units.hpp"
#include "mock/session.hpp"
#include "wire/error_body.hpp"

namespace oai::mock {

namespace {

Refusal refusal_of(const core::Error& error) {
    return {.status = wire::face_of(error.code).status, .message = error.detail, .param = error.param};
}

/// Authorization: Bearer, x-api-key (Anthropic) or api-key (Azure).
std::string_view credential_of(const http::Fields& fields) {
    constexpr std::string_view kBearer = "Bearer ";
    const std::string_view authorization = fields.value("authorization");
    if (authorization.size() > kBearer.size() &&
        core::equals_ignore_case(authorization.substr(0, kBearer.size()), kBearer))
        return core::trim(authorization.substr(kBearer.size()));
    const std::string_view key = fields.value("x-api-key");
    return key.empty() ? fields.value("api-key") : key;
}

std::string_view session_of(const http::Fields& fields) {
    for (const std::string_view name : {"session-id", "session_id", "thread-id", "conversation_id"}) {
        if (const std::string_view value = fields.value(name); !value.empty()) return value;
    }
    return {};
}

}  // namespace

void Session::begin(const http::RequestHead& head) {
    old_client_ = head.minor_version == 0;
    head_request_ = head.method == "HEAD";
    keep_ = head.keep_alive;
    match_ = find_route(head.method, head.path);
    credential_ = credential_of(head.fields);
    takes_form_ =
        match_.route != nullptr && match_.route->takes_form && Multipart::is_form(head.fields.value("content-type"));
    upload_.reset();
    receipt_.reset();
    const Received* received = shard_.shared->received.get();
    if (received != nullptr && !is_control()) receipt_.emplace(head, received->kept_bytes());
}

bool Session::is_control() const noexcept {
    return match_.route != nullptr && match_.route->kind == Route::Kind::control;
}

Verdict Session::check_head(const http::RequestHead& head) const {
    const bool closed = is_control() && shard_.shared->received == nullptr;
    if (match_.route == nullptr || closed) {
        const std::string what = std::string(head.method) + " " + std::string(head.path);
        if (match_.path_known && !closed)
            return Refusal{.status = 405,
                           .message = "Not allowed: " + what + ". Perhaps you meant to use a different HTTP method?"};
        return Refusal{.status = 404, .message = "Invalid URL (" + what + ")"};
    }
    const std::vector<std::string>& keys = shard_.behaviour->api_keys;
    if (match_.route->kind == Route::Kind::api && !keys.empty() &&
        std::find(keys.begin(), keys.end(), credential_) == keys.end() &&
        !shard_.shared->tokens.is_good(credential_, received_))
        return Refusal{.status = 401, .message = "Incorrect API key provided.", .code = "invalid_api_key"};
    if (match_.shape == Shape::anthropic && head.fields.find("anthropic-version") == nullptr)
        return Refusal{.status = 400, .message = "anthropic-version: header is required"};
    if (!match_.deployment.empty() && head.query.find("api-version=") == std::string_view::npos)
        return Refusal{.status = 404, .message = "Resource not found: the query parameter api-version is missing"};
    return {};
}

Verdict Session::understand(const http::RequestHead& head, std::string_view body) {
    begin_record();
    const Behaviour& behaviour = shard_.current();
    begin_answer();
    if (receipt_) shard_.shared->received->add(receipt_->finish(record_.number));
    if (Verdict refusal = check_head(head)) return refusal;

    if (is_control()) return act(head, body);

    const Format* format = match_.route->format == nullptr ? nullptr : &match_.route->format();
    RequestFacts facts;
    facts.number = record_.number;
    facts.fault = head.fields.value("x-mock-fault");
    facts.key = credential_;
    facts.session = session_of(head.fields);
    facts.since_start = received_ - shard_.shared->started;
    facts.turns = &shard_.shared->turns;
    facts.stream = format != nullptr && format->always_streams();
    answer_.resource = match_.segments[0];
    answer_.models = &behaviour.models;
    answer_.input_tokens = std::max<std::uint64_t>(1, body.size() / 4);
    keeps_chat_ = false;
    if (match_.route->takes_json) {
        if (Verdict refusal = upload_ ? read_form(facts) : read_fields(body, facts)) return refusal;
    }
    core::Result<Plan> plan = make_plan(behaviour, shard_.shared->seed, facts);
    if (!plan) return refusal_of(plan.error());
    plan_ = std::move(*plan);
    record_.stream = facts.stream;
    streams_ = plan_.stream;
    if (answer_.warm_up) {
        plan_.output_tokens = 0;
        plan_.incomplete = false;
        if (plan_.fault.after) plan_.fault.after = 0;
    }
    answer_.incomplete = plan_.incomplete;
    answer_.output_tokens = plan_.output_tokens;
    answer_.huge_bytes = plan_.fault.bytes;
    answer_.done = plan_.fault.kind != Fault::Kind::no_done;
    answer_.done_event = plan_.fault.kind == Fault::Kind::done_event;
    answer_.cancelled = plan_.fault.kind == Fault::Kind::cancelled_event;
    answer_.failure = plan_.fault.kind == Fault::Kind::capacity ? kAtCapacity : kServerFailure;
    if (plan_.fault.kind != Fault::Kind::none) count(shard_.faults);
    remember();
    return streams_ ? Verdict{} : render_body(head, body);
}

void Session::remember() {
    const Fault::Kind kind = plan_.fault.kind;
    if (fails(kind) || kind == Fault::Kind::error || kind == Fault::Kind::error_in_200 || kind == Fault::Kind::non_json)
        return;
    if (socket_ != nullptr) told_.emplace_back(answer_.id);
    const bool is_chat = keeps_chat_ && match_.route->format == chat_format;
    const bool is_response = match_.route->format == responses_format && answer_.store_json == "true";
    if (!is_chat && !is_response) return;
    shard_.shared->answers.keep(record_.number, is_chat ? Answers::Kind::chat : Answers::Kind::response, answer_,
                                answer_.input_json);
}

Verdict Session::act(const http::RequestHead& head, std::string_view body) {
    Call call{.head = head,
              .match = match_,
              .body = body,
              .upload = upload_ ? &*upload_ : nullptr,
              .behaviour = shard_.current(),
              .shared = *shard_.shared,
              .ids = shard_.worker.ids(),
              .now = received_,
              .created_at = answer_.created_at,
              .answer = answer_,
              .out = body_,
              .type = type_,
              .status = status_};
    return match_.route->act(call);
}

Verdict Session::render_body(const http::RequestHead& head, std::string_view body) {
    switch (plan_.fault.kind) {
        case Fault::Kind::error:
            status_ = plan_.fault.status;
            if (plan_.fault.hint == Fault::Hint::body) {
                append_usage_limit(body_, plan_.fault, shard_.current().retry_after);
            } else {
                append_status_error(body_, match_.shape, status_);
            }
            return {};
        case Fault::Kind::error_in_200: append_status_error(body_, match_.shape, 500); return {};
        case Fault::Kind::non_json:
            type_ = "text/html";
            body_ = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n";
            return {};
        default: break;
    }
    if (match_.route->act != nullptr) {
        if (Verdict refusal = act(head, body)) return refusal;
    } else {
        const Format& format = match_.route->format();
        type_ = format.type(answer_);
        if (fails(plan_.fault.kind)) {
            format.failed_body(body_, answer_);
        } else {
            format.body(body_, answer_);
        }
    }
    if (plan_.fault.kind == Fault::Kind::half_json) body_.resize(body_.size() / 2);
    return {};
}

void Session::begin_answer() {
    static constexpr char kHex[] = "0123456789abcdef";
    // The last digits are the request's number: they say where the answer is kept.
    for (std::size_t i = 0; i < sizeof id_; i += 16) {
        const bool last = i + 16 == sizeof id_;
        std::uint64_t bits = last ? record_.number : shard_.worker.ids().next();
        for (std::size_t j = 0; j < 16; ++j, bits >>= 4) id_[i + 15 - j] = kHex[bits & 15];
    }
    answer_.clear();
    answer_.id = std::string_view(id_, sizeof id_);
    answer_.created_at =
        std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()).time_since_epoch().count();
}

}  // namespace oai::mock
