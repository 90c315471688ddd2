#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mock/format.hpp"

namespace oai::mock {

struct Call;
struct Resource;

/// A request that is answered with an error of the caller's.
struct Refusal {
    int status = 400;
    std::string message = {};
    std::string param = {};
    std::string_view code = {};
};
/// Empty: all is well.
using Verdict = std::optional<Refusal>;

/// One endpoint.
struct Route {
    std::string_view method;
    std::string_view path;    ///< a '*' is one segment, at most two of them
    bool takes_json = false;  ///< a body with a model; otherwise the body is read and not looked at
    Shape shape = Shape::openai;
    const Format& (*format)() noexcept = nullptr;  ///< inference: the answer is made up
    Verdict (*act)(Call& call) = nullptr;          ///< everything else
    enum class Kind : std::uint8_t {
        api,      ///< asks for a credential, and meets faults
        token,    ///< gives credentials, and meets faults
        control,  ///< the mock's own
    } kind = Kind::api;
    bool takes_form = false;  ///< with `takes_json`: or the same fields as a form
};

struct RouteMatch {
    const Route* route = nullptr;
    bool path_known = false;                     ///< with another method: 405 instead of 404
    Shape shape = Shape::openai;                 ///< of an error, when there is no route
    std::array<std::string_view, 2> segments{};  ///< what stands for the '*'
    const Resource* resource = nullptr;          ///< whose object, or collection, it is
    std::string_view verb;                       ///< what follows the object's path: "cancel", "content"
    std::string_view deployment;                 ///< of an Azure path: it says which model
};

/// Besides /v1/..., the spellings of Azure: /openai/v1/... and /openai/deployments/{deployment}/....
RouteMatch find_route(std::string_view method, std::string_view path) noexcept;

}  // namespace oai::mock
