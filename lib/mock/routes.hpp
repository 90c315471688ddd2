#pragma once

#include <string_view>

#include "mock/format.hpp"

namespace oai::mock {

/// One endpoint. A path may end in "/*": one segment, the resource.
struct Route {
    std::string_view method;
    std::string_view path;
    bool takes_json;  ///< a body with a model; otherwise the body is read and not looked at
    const Format& (*format)() noexcept;
};

struct RouteMatch {
    const Route* route = nullptr;
    bool path_known = false;  ///< with another method: 405 instead of 404
    std::string_view resource;
};

RouteMatch find_route(std::string_view method, std::string_view path) noexcept;

}  // namespace oai::mock
