#pragma once

#include <array>
#include <string_view>

#include "mock/format.hpp"

namespace oai::mock {

/// One endpoint.
struct Route {
    std::string_view method;
    std::string_view path;    ///< a '*' is one segment, at most two of them
    bool takes_json = false;  ///< a body with a model; otherwise the body is read and not looked at
    Shape shape = Shape::openai;
    const Format& (*format)() noexcept = nullptr;
};

struct RouteMatch {
    const Route* route = nullptr;
    bool path_known = false;                     ///< with another method: 405 instead of 404
    Shape shape = Shape::openai;                 ///< of an error, when there is no route
    std::array<std::string_view, 2> segments{};  ///< what stands for the '*'
    std::string_view deployment;                 ///< of an Azure path: it says which model
};

/// Besides /v1/..., the spellings of Azure: /openai/v1/... and /openai/deployments/{deployment}/....
RouteMatch find_route(std::string_view method, std::string_view path) noexcept;

}  // namespace oai::mock
