#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "json/scanner.hpp"

namespace oai::wire {

/// Which API an endpoint speaks; `platform` in the ops API is the dialect of a version's type.
enum class Dialect : std::uint8_t { openai, anthropic };

/// How an endpoint's answer ends, stream or not.
enum class Terminal : std::uint8_t {
    none,       ///< no rule of its own: a good end of the body is a good end
    responses,  ///< response.completed, .incomplete, .failed, .cancelled, .done or error; status in the JSON answer
    chat,       ///< finish_reason, then [DONE]
    messages,   ///< message_delta with a stop_reason, then message_stop
};

/// What happens to a request's body.
enum class BodyTreatment : std::uint8_t {
    none,   ///< has none, or none that the gateway reads
    json,   ///< read whole, looked at, spliced
    bytes,  ///< multipart or binary: passed on as it comes
};

/// Who answers.
enum class Served : std::uint8_t { upstream, models, websocket, options };

/// What an endpoint has to do with things that live at one account.
enum class Resource : std::uint8_t {
    none,
    made,   ///< the answer's `id` is remembered with the account that made it
    named,  ///< the path's id goes to the account that made it
    list,   ///< lists what one account has
};

/// Kinds of JSON value a field may have, as a set.
using Kinds = std::uint8_t;
constexpr Kinds kind_bit(json::Kind kind) noexcept {
    return static_cast<Kinds>(1U << static_cast<unsigned>(kind));
}
inline constexpr Kinds kString = kind_bit(json::Kind::string);
inline constexpr Kinds kNumber = kind_bit(json::Kind::number);
inline constexpr Kinds kBoolean = kind_bit(json::Kind::boolean);
inline constexpr Kinds kArray = kind_bit(json::Kind::array);
inline constexpr Kinds kObject = kind_bit(json::Kind::object);
inline constexpr Kinds kNull = kind_bit(json::Kind::null);

/// A top-level field that the gateway goes by. Fields without a rule pass unseen.
struct FieldRule {
    std::string_view name;
    Kinds kinds = 0;
    bool required = false;
};
inline constexpr std::size_t kMostFields = 12;

struct Endpoint {
    std::string_view name;    ///< label in metrics and routes
    std::string_view method;  ///< "*": any
    /// "{id}" stands for one segment, "/**" at the end for whatever is below. An "{id}" at the end of a model's path
    /// may hold slashes.
    std::string_view path;
    Dialect dialect = Dialect::openai;
    BodyTreatment body = BodyTreatment::none;
    Terminal terminal = Terminal::none;
    Served served = Served::upstream;
    Resource resource = Resource::none;
    bool json_answer = false;                  ///< a 200 that is no JSON is a fault, and a JSON one is read
    bool form_model = false;                   ///< its form names the model
    std::span<const FieldRule> fields = {};    ///< of a JSON body, at most kMostFields
    std::string_view input_field = {};         ///< "input", "messages": where the text is
    std::string_view output_limit_field = {};  ///< "max_output_tokens"
    std::uint32_t default_output_tokens = 0;   ///< expected where a request sets no limit
    std::uint32_t page = 20;                   ///< of a list: items where a request sets no limit
    bool oldest_first = false;                 ///< of a list: its order where a request sets none
};

/// What a path means.
struct EndpointMatch {
    const Endpoint* endpoint = nullptr;  ///< null: no such path, or another method
    bool known = false;                  ///< the path is, whatever the method
    std::string_view id = {};            ///< the segment at "{id}", still percent-encoded
};

/// HEAD is served wherever GET is.
EndpointMatch match_endpoint(std::string_view method, std::string_view path) noexcept;
/// "GET, HEAD, POST": the methods of a path, for an answer to another one and for OPTIONS.
std::string allowed_methods(std::string_view path);
/// The endpoint of that name, for tables that speak of endpoints; null when there is none.
const Endpoint* endpoint_named(std::string_view name) noexcept;
/// All of them, in the order they are tried.
std::span<const Endpoint> endpoints() noexcept;
/// For a /v1 path that the table does not know, where the configuration lets it pass.
const Endpoint& unknown_endpoint() noexcept;
/// For an OPTIONS that is to go no further than to us.
const Endpoint& options_endpoint() noexcept;

/// A path as clients of other gateways and SDKs write it: what stands for /v1 in it, and an Azure deployment.
/// The canonical path is "/v1" followed by `rest`.
struct PathAlias {
    std::string_view rest;        ///< "/chat/completions"; empty: the path is none of ours
    std::string_view deployment;  ///< of "/openai/deployments/{d}/...": stands for the model
};
PathAlias read_alias(std::string_view path) noexcept;

std::string_view name_of(Dialect dialect) noexcept;

}  // namespace oai::wire
