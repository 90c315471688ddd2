#include "upstream/catalog.hpp"

#include <algorithm>
#include <set>

namespace oai::upstream {

using core::Code;
using core::Error;
using core::Result;

namespace {

/// Position `hash` falls on when the weights lie side by side; null when all are 0.
template <class T>
const T* pick(const std::vector<T>& choices, std::uint64_t hash) noexcept {
    std::uint64_t total = 0;
    for (const T& choice : choices) total += static_cast<std::uint64_t>(choice.weight);
    if (total == 0) return nullptr;
    std::uint64_t at = hash % total;
    for (const T& choice : choices) {
        const auto weight = static_cast<std::uint64_t>(choice.weight);
        if (at < weight) return &choice;
        at -= weight;
    }
    return nullptr;
}

}  // namespace

const Route* Catalog::find_route(std::string_view model) const noexcept {
    const Route* best = nullptr;
    for (const Route& route : routes_) {
        if (route.pattern == model) return &route;
        if (!route.pattern.ends_with('*')) continue;
        const std::string_view prefix = std::string_view(route.pattern).substr(0, route.pattern.size() - 1);
        if (model.starts_with(prefix) && (best == nullptr || route.pattern.size() > best->pattern.size()))
            best = &route;
    }
    return best;
}

Result<Selection> Catalog::select(std::string_view model, std::uint64_t hash) const {
    const Route* route = find_route(model);
    if (route == nullptr) {
        if (routes_.empty())
            return Error{
                .code = Code::unavailable,
                .detail =
                    "no upstream is configured; start with --upstream URL, OPENAI_BASE_URL and OPENAI_API_KEY, or a "
                    "[[provider]] in the configuration file"};
        return Error{.code = Code::not_found,
                     .source = core::Source::downstream,
                     .detail = "the model \"" + std::string(model) +
                               "\" is not served here; GET /v1/models lists those that are",
                     .param = "model"};
    }
    const Provider& provider = providers_[route->provider];
    const Version* version = pick(provider.versions, hash);
    if (version == nullptr) {
        // Weight 0 everywhere: the default version serves.
        const auto found = std::ranges::find_if(provider.versions, [](const Version& v) { return v.is_default; });
        if (found != provider.versions.end()) version = &*found;
    }
    // Another part of the hash, so that the account does not follow from the version.
    const Account* account = version == nullptr ? nullptr : pick(version->accounts, hash >> 32);
    if (account == nullptr)
        return Error{.code = Code::unavailable,
                     .detail = "no version of " + provider.name + " can serve the model now"};
    const auto mapped = route->map.find(model);
    std::string_view upstream_model = mapped == route->map.end() ? model : std::string_view(mapped->second);
    if (version->model_name) upstream_model = *version->model_name;
    return Selection{.version = version, .account = account, .upstream_model = upstream_model};
}

std::vector<std::string> Catalog::model_names() const {
    std::set<std::string> names;
    for (const Route& route : routes_) {
        if (!route.pattern.ends_with('*')) names.insert(route.pattern);
        for (const auto& [name, upstream_name] : route.map) names.insert(name);
    }
    return {names.begin(), names.end()};
}

}  // namespace oai::upstream
