#include "upstream/catalog_config.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "core/units.hpp"
#include "net/proxy.hpp"

namespace oai::upstream {

using core::Result;

namespace {

constexpr std::int64_t kMostWeight = 1'000'000;

using TlsContext = std::shared_ptr<const net::TlsClientContext>;

/// How accounts are reached over TLS, by their settings: accounts with the same ones share connections.
class TlsContexts {
public:
    /// Null: the system's authorities, or nothing to be had (which is a problem of the section).
    TlsContext read(const config::Section& section) {
        net::TlsClientOptions options;
        if (section.has("ca_file")) options.ca_file = section.required_string("ca_file");
        options.verify = section.boolean("tls_verify", true);
        if (options.ca_file.empty() && options.verify) return nullptr;
        if (!options.ca_file.empty() && !options.verify)
            section.fail("ca_file", "has no use where tls_verify is false; keep one of them");
        TlsContext& context = made_[{options.ca_file, options.verify}];
        if (context) return context;
        Result<TlsContext> made = net::TlsClientContext::make(options);
        if (made) {
            context = *std::move(made);
        } else {
            section.fail("ca_file", "cannot be used: " + made.error().detail);
        }
        return context;
    }

private:
    std::map<std::pair<std::string, bool>, TlsContext> made_;
};

/// The endpoint table's paths begin with /v1; people write a base URL with it (OPENAI_BASE_URL) and without.
Result<http::Target> target_of(std::string_view base_url, TlsContext tls = nullptr,
                               std::shared_ptr<const net::Proxy> proxy = nullptr) {
    Result<http::Url> url = http::parse_url(base_url);
    if (!url) return url.error();
    if (url->base_path.ends_with("/v1")) url->base_path.resize(url->base_path.size() - 3);
    return http::Target(std::move(*url), std::move(tls), std::move(proxy));
}

/// The header lines that show a provider who pays.
std::string credential_lines(AccountType type, std::string_view api_key) {
    if (api_key.empty()) return {};
    std::string_view field = "authorization: Bearer ";
    if (type == AccountType::azure) field = "api-key: ";
    if (type == AccountType::anthropic) field = "x-api-key: ";
    return std::string(field) + std::string(api_key) + "\r\n";
}

wire::Dialect dialect_of(AccountType type) noexcept {
    return type == AccountType::anthropic ? wire::Dialect::anthropic : wire::Dialect::openai;
}

AccountType read_type(const config::Section& section, AccountType otherwise) {
    return section.choice("type", otherwise,
                          {{"openai", AccountType::openai},
                           {"compatible", AccountType::compatible},
                           {"azure", AccountType::azure},
                           {"anthropic", AccountType::anthropic},
                           {"oauth", AccountType::oauth}});
}

void check_pattern(const config::Section& section, std::string_view key, std::string_view pattern) {
    if (pattern.empty() || (pattern.find('*') != std::string::npos && pattern.find('*') != pattern.size() - 1))
        section.fail(key, "may hold one * at the end of a name, such as gpt-*");
}

/// A credential goes into a header line: it must not be able to end it.
void check_credential(const config::Section& section, std::string_view key, std::string_view value) {
    const bool printable = std::ranges::all_of(value, [](char c) { return c > 0x20 && c < 0x7F; });
    if (!printable) section.fail(key, "must be printable ASCII without blanks");
}

/// Null when none is set. A secret: it may hold a password.
std::shared_ptr<const net::Proxy> read_proxy(const config::Section& section) {
    const std::string text = section.secret("proxy");
    if (text.empty()) return nullptr;
    core::Result<net::Proxy> proxy = net::parse_proxy_url(text);
    if (proxy) return std::make_shared<const net::Proxy>(std::move(*proxy));
    section.fail("proxy", proxy.error().detail);
    return nullptr;
}

OAuthSettings read_oauth(const config::Section& section) {
    OAuthSettings settings;
    const std::string url = section.required_string("token_url");
    if (Result<http::Url> parsed = http::parse_url(url)) {
        settings.token_url = std::move(*parsed);
    } else if (!url.empty()) {
        section.fail("token_url", parsed.error().detail);
    }
    settings.client_id = section.required_string("client_id");
    settings.client_secret = section.secret("client_secret");
    settings.refresh_token = section.required_secret("refresh_token");
    settings.scope = section.string("scope");
    if (section.has("api_key")) section.fail("api_key", "has no use for an oauth account: its tokens are fetched");
    return settings;
}

Account read_account(const config::Section& section, std::string name, AccountType type, TlsContexts& contexts) {
    Account account{.name = std::move(name), .type = type};
    const std::string url = section.required_string("base_url");
    const std::string api_key = type == AccountType::oauth ? std::string() : section.secret("api_key");
    check_credential(section, "api_key", api_key);
    account.credential = credential_lines(type, api_key);
    account.priority = section.integer("priority", account.priority, 0, 1'000'000);
    account.concurrency = section.integer("concurrency", account.concurrency, 0, 1'000'000);
    account.models = section.strings("models");
    for (const std::string& pattern : account.models) check_pattern(section, "models", pattern);
    account.active = section.boolean("active", true);
    account.websocket = section.boolean("websocket", false);
    if (account.websocket && type == AccountType::anthropic)
        section.fail("websocket", "is for Responses, which an account of type \"anthropic\" does not serve");
    if (type == AccountType::azure) {
        for (auto& [model, deployment] : section.string_map("deployments"))
            account.deployments.emplace(model, deployment);
        account.api_version = section.string("api_version");
    }
    TlsContext tls = contexts.read(section);
    std::shared_ptr<const net::Proxy> proxy = read_proxy(section);
    if (type == AccountType::oauth) account.oauth = read_oauth(section);
    if (url.empty()) return account;
    Result<http::Target> target = target_of(url, std::move(tls), std::move(proxy));
    if (target) {
        account.target = std::move(*target);
    } else {
        section.fail("base_url", target.error().detail);
    }
    return account;
}

std::map<std::string, Account> read_accounts(const config::Section& root, TlsContexts& contexts) {
    std::map<std::string, Account> accounts;
    for (const config::Section& section : root.sections("account")) {
        Account account =
            read_account(section, section.required_string("name"), read_type(section, AccountType::openai), contexts);
        account.weight = section.integer("weight", 1, 0, kMostWeight);
        const std::string name = account.name;
        if (!accounts.emplace(name, std::move(account)).second)
            section.fail("name", "is already the name of another account");
    }
    return accounts;
}

Version read_version(const config::Section& section, const std::string& provider,
                     std::map<std::string, Account>& accounts, std::set<std::string>& used, TlsContexts& contexts) {
    Version version{
        .provider = provider, .version = section.required_string("version"), .model_name = {}, .accounts = {}};
    const AccountType type = read_type(section, AccountType::openai);
    version.dialect = dialect_of(type);
    version.weight = section.integer("weight", 100, 0, kMostWeight);
    version.is_default = section.boolean("default", false);
    const config::Section props = section.section("props");
    const std::vector<std::string> names = section.strings("accounts");
    if (props.has("model_name")) version.model_name = props.required_string("model_name");
    const bool implicit = props.has("base_url") || props.has("api_key");
    if (implicit && !names.empty())
        section.fail("accounts", "and props.base_url exclude each other: name a pool or give one URL");
    if (!implicit && names.empty()) section.fail("needs props.base_url, or accounts = [\"name\", ...]");
    version.ask_for_usage = props.boolean("ask_for_usage", true);
    if (implicit) version.accounts.push_back(read_account(props, provider + "/" + version.version, type, contexts));
    for (const std::string& name : names) {
        const auto found = accounts.find(name);
        if (found == accounts.end()) {
            section.fail("accounts", "names \"" + name + "\", and there is no [[account]] of that name");
            continue;
        }
        used.insert(name);
        if (dialect_of(found->second.type) != version.dialect)
            section.fail("accounts", "names \"" + name + "\", whose type speaks another API than this version's");
        version.accounts.push_back(found->second);
    }
    return version;
}

}  // namespace

Catalog read_catalog(const config::Section& root) {
    TlsContexts contexts;
    std::map<std::string, Account> accounts = read_accounts(root, contexts);
    std::set<std::string> used;
    std::vector<Provider> providers;
    for (const config::Section& section : root.sections("provider")) {
        Provider provider;
        // Category and name match without regard to case.
        provider.name = core::to_lower(section.string("category", "llm") + "/" + section.required_string("name"));
        section.choice("strategy", 0, {{"weight", 0}});
        for (const Provider& other : providers) {
            if (other.name == provider.name)
                section.fail("name", "is already the name of another provider of that category");
        }
        for (const config::Section& entry : section.sections("version")) {
            Version version = read_version(entry, provider.name, accounts, used, contexts);
            for (const Version& other : provider.versions) {
                if (other.version == version.version) entry.fail("version", "stands twice in this provider");
                if (other.is_default && version.is_default)
                    entry.fail("default", "is set for two versions of this provider; keep one");
            }
            provider.versions.push_back(std::move(version));
        }
        if (provider.versions.empty()) section.fail("needs at least one [[provider.version]]");
        providers.push_back(std::move(provider));
    }
    for (const config::Section& section : root.sections("account")) {
        if (!used.contains(section.string("name")))
            section.fail("name", "is in the accounts of no version; name it there or remove it");
    }
    std::vector<Route> routes;
    for (const config::Section& section : root.sections("route")) {
        Route route{.pattern = section.required_string("model"), .map = {}};
        for (auto& [from, to] : section.string_map("map")) route.map.emplace(from, to);
        const std::string name = core::to_lower(section.required_string("provider"));
        const auto found = std::ranges::find_if(providers, [&](const Provider& p) { return p.name == name; });
        if (found == providers.end())
            section.fail("provider", "must name a provider as category/name, such as \"llm/openai\"");
        check_pattern(section, "model", route.pattern);
        for (const auto& [from, to] : route.map) {
            if (to.empty()) section.fail("map", "maps \"" + from + "\" to nothing");
        }
        route.provider = static_cast<std::size_t>(found - providers.begin());
        routes.push_back(std::move(route));
    }
    if (routes.empty() && providers.size() == 1) routes.push_back(Route{.pattern = "*", .provider = 0, .map = {}});
    if (routes.empty() && providers.size() > 1)
        root.fail("several providers need [[route]]s that say which models are whose");
    return Catalog(std::move(providers), std::move(routes));
}

Result<Catalog> single_upstream(std::string_view base_url, std::string_view api_key) {
    Result<http::Target> target = target_of(base_url);
    if (!target) return target.error();
    Provider provider{.name = "llm/openai", .versions = {}};
    Version version{.provider = provider.name,
                    .version = "v1",
                    .weight = 100,
                    .is_default = true,
                    .model_name = {},
                    .accounts = {}};
    version.accounts.push_back(Account{.name = "llm/openai/v1",
                                       .target = std::move(*target),
                                       .credential = credential_lines(AccountType::openai, api_key)});
    provider.versions.push_back(std::move(version));
    std::vector<Provider> providers;
    providers.push_back(std::move(provider));
    return Catalog(std::move(providers), {Route{.pattern = "*", .provider = 0, .map = {}}});
}

}  // namespace oai::upstream
