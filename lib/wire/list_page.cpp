#include "wire/list_page.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_set>

#include "json/edit.hpp"
#include "json/writer.hpp"

namespace oai::wire {

using core::Result;

namespace {

bool is_before(std::int64_t a, std::int64_t b, bool oldest_first) noexcept {
    return oldest_first ? a < b : a > b;
}

void append_id(std::string& out, const MergedList& list, bool first) {
    if (list.items.empty()) {
        out += "null";
    } else {
        json::append_quoted(out, (first ? list.items.front() : list.items.back()).item->id);
    }
}

}  // namespace

std::optional<std::int64_t> created_at_of(json::Padded object, json::Scanner& scanner) {
    static constexpr std::array<std::string_view, 2> names{"created_at", "created"};
    std::array<json::Member, names.size()> found;
    if (!scanner.members(object, names, found)) return std::nullopt;
    return found[0].integer() ? found[0].integer() : found[1].integer();
}

Result<ListPage> read_list_page(json::Padded body, json::Scanner& scanner) {
    static constexpr std::array<std::string_view, 2> names{"data", "has_more"};
    std::array<json::Member, names.size()> found;
    if (Result<void> read = scanner.members(body, names, found); !read) return read.error();
    if (found[0].kind != json::Kind::array)
        return core::Error{.code = core::Code::upstream_malformed,
                           .source = core::Source::upstream,
                           .detail = "the upstream's list has no data"};
    ListPage page{.items = {}, .has_more = found[1].boolean().value_or(false)};
    for (const std::string_view text : json::elements(found[0].raw)) {
        static constexpr std::array<std::string_view, 1> id_name{"id"};
        std::array<json::Member, 1> id;
        // A part of a padded text is padded by what follows it.
        const Result<void> read = scanner.members(json::Padded{text}, id_name, id);
        ListItem item{.text = text, .id = read ? id[0].plain_string() : std::string_view{}};
        const std::int64_t before = page.items.empty() ? 0 : page.items.back().created_at;
        item.created_at = created_at_of(json::Padded{text}, scanner).value_or(before);
        page.items.push_back(item);
    }
    return page;
}

bool comes_behind(const ListItem& item, std::size_t source, const ListCursor& cursor, bool oldest_first) noexcept {
    if (item.id == cursor.id) return false;
    if (item.created_at != cursor.created_at) return is_before(cursor.created_at, item.created_at, oldest_first);
    return source > cursor.source;
}

MergedList merge_lists(std::span<const ListPage> pages, std::size_t limit, bool oldest_first) {
    MergedList merged;
    std::vector<std::size_t> next(pages.size(), 0);
    std::unordered_set<std::string_view> seen;
    while (merged.items.size() < limit) {
        std::optional<std::size_t> best;
        for (std::size_t i = 0; i < pages.size(); ++i) {
            if (next[i] == pages[i].items.size()) {
                if (pages[i].has_more && next[i] != 0) {
                    merged.has_more = true;
                    return merged;
                }
                continue;
            }
            const std::int64_t time = pages[i].items[next[i]].created_at;
            if (!best || is_before(time, pages[*best].items[next[*best]].created_at, oldest_first)) best = i;
        }
        if (!best) break;
        const ListItem& item = pages[*best].items[next[*best]++];
        if (!item.id.empty() && !seen.insert(item.id).second) continue;
        merged.items.push_back({&item, *best});
    }
    for (std::size_t i = 0; i < pages.size(); ++i) {
        const std::span<const ListItem> left = std::span(pages[i].items).subspan(next[i]);
        const auto is_new = [&](const ListItem& item) { return item.id.empty() || !seen.contains(item.id); };
        merged.has_more = merged.has_more || pages[i].has_more || std::ranges::any_of(left, is_new);
    }
    return merged;
}

std::string list_body(const MergedList& list) {
    std::string out = R"({"object":"list","data":[)";
    for (const MergedItem& merged : list.items) {
        if (&merged != &list.items.front()) out += ',';
        out += merged.item->text;
    }
    out += R"(],"first_id":)";
    append_id(out, list, true);
    out += R"(,"last_id":)";
    append_id(out, list, false);
    out += list.has_more ? R"(,"has_more":true})" : R"(,"has_more":false})";
    return out;
}

}  // namespace oai::wire
