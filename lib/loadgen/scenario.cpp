#include "loadgen/scenario.hpp"

#include <algorithm>

#include "core/units.hpp"
#include "crypto/hash.hpp"
#include "json/writer.hpp"
#include "wire/endpoints.hpp"

namespace oai::loadgen {

using core::Code;
using core::Error;
using core::Result;

namespace {

/// An endpoint whose requests this generator can make and whose answers it can judge.
const wire::Endpoint* usable_endpoint(const std::string& path) noexcept {
    const wire::Endpoint* endpoint = wire::match_endpoint("POST", path).endpoint;
    const bool usable = endpoint != nullptr && (endpoint->name == "responses" || endpoint->name == "chat");
    return usable ? endpoint : nullptr;
}

Error refused(std::string detail) {
    return Error{.code = Code::invalid_argument, .detail = std::move(detail)};
}

Result<void> validate(const ArrivalStream& stream) {
    const std::string where = "stream \"" + stream.name + "\": ";
    if (stream.name.empty()) return refused("a stream of arrivals needs a name");
    if (stream.rate.milli == 0) return refused(where + "its rate is 0");
    if (stream.rate.milli > Rate::kMostMilli) return refused(where + "its rate is above 1000000 per second");
    if (usable_endpoint(stream.endpoint) == nullptr)
        return refused(where + "endpoint must be /v1/responses or /v1/chat/completions, got \"" + stream.endpoint +
                       "\"");
    if (stream.model.empty()) return refused(where + "model is empty");
    if (stream.max_output_tokens == 0) return refused(where + "max_output_tokens must be at least 1");
    return {};
}

}  // namespace

Scenario baseline_scenario() {
    Scenario scenario;
    scenario.streams = {ArrivalStream{.name = "non_stream", .rate = Rate{8000}},
                        ArrivalStream{.name = "stream", .rate = Rate{4000}, .stream = true}};
    return scenario;
}

Result<void> validate(const Scenario& scenario) {
    constexpr nanoseconds kLongestDuration = std::chrono::hours{24 * 7};
    // The histograms end at one hour; a longer wait could not be told from it.
    constexpr nanoseconds kLongestTimeout = std::chrono::hours{1};
    if (scenario.streams.empty()) return refused("there is nothing to send: every rate is 0");
    if (scenario.duration <= nanoseconds{0} || scenario.duration > kLongestDuration)
        return refused("the duration must be above 0 and at most 168h, got " +
                       core::format_duration(scenario.duration));
    if (scenario.timeout <= nanoseconds{0} || scenario.timeout > kLongestTimeout)
        return refused("the timeout must be above 0 and at most 1h, got " + core::format_duration(scenario.timeout));
    if (scenario.max_in_flight == 0) return refused("at least one request must be allowed in flight");
    const bool controls = std::any_of(scenario.user_agent.begin(), scenario.user_agent.end(),
                                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    if (controls) return refused("the user agent holds a control character");
    for (const ArrivalStream& stream : scenario.streams) {
        const Result<void> valid = validate(stream);
        if (!valid) return valid.error();
    }
    return {};
}

std::string canonical_json(const Scenario& scenario) {
    json::Writer out;
    out.begin_object();
    out.member("name", scenario.name);
    out.member("duration_ns", scenario.duration.count());
    out.member("timeout_ns", scenario.timeout.count());
    out.member("max_in_flight", scenario.max_in_flight);
    out.member("seed", scenario.seed);
    out.member("user_agent", scenario.user_agent);
    out.key("streams").begin_array();
    for (const ArrivalStream& stream : scenario.streams) {
        out.begin_object();
        out.member("name", stream.name);
        out.member("arrival", "constant");
        out.member("rate_milli_rps", stream.rate.milli);
        out.member("stream", stream.stream);
        out.member("endpoint", stream.endpoint);
        out.member("model", stream.model);
        out.member("prompt", stream.prompt);
        out.member("max_output_tokens", stream.max_output_tokens);
        out.end_object();
    }
    out.end_array();
    out.end_object();
    return out.take();
}

std::string config_hash(const Scenario& scenario) {
    return crypto::sha256_hex(canonical_json(scenario));
}

std::string request_body(const ArrivalStream& stream) {
    const wire::Endpoint& endpoint = *usable_endpoint(stream.endpoint);
    const bool chat = endpoint.terminal == wire::Terminal::chat;
    json::Writer out;
    out.begin_object();
    out.member("model", stream.model);
    out.key(endpoint.input_field).begin_array().begin_object();
    out.member("role", "user");
    if (chat) {
        out.member("content", stream.prompt);
    } else {
        out.key("content").begin_array().begin_object();
        out.member("type", "input_text").member("text", stream.prompt);
        out.end_object().end_array();
    }
    out.end_object().end_array();
    out.member(endpoint.output_limit_field, stream.max_output_tokens);
    out.member("stream", stream.stream);
    // Without it a chat stream says nothing of its tokens, and there is no tpot.
    if (chat && stream.stream) out.key("stream_options").begin_object().member("include_usage", true).end_object();
    out.end_object();
    return out.take();
}

}  // namespace oai::loadgen
