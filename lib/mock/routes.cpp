#include "mock/routes.hpp"

#include <array>

namespace oai::mock {
namespace {

constexpr std::array<Route, 4> kRoutes{{
    {"POST", "/v1/responses", true, responses_format},
    {"POST", "/v1/chat/completions", true, chat_format},
    {"GET", "/v1/models", false, model_list_format},
    {"GET", "/v1/models/*", false, model_format},
}};

bool matches(std::string_view pattern, std::string_view path, std::string_view& resource) noexcept {
    if (!pattern.ends_with("/*")) return pattern == path;
    const std::string_view base = pattern.substr(0, pattern.size() - 1);
    if (!path.starts_with(base) || path.size() == base.size()) return false;
    resource = path.substr(base.size());
    return resource.find('/') == std::string_view::npos;
}

}  // namespace

RouteMatch find_route(std::string_view method, std::string_view path) noexcept {
    RouteMatch match;
    for (const Route& route : kRoutes) {
        std::string_view resource;
        if (!matches(route.path, path, resource)) continue;
        match.path_known = true;
        if (route.method != method) continue;
        match.route = &route;
        match.resource = resource;
        break;
    }
    return match;
}

}  // namespace oai::mock
