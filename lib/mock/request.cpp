#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <utility>

#include "mock/session.hpp"

namespace oai::mock {

using core::Code;
using core::Error;
using core::Result;

namespace {

constexpr std::size_t kMaxModelName = 256;

Error wrong(std::string_view param, std::string detail) {
    return Error{.code = Code::invalid_request,
                 .source = core::Source::downstream,
                 .detail = std::move(detail),
                 .param = std::string(param)};
}

}  // namespace

Result<void> Session::understand(const http::RequestHead& head, std::string_view body) {
    old_client_ = head.minor_version == 0;
    head_request_ = head.method == "HEAD";
    keep_ = head.keep_alive;
    begin_record();
    const Behaviour& behaviour = shard_.current();

    const RouteMatch match = find_route(head.method, head.path);
    if (match.route == nullptr) {
        const std::string what = std::string(head.method) + " " + std::string(head.path);
        if (match.path_known)
            return Error{.code = Code::method_not_allowed,
                         .detail = "Not allowed: " + what + ". Perhaps you meant to use a different HTTP method?"};
        return Error{.code = Code::not_found, .detail = "Invalid URL (" + what + ")"};
    }
    route_ = match.route;
    RequestFacts facts;
    facts.number = record_.number;
    facts.fault = head.fields.value("x-mock-fault");
    answer_.resource = match.resource;
    answer_.models = &behaviour.models;
    if (route_->takes_json) {
        const Result<void> read = read_fields(body, facts);
        if (!read) return read.error();
    }
    Result<Plan> plan = make_plan(behaviour, shard_.shared->seed, facts);
    if (!plan) return plan.error();
    plan_ = std::move(*plan);
    stream_answer_ = facts.stream;
    answer_.incomplete = plan_.incomplete;
    answer_.output_tokens = plan_.output_tokens;
    make_id();
    if (plan_.fault.kind != Fault::Kind::none) count(shard_.faults);
    if (plan_.fault.kind == Fault::Kind::error) {
        status_ = plan_.fault.status;
        append_status_error(body_, status_);
    } else if (!stream_answer_) {
        // Rendered here and not when it is sent: it may name models of a behaviour that is replaced meanwhile.
        if (plan_.fault.kind == Fault::Kind::failed_event) {
            route_->format().failed_body(body_, answer_);
        } else {
            route_->format().body(body_, answer_);
        }
    }
    return {};
}

Result<void> Session::read_fields(std::string_view body, RequestFacts& facts) {
    enum { model, stream, max_output, max_completion, max_tokens, stream_options, previous, store, field_count };
    static constexpr std::array<std::string_view, field_count> kNames{
        "model",      "stream",         "max_output_tokens",    "max_completion_tokens",
        "max_tokens", "stream_options", "previous_response_id", "store"};
    std::array<json::Member, field_count> found;
    if (body.empty()) return wrong({}, "We could not parse the JSON body of your request. (The body is empty.)");
    const Result<void> scanned = shard_.scanner.members(json::Padded{body}, kNames, found);
    if (!scanned) {
        return wrong(scanned.error().param,
                     "We could not parse the JSON body of your request. (" + scanned.error().detail + ")");
    }
    const auto given = [&](int field) {
        const json::Member& member = found[static_cast<std::size_t>(field)];
        return member.present() && member.kind != json::Kind::null;
    };
    const auto raw_or_null = [&](int field) {
        return given(field) ? found[static_cast<std::size_t>(field)].raw : std::string_view("null");
    };

    if (!given(model)) return wrong("model", "Missing required parameter: 'model'.");
    if (found[model].kind != json::Kind::string || found[model].raw.size() <= 2)
        return wrong("model", "Invalid type for 'model': expected a string that is not empty.");
    if (found[model].raw.size() > kMaxModelName) return wrong("model", "Invalid 'model': the name is too long.");
    model_ = found[model].plain_string();
    if (model_.empty()) model_ = found[model].string().value_or(std::string{});
    facts.model = model_;

    if (given(stream)) {
        const std::optional<bool> flag = found[stream].boolean();
        if (!flag) return wrong("stream", "Invalid type for 'stream': expected a boolean.");
        facts.stream = *flag && route_->format().streams();
    }
    for (const int field : {max_output, max_completion, max_tokens}) {
        if (!given(field)) continue;
        facts.max_tokens = found[static_cast<std::size_t>(field)].integer();
        if (!facts.max_tokens || *facts.max_tokens < 1) {
            const std::string name(kNames[static_cast<std::size_t>(field)]);
            return wrong(name, "Invalid '" + name + "': expected an integer of at least 1.");
        }
        break;
    }
    const std::optional<bool> stored = found[store].boolean();
    answer_.store_json = stored.value_or(true) ? "true" : "false";
    answer_.model_json = found[model].raw;
    answer_.previous_response_json = raw_or_null(previous);
    answer_.max_output_tokens_json = raw_or_null(max_output);
    answer_.input_tokens = std::max<std::uint64_t>(1, body.size() / 4);
    answer_.include_usage = false;
    if (found[stream_options].kind == json::Kind::object) {
        const json::Padded options{found[stream_options].raw};
        answer_.include_usage = shard_.scanner.find(options, {"include_usage"}).boolean().value_or(false);
    }
    return {};
}

void Session::make_id() {
    static constexpr char kHex[] = "0123456789abcdef";
    for (std::size_t i = 0; i < sizeof id_; i += 16) {
        std::uint64_t bits = shard_.worker.ids().next();
        for (std::size_t j = 0; j < 16; ++j, bits >>= 4) id_[i + j] = kHex[bits & 15];
    }
    answer_.id = std::string_view(id_, sizeof id_);
    answer_.sequence = 0;
    answer_.created_at =
        std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()).time_since_epoch().count();
}

}  // namespace oai::mock
