#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "json/scanner.hpp"

namespace oai::wire {

/// One object of a list.
struct ListItem {
    std::string_view text;        ///< as it came
    std::string_view id;          ///< empty: it has none, or one with escapes
    std::int64_t created_at = 0;  ///< seconds; of one that does not say, the time of the item before it
};

/// One page of a list: `{"object":"list","data":[...],"has_more":...}`.
struct ListPage {
    std::vector<ListItem> items;
    bool has_more = false;
};

/// Views point into `body`. Errors: it is no such list.
core::Result<ListPage> read_list_page(json::Padded body, json::Scanner& scanner);
/// When an object was made, by its `created_at` or `created`; empty when it does not say.
std::optional<std::int64_t> created_at_of(json::Padded object, json::Scanner& scanner);

/// An item of a merged list, and which of the lists it comes from.
struct MergedItem {
    const ListItem* item = nullptr;
    std::size_t source = 0;
};
struct MergedList {
    std::vector<MergedItem> items;
    bool has_more = false;
};

/// Where a merged list goes on: behind the item with that id, which was made then and is in that list.
struct ListCursor {
    std::string id;
    std::int64_t created_at = 0;
    std::size_t source = 0;
};
/// Whether an item of list `source` comes behind the cursor. Lists are ordered by time; items of one second by the
/// order of the lists, and within one list as they stand there.
bool comes_behind(const ListItem& item, std::size_t source, const ListCursor& cursor, bool oldest_first) noexcept;

/// The first `limit` items of all pages together. Each page is ordered, and holds what comes first of its list: where
/// one with more to come is used up, the merged list ends too, since nobody knows what would be next. An id that
/// several lists have stands once. The pages must outlive the answer.
MergedList merge_lists(std::span<const ListPage> pages, std::size_t limit, bool oldest_first);

/// `{"object":"list","data":[...],"first_id":...,"last_id":...,"has_more":...}`, the items as they came.
std::string list_body(const MergedList& list);

}  // namespace oai::wire
