#include "gateway/explain.hpp"

#include <cmath>

#include "json/writer.hpp"

namespace oai::gateway {

using core::Result;

namespace {

void write_account(json::Writer& out, const upstream::Account& account, const upstream::Ask& ask, double score,
                   core::TimePoint now) {
    const upstream::Out why = upstream::Scheduler::judge(account, ask, now);
    const upstream::AccountState& state = *account.state;
    const upstream::AccountState::Rest rest = state.resting(now);
    out.begin_object().member("account", account.name).member("eligible", why == upstream::Out::none);
    out.member("reason", upstream::name_of(why));
    out.key("until_ms");
    if (rest.until > now) {
        out.value(std::chrono::ceil<std::chrono::milliseconds>(rest.until - now).count());
    } else {
        out.value(nullptr);
    }
    out.key("credential").value(account.tokens ? account.tokens->out_reason().value_or("") : std::string());
    out.member("breaker", upstream::name_of(state.breaker.state(now)));
    out.member("in_flight", state.in_flight_approx()).member("concurrency", account.concurrency);
    out.member("attempts", state.attempts.load(std::memory_order_relaxed));
    out.member("failures", state.failures.load(std::memory_order_relaxed));
    out.member("priority", account.priority).member("weight", account.weight);
    const auto decimal = [&](std::string_view name, std::optional<double> value) {
        out.key(name);
        if (value && std::isfinite(*value)) {
            out.decimal(static_cast<std::int64_t>(std::llround(*value * 1000)), 3);
        } else {
            out.value(nullptr);
        }
    };
    decimal("error_rate", state.error_rate.value());
    const std::optional<double> ttft = state.ttft_us.value();
    decimal("ttft_ms", ttft ? std::optional(*ttft / 1000) : std::nullopt);
    decimal("score", std::isnan(score) ? std::nullopt : std::optional(score));
    out.end_object();
}

}  // namespace

Result<std::string> explain(const Tables& tables, upstream::Sticky& sticky, std::string_view model,
                            std::string_view key, std::string_view session, core::TimePoint now) {
    std::uint64_t hash = 0;
    if (!session.empty()) hash = upstream::session_hash(key, session);
    const Result<upstream::Selection> selection = tables.catalog.select(model, hash);
    if (!selection) return selection.error();
    const upstream::Version& version = *selection->version;
    upstream::Ask ask{.model = selection->upstream_model, .seed = hash};
    if (hash != 0) ask.bound = sticky.find(upstream::combine(hash, version.version), now);
    const upstream::Route* route = tables.catalog.find_route(model);

    json::Writer out;
    out.begin_object().member("model", model).member("route", route == nullptr ? "" : std::string_view(route->pattern));
    out.member("provider", version.provider).member("version", version.version);
    out.member("version_by", session.empty() ? "weight (each request draws)" : "session");
    out.member("upstream_model", selection->upstream_model).member("platform", wire::name_of(version.dialect));
    out.member("waiting", version.pool->line.waiting_approx());
    const upstream::Account* bound = nullptr;
    for (const upstream::Account& account : version.accounts) {
        if (account.state.get() == ask.bound) bound = &account;
    }
    out.key("session_account");
    if (bound != nullptr) {
        out.value(bound->name);
    } else {
        out.value(nullptr);
    }
    out.member("session_escapes", bound != nullptr && upstream::should_escape(*bound, version.accounts));
    const std::vector<double> scores = upstream::Scheduler::scores(version.accounts, ask, now);
    out.key("accounts").begin_array();
    for (std::size_t i = 0; i < version.accounts.size(); ++i)
        write_account(out, version.accounts[i], ask, scores[i], now);
    out.end_array();
    out.key("other_versions").begin_array();
    for (const upstream::Provider& provider : tables.catalog.providers()) {
        if (provider.name != version.provider) continue;
        for (const upstream::Version& other : provider.versions) {
            if (&other == &version) continue;
            out.begin_object().member("version", other.version).member("weight", other.weight).end_object();
        }
    }
    out.end_array().end_object();
    return out.take();
}

}  // namespace oai::gateway
