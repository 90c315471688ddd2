#include "gateway/lists.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <vector>

#include "core/log.hpp"
#include "gateway/forward.hpp"
#include "gateway/gather.hpp"
#include "gateway/reply.hpp"
#include "gateway/request_head.hpp"
#include "gateway/resources.hpp"
#include "gateway/stages.hpp"
#include "gateway/worker_state.hpp"
#include "http/client.hpp"
#include "http/url.hpp"
#include "wire/list_page.hpp"

namespace oai::gateway {

using core::Code;
using core::Error;
using core::Result;
using net::Awaitable;

namespace {

/// What is read at most of one account for one answer: so many pages, in so much time. Only an account that does not
/// know the cursor is read further than its first page.
constexpr std::size_t kMostPages = 50;
constexpr std::size_t kWalkPage = 100;
constexpr std::chrono::seconds kPatience{15};
constexpr std::size_t kLargestPage = std::size_t{16} << 20;
constexpr std::size_t kMostAccounts = 64;
constexpr std::uint64_t kMostItems = 10'000;

/// An account that is asked, and what it said.
struct Source {
    const upstream::Account* account = nullptr;
    const upstream::Version* version = nullptr;
    std::vector<std::string> bodies = {};  ///< padded; the items point into them
    wire::ListPage page = {};
    bool good = false;
    http::ClientResponse refusal = {};  ///< status 0: there was no answer
    std::string reason = {};
};

/// The page a client asked for.
struct Wanted {
    std::size_t limit = 0;
    bool oldest_first = false;
    bool backwards = false;       ///< `before`: the page is read in the other order and turned round
    std::string id = {};          ///< of the cursor; empty: from the beginning
    std::string rest_query = {};  ///< the parameters that are not about paging, as they came
};

std::string_view owner_of(const Exchange& x) noexcept {
    return x.key == nullptr ? std::string_view{} : std::string_view(x.key->id);
}

std::vector<Source> sources_of(const Exchange& x) {
    std::vector<Source> sources;
    for (const upstream::Provider& provider : x.tables->catalog.providers()) {
        if (provider.name != x.selection.version->provider) continue;
        for (const upstream::Version& version : provider.versions) {
            if (version.dialect != x.endpoint->dialect) continue;
            for (const upstream::Account& account : version.accounts) {
                const bool known = std::ranges::any_of(
                    sources, [&](const Source& source) { return source.account->name == account.name; });
                if (known || !account.active || sources.size() == kMostAccounts) continue;
                sources.push_back(Source{.account = &account, .version = &version});
            }
        }
    }
    return sources;
}

/// None: something in it is not ours to read, and goes to one account as it is.
std::optional<Wanted> read_query(const Exchange& x) {
    static constexpr std::array<std::string_view, 5> names{"after", "before", "limit", "order", "order_by"};
    std::array<std::string, names.size()> values;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const Result<std::optional<std::string>> value = http::query_parameter(x.request.query, names[i]);
        if (!value) return std::nullopt;
        values[i] = value->value_or("");
    }
    const auto& [after, before, limit, order, order_by] = values;
    if (!after.empty() && !before.empty()) return std::nullopt;
    if (!order_by.empty() && order_by != "created_at") return std::nullopt;
    if (!order.empty() && order != "asc" && order != "desc") return std::nullopt;
    Wanted wanted{.limit = x.endpoint->page, .oldest_first = x.endpoint->oldest_first};
    if (!order.empty()) wanted.oldest_first = order == "asc";
    if (!limit.empty()) {
        const auto [end, ec] = std::from_chars(limit.data(), limit.data() + limit.size(), wanted.limit);
        if (ec != std::errc{} || end != limit.data() + limit.size() || wanted.limit == 0 || wanted.limit > kMostItems)
            return std::nullopt;
    }
    wanted.backwards = !before.empty();
    wanted.id = wanted.backwards ? before : after;
    for (std::string_view query = x.request.query; !query.empty();) {
        const std::string_view pair = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), pair.size() + 1));
        if (std::ranges::find(names, pair.substr(0, pair.find('='))) != names.end()) continue;
        if (!wanted.rest_query.empty()) wanted.rest_query += '&';
        wanted.rest_query += pair;
    }
    return wanted;
}

void add_parameter(std::string& query, std::string_view name, std::string_view value) {
    if (!query.empty()) query += '&';
    query += name;
    query += '=';
    query += http::percent_encode(value);
}

