#include "gateway/config.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "upstream/catalog_config.hpp"

namespace oai::gateway {

using core::Result;
using std::chrono::nanoseconds;

namespace {

Timeouts read_timeouts(const config::Section& section) {
    Timeouts timeouts;
    timeouts.connect = section.duration("connect", timeouts.connect);
    timeouts.first_output = section.duration("first_output", timeouts.first_output);
    timeouts.idle = section.duration("idle", timeouts.idle);
    timeouts.total = section.duration("total", timeouts.total);
    timeouts.request_head = section.duration("request_head", timeouts.request_head);
    timeouts.request_body = section.duration("request_body", timeouts.request_body);
    timeouts.keep_alive = section.duration("keep_alive", timeouts.keep_alive);
    return timeouts;
}

FailoverSettings read_failover(const config::Section& section) {
    FailoverSettings settings;
    settings.max_attempts =
        static_cast<unsigned>(section.integer("max_attempts", settings.max_attempts, 1, kMostAttempts));
    settings.backoff = section.duration("backoff", settings.backoff);
    settings.retry_budget_bp = section.percent("retry_budget", settings.retry_budget_bp);
    settings.conflicts = section.boolean("retry_conflicts", settings.conflicts);
    return settings;
}

upstream::BreakerSettings read_breaker(const config::Section& section) {
    upstream::BreakerSettings settings;
    constexpr std::int64_t kMost = 1'000'000;
    const auto count = [&](std::string_view name, std::uint32_t otherwise, std::int64_t least) {
        return static_cast<std::uint32_t>(section.integer(name, otherwise, least, kMost));
    };
    settings.window = section.duration("window", settings.window, std::chrono::milliseconds{100});
    settings.min_requests = count("min_requests", settings.min_requests, 1);
    settings.failure_ratio_bp = section.percent("failure_ratio", settings.failure_ratio_bp);
    settings.consecutive_failures = count("consecutive_failures", settings.consecutive_failures, 0);
    settings.cooldown = section.duration("cooldown", settings.cooldown, std::chrono::milliseconds{1});
    settings.max_cooldown = section.duration("max_cooldown", settings.max_cooldown);
    settings.successes_to_close = count("successes_to_close", settings.successes_to_close, 1);
    if (settings.max_cooldown < settings.cooldown) section.fail("max_cooldown", "must not be below cooldown");
    return settings;
}

StreamSettings read_stream(const config::Section& section) {
    StreamSettings settings;
    settings.keepalive = section.duration("keepalive", settings.keepalive);
    if (settings.keepalive.count() != 0 && settings.keepalive < std::chrono::milliseconds{100})
        section.fail("keepalive", "must be \"0\" (none) or at least 100ms");
    settings.drain_when_gone = section.choice("on_client_gone", false, {{"cancel", false}, {"drain", true}});
    settings.hold_preamble = section.boolean("hold_preamble", settings.hold_preamble);
    return settings;
}

ModelSettings read_models(const config::Section& section) {
    ModelSettings settings;
    settings.upstream = section.boolean("upstream", settings.upstream);
    settings.ttl = section.duration("ttl", settings.ttl, std::chrono::seconds{1});
    return settings;
}

/// The files are read here, so that `check-config` and a reload find what is wrong with them before anything changes.
std::shared_ptr<const net::TlsServerContext> read_tls(const config::Section& section) {
    if (!section.present()) return nullptr;
    const std::string certificate = section.required_string("certificate");
    const std::string key = section.required_string("key");
    if (certificate.empty() || key.empty()) return nullptr;
    Result<std::shared_ptr<const net::TlsServerContext>> context = net::TlsServerContext::make(certificate, key);
    if (context) return *std::move(context);
    section.fail("cannot be used: " + context.error().detail);
    return nullptr;
}

std::vector<ConfiguredKey> read_keys(const config::Section& root) {
    std::vector<ConfiguredKey> keys;
    std::set<std::string> names;
    for (const config::Section& section : root.sections("key")) {
        ConfiguredKey key{section.required_string("name"), section.required_secret("value"), section.string("group")};
        if (!names.insert(key.name).second) section.fail("name", "is already the name of another key");
        if (!key.value.empty() && key.value.size() < 8) section.fail("value", "must be at least 8 characters long");
        keys.push_back(std::move(key));
    }
    return keys;
}

/// The environment wins over the file; a client key from it comes on top of the file's.
void fill_from_environment(Config& config, const config::Environment& environment) {
    const auto value = [&](std::string_view name) { return environment(name).value_or(""); };
    config.encryption_key = value("OAIGW_ENCRYPTION_KEY");
    if (std::string admin = value("OAIGW_ADMIN_KEY"); !admin.empty()) config.admin_key = std::move(admin);
    std::string client = value("OAIGW_CLIENT_KEY");
    const bool known = std::ranges::any_of(config.keys, [&](const ConfiguredKey& key) { return key.value == client; });
    if (!client.empty() && !known) config.keys.push_back({"environment", std::move(client), ""});
}

}  // namespace

std::string data_dir_of(std::string_view store_url) {
    if (!store_url.starts_with("sqlite:")) return "data";
    const std::string parent = std::filesystem::path(store_url.substr(7)).parent_path().string();
    return parent.empty() ? "." : parent;
}

Result<Config> load_config(const std::string& path, const config::Environment& environment) {
    Result<config::Document> document = config::Document::load(path, environment);
    if (!document) return document.error();
    const config::Section root = document->root();
    Config config;
    if (root.has("listen")) {
        const Result<net::ListenAddress> listen = net::parse_listen_address(root.string("listen"));
        if (listen) {
            config.listen = *listen;
        } else {
            root.fail("listen", listen.error().detail);
        }
    }
    config.tls = read_tls(root.section("tls"));
    config.workers = static_cast<unsigned>(root.integer("workers", 0, 0, 256));
    config.max_connections =
        static_cast<unsigned>(root.integer("max_connections", config.max_connections, 1, 10'000'000));
    config.max_json_bytes = root.size("max_json_bytes", config.max_json_bytes, 1024, std::uint64_t{1} << 30);
    config.expose_routing = root.boolean("expose_routing", true);
    config.store_url = root.section("store").string("url", config.store_url);
    config.data_dir = data_dir_of(config.store_url);
    config.admin_key = root.section("admin").secret("key");
    config.max_body_bytes = root.size("max_body_bytes", config.max_body_bytes, 1024);
    config.drop_headers = root.strings("drop_headers");
    config.passthrough_unknown = root.boolean("passthrough_unknown", false);
    config.timeouts = read_timeouts(root.section("timeouts"));
    config.failover = read_failover(root.section("failover"));
    config.breaker = read_breaker(root.section("breaker"));
    config.stream = read_stream(root.section("stream"));
    config.queue_timeout = root.section("queue").duration("timeout", config.queue_timeout);
    config.models = read_models(root.section("models"));
    config.merge_lists = root.section("resources").choice("lists", true, {{"merge", true}, {"one", false}});
    config.keys = read_keys(root);
    config.catalog = upstream::read_catalog(root);
    if (Result<void> good = document->finish(); !good) return good.error();
    fill_from_environment(config, environment);
    return config;
}

Result<Config> default_config(const config::Environment& environment) {
    Config config;
    const std::string base_url = environment("OPENAI_BASE_URL").value_or("");
    const std::string api_key = environment("OPENAI_API_KEY").value_or("");
    if (!base_url.empty() || !api_key.empty()) {
        Result<upstream::Catalog> catalog =
            upstream::single_upstream(base_url.empty() ? "https://api.openai.com" : base_url, api_key);
        if (!catalog) {
            catalog.error().detail =
                (base_url.empty() ? "OPENAI_API_KEY is set and OPENAI_BASE_URL is not: " : "OPENAI_BASE_URL: ") +
                catalog.error().detail;
            return catalog.error();
        }
        config.catalog = std::move(*catalog);
    }
    fill_from_environment(config, environment);
    return config;
}

std::string_view sample_config() noexcept {
    return R"(# oaigw: check this file with `oaigw check-config oaigw.toml`, start with `oaigw serve --config oaigw.toml`.

listen = "127.0.0.1:5231"
# workers = 2              # threads; default: one per core
# max_connections = 10000  # of clients; said at the start when the system's limit of descriptors is below it
# max_json_bytes = "32MiB" # larger request bodies get 413
# max_body_bytes = "512MiB" # the same for bodies that are streamed through (files, audio)
# expose_routing = true    # x-oaigw-version, -attempts and -overhead-us in answers
# drop_headers = ["x-internal-user"] # of clients' requests: not passed on
# passthrough_unknown = true # /v1 paths that are not in the endpoint table

# [tls]                    # answers https instead of http; both are needed
# certificate = "cert.pem" # with its chain
# key = "key.pem"          # without a passphrase

[store]
url = "sqlite:data/oaigw.db"   # or "memory:", which forgets everything at the end

[admin]
key = "env:OAIGW_ADMIN_KEY"    # a literal, env:NAME or file:PATH

[[key]]                        # what your clients send as Authorization: Bearer
name = "dev"
value = "env:OAIGW_CLIENT_KEY"

[[provider]]
category = "llm"
name = "openai"

[[provider.version]]
version = "v1"
type = "openai"                # or "compatible"
weight = 100
default = true
props = { base_url = "http://127.0.0.1:9180", api_key = "env:OPENAI_API_KEY" }
# An https upstream is verified; of an authority of your own: ca_file = "ca.pem"

[[route]]
model = "*"                    # exact names first, then the longest pattern that ends in *
provider = "llm/openai"
# map = { "alias-model" = "gpt-real" }   # as clients say it = as the upstream wants it

[timeouts]                     # "0" = none
connect = "2s"
first_output = "60s"           # streams: until the first token
idle = "60s"                   # between two pieces of an answer
total = "600s"
request_head = "15s"           # what a client is given to send a request's head, and its body
request_body = "60s"
keep_alive = "75s"             # how long a connection may rest

[failover]                     # while nothing of an answer has reached the client
max_attempts = 3               # accounts of the version that are tried for one request
backoff = "50ms"               # before the second retry; doubles, jittered
retry_budget = "20%"           # retries as a share of requests, against storms
# retry_conflicts = true       # 408 and 409 too

[breaker]                      # keeps traffic away from an account that fails
window = "10s"
min_requests = 3
failure_ratio = "50%"
consecutive_failures = 5
cooldown = "2s"                # doubles up to
max_cooldown = "60s"
successes_to_close = 2

[stream]
keepalive = "10s"              # comments while the upstream thinks; "0" = none
on_client_gone = "cancel"      # or "drain": read the answer to its end, for its usage
# hold_preamble = false        # pass `created` on at once, and give up fail-over after it

[queue]
timeout = "30s"                # for a place when every account is at its concurrency

[models]                       # GET /v1/models
upstream = true                # also what the providers list; false: the names in the routes only
ttl = "10m"                    # how long their lists are good

[resources]
lists = "merge"                # GET /v1/files and its like: over all accounts; or "one"
)";
}

}  // namespace oai::gateway
