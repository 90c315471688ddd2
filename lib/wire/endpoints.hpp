#pragma once

#include <cstdint>
#include <string_view>

namespace oai::wire {

/// Which API an endpoint speaks; `platform` in the ops API is the dialect of a version's type.
enum class Dialect : std::uint8_t { openai };

/// How an endpoint's answer ends, stream or not.
enum class Terminal : std::uint8_t {
    none,       ///< a JSON answer without a rule of its own
    responses,  ///< response.completed, .incomplete, .failed or error; status in the JSON answer
    chat,       ///< finish_reason, then [DONE]
};

/// What happens to a request's body.
enum class BodyTreatment : std::uint8_t {
    none,  ///< has none
    json,  ///< read whole, looked at, spliced
};

/// Who answers.
enum class Served : std::uint8_t { upstream, models };

struct Endpoint {
    std::string_view name;  ///< label in metrics and routes
    std::string_view method;
    std::string_view path;  ///< "{id}" stands for one segment
    Dialect dialect = Dialect::openai;
    BodyTreatment body = BodyTreatment::none;
    Terminal terminal = Terminal::none;
    Served served = Served::upstream;
    std::string_view input_field;  ///< required besides "model": "input", "messages"
    std::string_view output_limit_field;
};

/// What a path means.
struct EndpointMatch {
    const Endpoint* endpoint = nullptr;  ///< null: no such path, or another method
    std::string_view allow;              ///< the path is known, the method is not: the one that is
    std::string_view id;                 ///< the segment at "{id}", still percent-encoded
};

EndpointMatch match_endpoint(std::string_view method, std::string_view path) noexcept;

std::string_view name_of(Dialect dialect) noexcept;

}  // namespace oai::wire