/// The query for one page of one account. A request for the first page goes as the client wrote it.
std::string page_query(const Exchange& x, const Wanted& wanted, std::string_view after, std::size_t limit) {
    if (wanted.id.empty()) return std::string(x.request.query);
    std::string query = wanted.rest_query;
    const bool ordered = wanted.backwards || x.request.query.find("order=") != std::string_view::npos;
    if (ordered) add_parameter(query, "order", wanted.oldest_first != wanted.backwards ? "asc" : "desc");
    add_parameter(query, "limit", std::to_string(limit));
    if (!after.empty()) add_parameter(query, "after", after);
    return query;
}

http::WrittenRequest written(const Exchange& x, const upstream::Account& account, std::string_view credential,
                             std::string_view rest_path, std::string_view query, core::TimePoint until) {
    http::RequestHead client = x.request;
    client.query = query;
    http::WrittenRequest request;
    request.method = "GET";
    request.timeout = until - x.worker.shared.clock.now();
    request.max_response_bytes = kLargestPage;
    write_request_head(request.head, OutgoingHead{.client = client,
                                                  .account = account,
                                                  .credential = credential,
                                                  .rest_path = rest_path,
                                                  .model = x.selection.upstream_model,
                                                  .azure_style = x.request.path.starts_with("/openai/"),
                                                  .dropped = x.tables->drop_headers});
    return request;
}

/// A place at an account. Only what is no conclusion of ours keeps it out: without it the list would be short.
Result<upstream::Lease> take_place(const Exchange& x, const Source& source) {
    const upstream::Account& account = *source.account;
    if (account.state->resting(x.worker.shared.clock.now()).why == upstream::Out::resting)
        return Error{.code = Code::upstream_throttled, .detail = "it rests, as its provider asked"};
    if (!account.state->enter(account.concurrency))
        return Error{.code = Code::unavailable, .detail = "it is at its concurrency"};
    return upstream::Lease(account, source.version->pool, false);
}

/// What an attempt says about its account, and to the numbers of its version.
void report_to(Exchange& x, const Source& source, upstream::Lease& lease, const Result<http::ClientResponse>& answer) {
    const core::TimePoint now = x.worker.shared.clock.now();
    upstream::AttemptReport report;
    if (!answer) report.end = upstream::AttemptReport::End::broken;
    if (answer) {
        report.refusal = wire::refusal_of_status(answer->status);
        http::Fields fields;
        for (const auto& [name, value] : answer->headers) fields.push_back({name, value});
        report.rest = wire::rest_of(fields, x.worker.shared.clock.wall_now());
    }
    lease.report(report, x.tables->breaker, now);
    const bool failed = !answer || (report.refusal != wire::Refusal::none && report.refusal != wire::Refusal::request &&
                                    report.refusal != wire::Refusal::conflict);
    const bool throttled = report.refusal == wire::Refusal::throttled;
    x.sample.upstream_throttled = x.sample.upstream_throttled || throttled;
    x.sample.upstream_failed = x.sample.upstream_failed || (failed && !throttled);
    x.worker.intake.add_attempts(now, x.worker.series.find(x.worker.shared.collector, x, source.version),
                                 {.count = 1, .failed = failed ? 1U : 0U});
}

/// One request to one account, counted as an attempt.
Awaitable<Result<http::ClientResponse>> ask(Exchange& x, const Source& source, std::string_view rest_path,
                                            std::string_view query, core::TimePoint until) {
    const upstream::Account& account = *source.account;
    std::string credential = account.credential;
    if (account.tokens) {
        const Result<std::string> token = co_await access_token(x, account);
        if (!token) co_return token.error();
        credential = bearer_line(*token);
    }
    Result<upstream::Lease> lease = take_place(x, source);
    if (!lease) co_return lease.error();
    const http::WrittenRequest request = written(x, account, credential, rest_path, query, until);
    const Result<http::ClientResponse> answer = co_await http::fetch_written(x.worker.pool, account.target, request);
    report_to(x, source, *lease, answer);
    co_return answer;
}

