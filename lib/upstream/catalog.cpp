#include "upstream/catalog.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include <xxhash.h>

namespace oai::upstream {

using core::Code;
using core::Error;
using core::Result;

namespace {

/// A number in (0, 1) that depends on the seed and the version alone.
double unit_hash(std::uint64_t seed, std::string_view version) noexcept {
    const std::uint64_t hash = XXH3_64bits_withSeed(version.data(), version.size(), seed);
    return (static_cast<double>(hash >> 11) + 0.5) * 0x1.0p-53;
}

/// Weighted rendezvous hashing: each version draws for itself, the highest draw wins, and shares follow the weights.
const Version* pick(const std::vector<Version>& versions, std::uint64_t seed) noexcept {
    const Version* only = nullptr;
    std::size_t serving = 0;
    for (const Version& version : versions) {
        if (version.weight == 0) continue;
        only = &version;
        ++serving;
    }
    if (serving <= 1) return only;
    const Version* best = nullptr;
    double best_draw = 0;
    for (const Version& version : versions) {
        if (version.weight == 0) continue;
        const double draw = -static_cast<double>(version.weight) / std::log(unit_hash(seed, version.version));
        if (best != nullptr && draw <= best_draw) continue;
        best = &version;
        best_draw = draw;
    }
    return best;
}

std::string_view mapped(const Route& route, const Version& version, std::string_view model) noexcept {
    if (version.model_name) return *version.model_name;
    const auto found = route.map.find(model);
    return found == route.map.end() ? model : std::string_view(found->second);
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

Result<Selection> Catalog::select(std::string_view model, std::uint64_t seed) const {
    // Without a model (a list of files, a multipart body that hides it) the catch-all decides, or the first.
    const Route* route = model.empty() && !routes_.empty() ? find_route("*") : find_route(model);
    if (route == nullptr && model.empty() && !routes_.empty()) route = &routes_.front();
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
    const Version* version = pick(provider.versions, seed);
    if (version == nullptr) {
        // Weight 0 everywhere: the default version serves.
        const auto found = std::ranges::find_if(provider.versions, [](const Version& v) { return v.is_default; });
        if (found != provider.versions.end()) version = &*found;
    }
    if (version == nullptr || version->accounts.empty())
        return Error{.code = Code::unavailable,
                     .detail = "no version of " + provider.name + " can serve the model now"};
    return Selection{.version = version, .upstream_model = mapped(*route, *version, model)};
}

Selection Catalog::select(std::string_view model, const Version& version) const {
    const Route* route = find_route(model);
    return Selection{.version = &version, .upstream_model = route == nullptr ? model : mapped(*route, version, model)};
}

const Version* Catalog::version_of(std::string_view account) const noexcept {
    for (const Provider& provider : providers_) {
        for (const Version& version : provider.versions) {
            for (const Account& candidate : version.accounts) {
                if (candidate.name == account) return &version;
            }
        }
    }
    return nullptr;
}

bool Catalog::has_choice() const noexcept {
    std::string_view first;
    for (const Provider& provider : providers_) {
        for (const Version& version : provider.versions) {
            for (const Account& account : version.accounts) {
                if (first.empty()) first = account.name;
                if (account.name != first) return true;
            }
        }
    }
    return false;
}

void Registry::adopt(Catalog& catalog, const MakeTokens& make) {
    for (Provider& provider : catalog.providers_) {
        for (Version& version : provider.versions) {
            auto& pool = pools_.try_emplace(provider.name + "/" + version.version, version.pool).first->second;
            version.pool = pool;
            for (Account& account : version.accounts) {
                account.state = accounts_.try_emplace(account.name, account.state).first->second;
                if (!account.oauth || !make) continue;
                Tokens& known = tokens_[account.name];
                if (!known.source || known.settings != *account.oauth) known = {*account.oauth, make(account)};
                account.tokens = known.source;
            }
        }
    }
}

bool Catalog::needs_model() const noexcept {
    // One route for everything, which renames nothing, to accounts that take any model and say none in their paths.
    if (routes_.size() != 1 || routes_.front().pattern != "*" || !routes_.front().map.empty()) return true;
    return std::ranges::any_of(providers_[routes_.front().provider].versions, [](const Version& version) {
        return version.model_name || std::ranges::any_of(version.accounts, [](const Account& account) {
                   return !account.models.empty() || account.type == AccountType::azure;
               });
    });
}

bool Catalog::offers(const Version& version, std::string_view model) const noexcept {
    const Route* route = find_route(model);
    if (route == nullptr || mapped(*route, version, model) != model) return false;
    const std::vector<Version>& versions = providers_[route->provider].versions;
    const bool all_zero = std::ranges::all_of(versions, [](const Version& other) { return other.weight == 0; });
    return std::ranges::any_of(versions, [&](const Version& other) {
        return &other == &version && (other.weight > 0 || (all_zero && other.is_default));
    });
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
