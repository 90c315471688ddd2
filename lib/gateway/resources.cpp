#include "gateway/resources.hpp"

#include <array>
#include <string>

#include "core/log.hpp"
#include "gateway/worker_state.hpp"
#include "wire/stream_reader.hpp"

namespace oai::gateway {

using net::Awaitable;

namespace {

std::string_view owner_of(const Exchange& x) noexcept {
    return x.key == nullptr ? std::string_view{} : std::string_view(x.key->id);
}

/// Fields that hold ids wherever they stand in a body.
constexpr std::array<std::string_view, 12> kIdFields{"\"file_id\"",         "\"input_file_id\"", "\"file_ids\"",
                                                     "\"assistant_id\"",    "\"thread_id\"",     "\"vector_store_ids\"",
                                                     "\"training_file\"",   "\"conversation\"",  "\"container\"",
                                                     "\"validation_file\"", "\"upload_id\"",     "\"batch_id\""};

/// Fields of an answer that tell of other things at the same account.
constexpr std::array<std::string_view, 8> kToldFields{
    "\"file\"",          "\"thread_id\"",       "\"output_file_id\"",
    "\"error_file_id\"", "\"vector_store_id\"", "\"vector_store_ids\"",
    "\"result_files\"",  "\"container_id\""};
/// What is longer is no id.
constexpr std::size_t kLongestId = 256;

/// The strings of an array that begins `array`.
template <class F>
void each_string(std::string_view array, F found) {
    array = array.substr(0, array.find(']'));
    for (std::size_t at = array.find('"'); at != std::string_view::npos; at = array.find('"', at)) {
        const std::size_t end = array.find('"', ++at);
        if (end == std::string_view::npos) return;
        found(array.substr(at, end - at));
        at = end + 1;
    }
}

/// Calls `found` with each id under that name, wherever it stands: a string, the strings of an array, or the `id` of an
/// object. Text within strings is never taken for a name: its quotes are escaped.
template <class F>
void each_id(std::string_view text, std::string_view name, F found) {
    for (std::size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
        std::size_t value = text.find_first_not_of(" \t\r\n", at + name.size());
        if (value == std::string_view::npos || text[value] != ':') continue;
        value = text.find_first_not_of(" \t\r\n", value + 1);
        if (value == std::string_view::npos) return;
        const std::string_view rest = text.substr(value);
        if (rest.starts_with('"')) found(rest.substr(1, rest.find('"', 1) - 1));
        if (rest.starts_with('[')) each_string(rest, found);
        if (rest.starts_with('{')) found(wire::text_member(rest.substr(0, rest.find('}')), "\"id\""));
    }
}

/// The first id under that name, or empty.
std::string_view id_under(std::string_view text, std::string_view name) {
    std::string_view first;
    each_id(text, name, [&](std::string_view id) {
        if (first.empty()) first = id;
    });
    return first;
}

void bind(Exchange& x, const upstream::Binding& binding) {
    const upstream::Version* version = x.tables->catalog.version_of(binding.account);
    if (version == nullptr) return;  // the configuration has it no more: the request takes its chance
    for (const upstream::Account& account : version->accounts) {
        if (account.name != binding.account) continue;
        x.selection.version = version;
        x.ask.bound = account.state.get();
        x.ask.only_bound = true;
    }
}

}  // namespace

void remember_resource(Exchange& x, std::string_view id) {
    if (id.empty() || !x.tables->has_choice || x.endpoint->resource != wire::Resource::made || !x.body.store) return;
    const upstream::Account& account = *x.attempt().account;
    x.worker.shared.affinity.remember(owner_of(x), id, {account.name, x.selection.version->version});
}

bool remember_told(Exchange& x, std::string_view text) {
    if (!x.tables->has_choice || x.endpoint->resource == wire::Resource::none) return false;
    upstream::AffinityTable& table = x.worker.shared.affinity;
    bool told = false;
    for (const std::string_view name : kToldFields) {
        // The answer of a model tells of the containers that its tools worked in, and of nothing else that is new.
        if (x.endpoint->terminal != wire::Terminal::none && name != "\"container_id\"") continue;
        each_id(text, name, [&](std::string_view id) {
            if (id.empty() || id.size() > kLongestId) return;
            told = true;
            // Whoever waits for a batch asks again and again: only what is new is written.
            if (table.find(owner_of(x), id)) return;
            table.remember(owner_of(x), id, {x.attempt().account->name, x.selection.version->version});
        });
    }
    return told;
}

bool may_tell(const Exchange& x, std::string_view content_type) noexcept {
    return x.tables->has_choice && x.endpoint->resource == wire::Resource::named &&
           (x.request.method == "GET" || x.request.method == "POST") && content_type.starts_with("application/json") &&
           !x.rest_path.ends_with("/content");
}

void forget_resource(Exchange& x) {
    if (x.tables->has_choice) x.worker.shared.affinity.forget(owner_of(x), x.path_id);
}

namespace {

/// The id by which a request names such a thing; empty when it names none.
std::string_view named_resource(const Exchange& x) noexcept {
    if (!x.tables->has_choice) return {};
    if (x.endpoint->resource == wire::Resource::named) return x.path_id;
    if (!x.body.previous_response.empty()) return x.body.previous_response;
    if (x.endpoint->body != wire::BodyTreatment::json) return {};
    // The cheap gate: ids are under names that end so, and most bodies have none of them.
    const bool gate = x.body.text.find("_id") != std::string_view::npos ||
                      x.body.text.find("_file\"") != std::string_view::npos ||
                      x.body.text.find("\"con") != std::string_view::npos;
    if (!gate) return {};
    for (const std::string_view name : kIdFields) {
        if (const std::string_view id = id_under(x.body.text, name); !id.empty()) return id;
    }
    return {};
}

}  // namespace

bool find_resource(Exchange& x) {
    const std::string_view id = named_resource(x);
    if (id.empty()) return true;
    const std::optional<upstream::Binding> binding = x.worker.shared.affinity.find(owner_of(x), id);
    if (binding) {
        bind(x, *binding);
    } else if (x.turn != nullptr && !x.turn->pinned_to.empty() && id == x.body.previous_response) {
        // Stored nowhere: the connection that is kept for this conversation brought it.
        bind(x, {.account = x.turn->pinned_to, .version = {}});
        return true;
    }
    return binding.has_value();
}

Awaitable<void> load_resource(Exchange& x) {
    std::string owner(owner_of(x)), name(named_resource(x));
    const core::Result<std::optional<upstream::Binding>> binding =
        co_await x.worker.shared.affinity.find_or_load(x.worker.net, std::move(owner), std::move(name));
    if (!binding) {
        core::log(core::LogLevel::warn, "where a resource lives could not be looked up",
                  {{"request", x.id.view()}, {"reason", binding.error().detail}});
    } else if (*binding) {
        bind(x, **binding);
    }
}

}  // namespace oai::gateway