/// Puts what an account answered into its page; false: it is no page. Items that are not behind the cursor go.
bool take_page(Exchange& x, Source& source, std::string body, const wire::ListCursor* cursor, std::size_t index,
               bool oldest_first, std::string& last_id) {
    const std::size_t size = body.size();
    body.append(json::Padded::kPadding, ' ');
    source.bodies.push_back(std::move(body));
    const std::string_view text = std::string_view(source.bodies.back()).substr(0, size);
    Result<wire::ListPage> page = wire::read_list_page(json::Padded{text}, x.worker.scanner);
    if (!page) return false;
    // An upstream that does not know the parameter answers with the same page again.
    const std::string_view last = page->items.empty() ? std::string_view{} : page->items.back().id;
    source.page.has_more = page->has_more && !last.empty() && last != last_id;
    last_id = last;
    std::span<const wire::ListItem> items = page->items;
    if (cursor != nullptr && cursor->source == index) {
        // Asked with the cursor itself; one that begins anew all the same is read from there on.
        const auto at = std::ranges::find(items, std::string_view(cursor->id), &wire::ListItem::id);
        if (at != items.end()) items = items.subspan(static_cast<std::size_t>(at - items.begin()) + 1);
    }
    const std::size_t before = source.page.items.size();
    for (const wire::ListItem& item : items) {
        if (cursor == nullptr || cursor->source == index || wire::comes_behind(item, index, *cursor, oldest_first))
            source.page.items.push_back(item);
    }
    if (source.page.items.size() == before && source.page.has_more) source.bodies.pop_back();  // nothing points there
    return true;
}

/// Asks one account for its part of the page.
Awaitable<void> ask_source(Exchange& x, const Wanted& wanted, const wire::ListCursor* cursor, Source& source,
                           std::size_t index) {
    const bool walks = cursor != nullptr && cursor->source != index;
    const bool oldest_first = wanted.oldest_first != wanted.backwards;
    const core::TimePoint until =
        std::min(deadline_after(x.tables->timeouts.total, x.stamps.scheduled), x.worker.shared.clock.now() + kPatience);
    std::string after = cursor != nullptr && !walks ? cursor->id : std::string();
    source.bodies.reserve(kMostPages);  // views into short bodies must not move
    for (std::size_t pages = 0; pages < kMostPages; ++pages) {
        const std::size_t limit = walks ? std::max(wanted.limit, kWalkPage) : wanted.limit;
        const std::string query = page_query(x, wanted, after, limit);
        Result<http::ClientResponse> answer = co_await ask(x, source, x.rest_path, query, until);
        if (!answer) {
            source.reason = answer.error().detail;
            co_return;
        }
        if (answer->status != 200) {
            source.reason = "it answered " + std::to_string(answer->status);
            source.refusal = std::move(*answer);
            co_return;
        }
        if (!take_page(x, source, std::move(answer->body), cursor, index, oldest_first, after)) {
            source.reason = "its answer is no list";
            co_return;
        }
        source.good = true;
        if (!walks || !source.page.has_more || source.page.items.size() >= wanted.limit) co_return;
    }
    source.good = !source.page.items.empty();  // what was found comes first of what is behind the cursor
    source.reason = "the cursor is behind its first " + std::to_string(kMostPages) + " pages";
}

/// Where the cursor stands: its account from memory or the store, its time from the account. None: nobody knows it.
Awaitable<std::optional<wire::ListCursor>> find_cursor(Exchange& x, const Wanted& wanted,
                                                       const std::vector<Source>& sources) {
    std::string owner(owner_of(x)), id = wanted.id;
    const Result<std::optional<upstream::Binding>> binding =
        co_await x.worker.shared.affinity.find_or_load(x.worker.net, std::move(owner), std::move(id));
    if (!binding || !*binding) co_return std::nullopt;
    const auto at = std::ranges::find_if(
        sources, [&](const Source& source) { return source.account->name == (*binding)->account; });
    if (at == sources.end()) co_return std::nullopt;
    const std::string path = std::string(x.rest_path) + "/" + http::percent_encode(wanted.id);
    const std::string_view no_query;
    const core::TimePoint until = x.worker.shared.clock.now() + kPatience;
    const Result<http::ClientResponse> answer = co_await ask(x, *at, path, no_query, until);
    if (!answer || answer->status != 200) co_return std::nullopt;
    const json::Padded object = x.worker.scanner.copy(answer->body);
    const std::optional<std::int64_t> created_at = wire::created_at_of(object, x.worker.scanner);
    if (!created_at) co_return std::nullopt;
    co_return wire::ListCursor{
        .id = wanted.id, .created_at = *created_at, .source = static_cast<std::size_t>(at - sources.begin())};
}

/// So that a request that names one of them finds it.
void remember_items(Exchange& x, const wire::MergedList& list, const std::vector<Source>& sources) {
    upstream::AffinityTable& table = x.worker.shared.affinity;
    for (const auto& [item, source] : list.items) {
        if (item->id.empty() || table.find(owner_of(x), item->id)) continue;
        table.remember(owner_of(x), item->id, {sources[source].account->name, sources[source].version->version});
    }
}

