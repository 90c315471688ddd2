#include "upstream/model_lists.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "json/edit.hpp"
#include "json/scanner.hpp"
#include "json/writer.hpp"
#include "wire/failure.hpp"

namespace oai::upstream {

using core::Code;
using core::Error;
using core::Result;

namespace {

constexpr std::size_t kMostModels = 5000;
constexpr std::size_t kLongestId = 256;

Error unreadable(std::string detail) {
    return Error{.code = Code::upstream_malformed, .source = core::Source::upstream, .detail = std::move(detail)};
}

/// Anthropic's objects lack what OpenAI's clients read: it is put in front of what is there.
std::string completed(std::string_view text, bool has_object, const json::Member& created_at) {
    if (has_object) return std::string(text);
    std::int64_t created = 0;
    if (const auto at = wire::parse_rfc3339(created_at.plain_string()))
        created = std::chrono::floor<std::chrono::seconds>(*at).time_since_epoch().count();
    std::string out = R"({"object":"model","created":)" + std::to_string(created) + R"(,"owned_by":"anthropic",)";
    out += text.substr(1);
    return out;
}

}  // namespace

std::string ModelLists::key(const Account& account) {
    return account.name + "\n" + account.target.url.text();
}

ModelLists::List ModelLists::list(const Account& account) {
    const std::lock_guard lock(mutex_);
    return entries_[key(account)].list;
}

ModelLists::Need ModelLists::need(const Account& account, core::TimePoint now, std::chrono::nanoseconds ttl) {
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_[key(account)];
    const auto good_for = entry.failed ? std::min<std::chrono::nanoseconds>(ttl, kRetryAfter) : ttl;
    const bool fetch = !entry.fetching && (!entry.known || now - entry.fetched_at >= good_for);
    if (fetch) entry.fetching = true;
    return Need{.known = entry.known, .fetch = fetch};
}

void ModelLists::put(const Account& account, Result<std::vector<ListedModel>> fetched, core::TimePoint now) {
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_[key(account)];
    entry.fetching = false;
    entry.known = true;
    entry.failed = !fetched;
    entry.fetched_at = now;
    if (fetched) entry.list = std::make_shared<const std::vector<ListedModel>>(std::move(*fetched));
}

http::WrittenRequest model_list_request(const Account& account, std::string_view credential) {
    const bool anthropic = account.type == AccountType::anthropic;
    http::WrittenRequest request;
    request.method = "GET";
    request.head = "GET " + account.target.url.base_path + "/v1/models";
    if (anthropic) request.head += "?limit=1000";
    request.head += " HTTP/1.1\r\nhost: " + account.target.authority + "\r\n";
    if (anthropic) request.head += "anthropic-version: 2023-06-01\r\n";
    request.head += credential;
    request.head += "accept: application/json\r\naccept-encoding: identity\r\n\r\n";
    request.timeout = std::chrono::seconds{10};
    request.max_response_bytes = std::size_t{8} << 20;
    return request;
}

Result<std::vector<ListedModel>> read_model_list(const http::ClientResponse& response) {
    if (response.status != 200) return unreadable("the provider answered " + std::to_string(response.status));
    json::Scanner scanner;
    std::string body = response.body;
    body.append(json::Padded::kPadding, ' ');
    const std::string_view text = std::string_view(body).substr(0, response.body.size());
    static constexpr std::array<std::string_view, 1> list_names{"data"};
    std::array<json::Member, list_names.size()> data;
    const Result<void> read = scanner.members(json::Padded{text}, list_names, data);
    if (!read || data[0].kind != json::Kind::array) return unreadable("the provider's answer is no list");
    std::vector<ListedModel> models;
    for (const std::string_view item : json::elements(data[0].raw)) {
        static constexpr std::array<std::string_view, 3> names{"id", "object", "created_at"};
        std::array<json::Member, names.size()> found;
        if (!scanner.members(json::Padded{item}, names, found)) continue;
        const auto& [id, object, created_at] = found;
        const std::optional<std::string> name = id.string();
        if (!name || name->empty() || name->size() > kLongestId || models.size() == kMostModels) continue;
        models.push_back({*name, completed(item, object.present(), created_at)});
    }
    return models;
}

}  // namespace oai::upstream
