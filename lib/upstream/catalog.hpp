#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "http/pool.hpp"
#include "wire/endpoints.hpp"

namespace oai::upstream {

/// One credential at one provider.
struct Account {
    std::string name;
    http::Target target;
    std::string authorization;  ///< value of the header, ready to send: never logged
    std::int64_t weight = 1;
};

/// One way of serving a provider's models; the unit of a gray release.
struct Version {
    std::string provider;  ///< "llm/openai", in lower case: label in metrics
    std::string version;
    wire::Dialect dialect = wire::Dialect::openai;
    std::int64_t weight = 0;
    bool is_default = false;
    std::optional<std::string> model_name;  ///< from props: sent instead of whatever the client named
    std::vector<Account> accounts;
};

struct Provider {
    std::string name;  ///< "llm/openai"
    std::vector<Version> versions;
};

/// Model names to a provider. Exact patterns first, then the longest one that ends in '*'.
struct Route {
    std::string pattern;
    std::size_t provider = 0;
    std::map<std::string, std::string, std::less<>> map;  ///< as the client says it -> as the upstream wants it
};

/// Where one request goes.
struct Selection {
    const Version* version = nullptr;
    const Account* account = nullptr;
    std::string_view upstream_model;  ///< into the catalog, or the client's own name
};

/// Everything a request can be sent to, immutable: replaced as a whole, read by every worker.
class Catalog {
public:
    Catalog() = default;
    Catalog(std::vector<Provider> providers, std::vector<Route> routes)
        : providers_(std::move(providers)), routes_(std::move(routes)) {}

    const std::vector<Provider>& providers() const noexcept { return providers_; }
    const std::vector<Route>& routes() const noexcept { return routes_; }

    const Route* find_route(std::string_view model) const noexcept;

    /// Version by weight, then one of its accounts by weight, both from `hash`: the same hash chooses the same while
    /// the weights stand. Errors: not_found when no route takes the model, unavailable when its provider has nothing to
    /// serve with.
    core::Result<Selection> select(std::string_view model, std::uint64_t hash) const;

    /// Names a client can ask for: exact patterns and the names that routes map.
    std::vector<std::string> model_names() const;

private:
    std::vector<Provider> providers_;
    std::vector<Route> routes_;
};

}  // namespace oai::upstream