/// What the client gets when no account gave a page: the first refusal that is about its request, else the first one.
/// Null when none answered at all.
const Source* refusal_of(const std::vector<Source>& sources) noexcept {
    const auto is = [](const Source& source, bool about_request) {
        const wire::Refusal refusal = wire::refusal_of_status(source.refusal.status);
        return source.refusal.status != 0 && (!about_request || refusal == wire::Refusal::request);
    };
    for (const bool about_request : {true, false}) {
        for (const Source& source : sources) {
            if (is(source, about_request)) return &source;
        }
    }
    return nullptr;
}

Result<PlainReply> refused_reply(const http::ClientResponse& refusal) {
    if (wire::refusal_of_status(refusal.status) == wire::Refusal::credential)
        return Error{.code = Code::upstream_error,
                     .source = core::Source::upstream,
                     .detail = "the upstream refused the gateway's credential"};
    PlainReply reply{.status = refusal.status, .body = refusal.body};
    if (const std::string_view type = refusal.header("content-type"); !type.empty()) reply.content_type = type;
    if (const std::string_view after = refusal.header("retry-after"); !after.empty())
        reply.headers = "retry-after: " + std::string(after) + "\r\n";
    return reply;
}

PlainReply merged_reply(Exchange& x, const Wanted& wanted, const std::vector<Source>& sources) {
    std::vector<wire::ListPage> pages;
    for (const Source& source : sources) pages.push_back(source.good ? source.page : wire::ListPage{});
    wire::MergedList list = wire::merge_lists(pages, wanted.limit, wanted.oldest_first != wanted.backwards);
    if (wanted.backwards) std::ranges::reverse(list.items);
    remember_items(x, list, sources);
    PlainReply reply{.body = wire::list_body(list)};
    const auto left_out = std::ranges::count_if(sources, [](const Source& source) { return !source.reason.empty(); });
    if (left_out != 0) reply.headers = "x-oaigw-left-out: " + std::to_string(left_out) + "\r\n";
    return reply;
}

void log_left_out(const Exchange& x, const std::vector<Source>& sources) {
    for (const Source& source : sources) {
        if (source.reason.empty()) continue;
        core::log(core::LogLevel::warn, "an account is left out of a list",
                  {{"request", x.id.view()}, {"account", source.account->name}, {"reason", source.reason}});
    }
}

Awaitable<Result<void>> send(Exchange& x, PlainReply reply) {
    x.reply.committed = true;
    const Result<void> sent = co_await answer_ourselves(x, reply);
    if (sent) account_answer(x, reply.status, wire::Ending::completed);
    co_return sent;
}

}  // namespace

bool lists_several(const Exchange& x) {
    return x.endpoint->resource == wire::Resource::list && x.tables->merge_lists && x.tables->has_choice &&
           sources_of(x).size() > 1;
}

Awaitable<Result<void>> answer_list(Exchange& x) {
    const std::optional<Wanted> wanted = read_query(x);
    if (!wanted) co_return co_await forward(x);
    std::vector<Source> sources = sources_of(x);
    if (wanted->backwards) std::ranges::reverse(sources);  // what stands in their order is read in the other one too
    std::optional<wire::ListCursor> cursor;
    if (!wanted->id.empty()) {
        cursor = co_await find_cursor(x, *wanted, sources);
        if (!cursor) co_return co_await forward(x);  // one account says what it thinks of it
    }
    const wire::ListCursor* behind = cursor ? &*cursor : nullptr;
    Gather gather(x.worker.net);
    const std::function<Awaitable<void>(std::size_t)> each = [&](std::size_t i) {
        return ask_source(x, *wanted, behind, sources[i], i);
    };
    co_await gather.run(sources.size(), each);
    log_left_out(x, sources);
    Result<PlainReply> reply = PlainReply{};
    if (std::ranges::any_of(sources, &Source::good)) {
        reply = merged_reply(x, *wanted, sources);
    } else if (const Source* refused = refusal_of(sources)) {
        reply = refused_reply(refused->refusal);
    } else {
        // Nobody answered: what becomes of any request then, a place in line or the time to come back.
        co_return co_await forward(x);
    }
    if (!reply) co_return reply.error();
    PlainReply whole = std::move(*reply);
    co_return co_await send(x, std::move(whole));
}

}  // namespace oai::gateway
