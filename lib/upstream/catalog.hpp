#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "upstream/account.hpp"
#include "upstream/scheduler.hpp"
#include "wire/endpoints.hpp"

namespace oai::upstream {

/// One way of serving a provider's models; the unit of a gray release.
struct Version {
    std::string provider;  ///< "llm/openai", in lower case: label in metrics
    std::string version;
    wire::Dialect dialect = wire::Dialect::openai;
    std::int64_t weight = 0;
    bool is_default = false;
    std::optional<std::string> model_name = {};  ///< from props: sent instead of whatever the client named
    bool ask_for_usage = true;  ///< chat streams: the usage chunk is asked for, and kept from clients that did not
    std::vector<Account> accounts = {};
    std::shared_ptr<PoolState> pool = std::make_shared<PoolState>();  ///< of this name: see Registry
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

/// Which version serves one request.
struct Selection {
    const Version* version = nullptr;
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

    /// The version that `seed` (a session's hash, or any number) falls on: weighted rendezvous hashing, so that a
    /// change of weights moves as few sessions as can be. Without a model the first route decides that has "*", or the
    /// first at all. Errors: not_found when no route takes the model, unavailable when its provider has nothing to
    /// serve with.
    core::Result<Selection> select(std::string_view model, std::uint64_t seed) const;

    /// The selection of an account that is already known: the model's mapping, without a choice.
    Selection select(std::string_view model, const Version& version) const;
    /// The version that holds the account; null when the configuration has it no more.
    const Version* version_of(std::string_view account) const noexcept;
    /// More than one account: there is something to remember a resource for.
    bool has_choice() const noexcept;

    /// Whether the model decides about a request: to which provider it goes, under which name, or to which accounts.
    /// Where it does not, a request may go on without its model being known.
    bool needs_model() const noexcept;
    /// Whether a request for `model` can be sent to that version, under this very name.
    bool offers(const Version& version, std::string_view model) const noexcept;

    /// Names a client can ask for: exact patterns and the names that routes map.
    std::vector<std::string> model_names() const;

private:
    friend class Registry;
    std::vector<Provider> providers_;
    std::vector<Route> routes_;
};

/// What is known of accounts and pools, by their names: a reload builds a new catalog, and their health stays.
class Registry {
public:
    using MakeTokens = std::function<std::shared_ptr<TokenSource>(const Account&)>;

    /// Puts the known states into the catalog, and remembers those it does not know. `make` is asked for the tokens of
    /// OAuth accounts that are new or have new settings.
    void adopt(Catalog& catalog, const MakeTokens& make = {});

private:
    struct Tokens {
        OAuthSettings settings;
        std::shared_ptr<TokenSource> source;
    };
    std::map<std::string, Tokens, std::less<>> tokens_;
    std::map<std::string, std::shared_ptr<AccountState>, std::less<>> accounts_;
    std::map<std::string, std::shared_ptr<PoolState>, std::less<>> pools_;
};

}  // namespace oai::upstream
