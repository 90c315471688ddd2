#include <algorithm>
#include <map>
#include <set>

#include "core/log.hpp"
#include "gateway/forward.hpp"
#include "gateway/reply.hpp"
#include "gateway/stages.hpp"
#include "gateway/worker_state.hpp"
#include "http/url.hpp"
#include "json/writer.hpp"
#include "net/suspend.hpp"
#include "upstream/model_lists.hpp"

namespace oai::gateway {

using core::Code;
using core::Error;
using core::Result;
using net::Awaitable;

namespace {

/// A model of which nothing but its name is known. When it was made we do not pretend to know.
std::string made_up(std::string_view name) {
    json::Writer out;
    out.begin_object()
        .member("id", name)
        .member("object", "model")
        .member("created", 0)
        .member("owned_by", "oaigw")
        .end_object();
    return out.take();
}

/// Until when a request waits for lists that nobody has yet. Old ones serve at once.
constexpr std::chrono::seconds kFirstPatience{1};
constexpr std::chrono::milliseconds kLook{10};

/// Fetches one account's list, beside the traffic. `tables` keeps the account.
Awaitable<void> refresh(WorkerState& worker, [[maybe_unused]] std::shared_ptr<const Tables> tables,
                        const upstream::Account& account) {
    std::string credential = account.credential;
    Result<std::vector<upstream::ListedModel>> models = std::vector<upstream::ListedModel>();
    Result<void> allowed;
    if (account.tokens) {
        const Result<std::string> token = co_await account.tokens->access_token(worker.net, worker.pool);
        if (token) {
            credential = bearer_line(*token);
        } else {
            allowed = token.error();
        }
    }
    if (allowed) {
        const http::WrittenRequest request = upstream::model_list_request(account, credential);
        const Result<http::ClientResponse> response =
            co_await http::fetch_written(worker.pool, account.target, request);
        allowed = response ? Result<void>() : Result<void>(response.error());
        if (response) models = upstream::read_model_list(*response);
    }
    if (!allowed) models = allowed.error();
    if (!models)
        core::log(core::LogLevel::warn, "an account's list of models cannot be had",
                  {{"account", account.name}, {"reason", models.error().detail}});
    worker.shared.model_lists.put(account, std::move(models), worker.shared.clock.now());
}

/// Azure lists what it could deploy, not what is deployed.
bool has_list(const upstream::Account& account) noexcept {
    return account.active && account.type != upstream::AccountType::azure;
}

/// Calls `visit(version, account)` for each account whose list counts.
template <class F>
void each_listing(const Tables& tables, F visit) {
    for (const upstream::Provider& provider : tables.catalog.providers()) {
        for (const upstream::Version& version : provider.versions) {
            for (const upstream::Account& account : version.accounts) {
                if (has_list(account)) visit(version, account);
            }
        }
    }
}

/// Has lists that are too old fetched. True when one is missing that may come soon.
bool bring_up_to_date(Exchange& x) {
    bool missing = false;
    each_listing(*x.tables, [&](const upstream::Version&, const upstream::Account& account) {
        const upstream::ModelLists::Need need =
            x.worker.shared.model_lists.need(account, x.worker.shared.clock.now(), x.tables->models.ttl);
        if (need.fetch) x.worker.net.spawn(refresh(x.worker, x.tables, account));
        missing = missing || !need.known;
    });
    return missing;
}

/// The models a client can name, by name: what the routes say comes first, then what the upstreams list.
std::vector<upstream::ListedModel> all_models(const Exchange& x) {
    std::vector<upstream::ListedModel> models;
    std::set<std::string, std::less<>> names;
    std::map<std::string, std::string, std::less<>> listed;
    const upstream::Catalog& catalog = x.tables->catalog;
    const auto take = [&](const upstream::Version& version, const upstream::Account& account) {
        const upstream::ModelLists::List list = x.worker.shared.model_lists.list(account);
        if (!list) return;
        for (const upstream::ListedModel& model : *list) {
            if (account.serves(model.id) && catalog.offers(version, model.id)) listed.try_emplace(model.id, model.json);
        }
    };
    if (x.tables->models.upstream) each_listing(*x.tables, take);
    for (const std::string& name : catalog.model_names()) {
        const auto found = listed.find(name);
        models.push_back({name, found == listed.end() ? made_up(name) : found->second});
        names.insert(name);
    }
    for (auto& [name, json] : listed) {
        if (!names.contains(name)) models.push_back({name, std::move(json)});
    }
    return models;
}

Result<std::string> one_model(const Exchange& x, const std::vector<upstream::ListedModel>& models) {
    const Result<std::string> id = http::percent_decode(x.path_id);
    if (!id) return id.error();
    const auto found = std::ranges::find(models, *id, &upstream::ListedModel::id);
    if (found != models.end()) return found->json;
    // Not every provider lists all that it takes.
    if (x.tables->catalog.find_route(*id) != nullptr) return made_up(*id);
    return Error{.code = Code::not_found,
                 .source = core::Source::downstream,
                 .detail = "the model \"" + *id + "\" is not served here",
                 .param = "model"};
}

/// In OpenAI's shape, with what Anthropic's clients read in a page besides.
std::string whole_list(const std::vector<upstream::ListedModel>& models) {
    json::Writer out;
    out.begin_object().member("object", "list").key("data").begin_array();
    for (const upstream::ListedModel& model : models) out.raw(model.json);
    out.end_array().member("has_more", false).key("first_id");
    models.empty() ? out.value(nullptr) : out.value(models.front().id);
    out.key("last_id");
    models.empty() ? out.value(nullptr) : out.value(models.back().id);
    out.end_object();
    return out.take();
}

}  // namespace

Awaitable<Result<void>> answer_models(Exchange& x) {
    const core::TimePoint until = x.worker.shared.clock.now() + kFirstPatience;
    while (x.tables->models.upstream && bring_up_to_date(x) && x.worker.shared.clock.now() < until &&
           !x.worker.net.stopping())
        co_await net::pause(x.worker.net, kLook);
    const std::vector<upstream::ListedModel> models = all_models(x);
    PlainReply reply;
    if (x.endpoint->name == "model") {
        Result<std::string> model = one_model(x, models);
        if (!model) co_return model.error();
        reply.body = std::move(*model);
    } else {
        reply.body = whole_list(models);
    }
    co_return co_await answer_ourselves(x, reply);
}

}  // namespace oai::gateway
