#include "wire/model_edit.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "http/sse.hpp"
#include "json/writer.hpp"

namespace oai::wire {

std::string quoted_model(std::string_view name) {
    std::string quoted;
    json::append_quoted(quoted, name);
    return quoted;
}

json::Member find_model(json::Padded answer, std::string_view upstream, json::Scanner& scanner) {
    static constexpr std::array<std::string_view, 2> names{"model", "response"};
    std::array<json::Member, 2> found;
    if (!scanner.members(answer, names, found)) return {};
    if (found[0].is_text(upstream)) return found[0];
    const json::Member response = found[1];
    if (!scanner.members(response, names, found) || !found[0].is_text(upstream)) return {};
    return found[0];
}

bool may_name_model(std::string_view bytes, std::string_view quoted_upstream) noexcept {
    // Not find(): it stops at every byte like the first, and in JSON a quote is every tenth one.
    return ::memmem(bytes.data(), bytes.size(), quoted_upstream.data(), quoted_upstream.size()) != nullptr;
}

std::string map_model_back(std::string_view events, std::string_view upstream, std::string_view quoted_client,
                           json::Scanner& scanner) {
    std::string out;
    out.reserve(events.size() + quoted_client.size());
    const std::string quoted_upstream = quoted_model(upstream);
    const char* copied = events.data();
    http::SseReader reader;
    const core::Result<void> read = reader.feed(events, [&](const http::SseEvent& event) {
        if (!event.data_in_feed || !may_name_model(event.data, quoted_upstream)) return;
        const json::Padded copy = scanner.copy(event.data);
        const json::Member model = find_model(copy, upstream, scanner);
        if (!model.present()) return;
        const char* at = event.data.data() + (model.raw.data() - copy.text.data());
        out.append(copied, at);
        out += quoted_client;
        copied = at + model.raw.size();
    });
    if (!read) return std::string(events);
    out.append(copied, events.data() + events.size());
    return out;
}

}  // namespace oai::wire
