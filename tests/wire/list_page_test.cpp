#include "wire/list_page.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace oai;
using namespace oai::wire;

namespace {

struct Thing {
    const char* id;
    std::int64_t created_at;
};

ListPage page(const std::vector<Thing>& things, bool has_more) {
    ListPage made{.items = {}, .has_more = has_more};
    for (const Thing& thing : things)
        made.items.push_back({.text = {}, .id = thing.id, .created_at = thing.created_at});
    return made;
}

std::string ids(const MergedList& list) {
    std::string text;
    for (const MergedItem& item : list.items) text += std::string(text.empty() ? "" : " ") + std::string(item.item->id);
    return text + (list.has_more ? " +" : "");
}

}  // namespace

TEST_CASE("a page is read as it stands, whatever is in its objects") {
    json::Scanner scanner;
    const std::string text =
        R"({"object":"list", "data" : [ {"id":"a","created_at":5,"note":"],{"} , {"id":"b","created":7,"in":{"id":"x"}},)"
        R"({"id":"c"},{"object":"none"} ],"has_more":true})";
    const auto read = read_list_page(scanner.copy(text), scanner);
    REQUIRE(read);
    CHECK(read->has_more);
    REQUIRE(read->items.size() == 4);
    CHECK(read->items[0].text == R"({"id":"a","created_at":5,"note":"],{"})");
    CHECK(read->items[0].created_at == 5);
    CHECK(read->items[1].id == "b");
    CHECK(read->items[1].created_at == 7);
    CHECK(read->items[2].created_at == 7);  // as the one before it
    CHECK(read->items[3].id.empty());
    for (const char* bad : {"", "[]", "{}", R"({"data":{}})", R"({"data":[1})"}) {
        CAPTURE(bad);
        CHECK_FALSE(read_list_page(scanner.copy(bad), scanner));
    }
    CHECK(read_list_page(scanner.copy(R"({"data":[]})"), scanner)->items.empty());
}

TEST_CASE("lists are merged by time, up to where all of them are known") {
    struct Row {
        const char* name;
        std::vector<Thing> a, b;
        bool a_more, b_more;
        std::size_t limit;
        bool oldest_first;
        const char* want;
    };
    const Row rows[] = {
        {"nothing", {}, {}, false, false, 3, false, ""},
        {"one has all", {{"a2", 2}, {"a1", 1}}, {}, false, false, 3, false, "a2 a1"},
        {"newest first", {{"a5", 5}, {"a1", 1}}, {{"b4", 4}, {"b0", 0}}, false, false, 9, false, "a5 b4 a1 b0"},
        {"oldest first", {{"a1", 1}, {"a5", 5}}, {{"b0", 0}, {"b4", 4}}, false, false, 9, true, "b0 a1 b4 a5"},
        {"cut at the limit", {{"a5", 5}, {"a1", 1}}, {{"b4", 4}, {"b0", 0}}, false, false, 2, false, "a5 b4 +"},
        {"all of it is no more", {{"a5", 5}}, {{"b4", 4}}, false, false, 2, false, "a5 b4"},
        {"more at one", {{"a5", 5}}, {{"b4", 4}}, true, false, 1, false, "a5 +"},
        {"what follows a5 may be newer than b4", {{"a5", 5}}, {{"b4", 4}, {"b3", 3}}, true, false, 9, false, "a5 +"},
        {"what follows b4 is older than a5", {{"a5", 5}, {"a4", 4}}, {{"b4", 4}}, false, true, 9, false, "a5 a4 b4 +"},
        {"an empty page with more says nothing", {}, {{"b4", 4}}, true, false, 9, false, "b4 +"},
        {"one second: by the lists", {{"a5", 5}, {"a6", 5}}, {{"b5", 5}}, false, false, 9, false, "a5 a6 b5"},
        {"one id in both", {{"s", 5}, {"a1", 1}}, {{"s", 5}, {"b0", 0}}, false, false, 9, false, "s a1 b0"},
        {"one id in both is no more", {{"s", 5}}, {{"s", 5}}, false, false, 1, false, "s"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const std::vector<ListPage> pages{page(row.a, row.a_more), page(row.b, row.b_more)};
        CHECK(ids(merge_lists(pages, row.limit, row.oldest_first)) == row.want);
    }
}

TEST_CASE("an item is behind a cursor by time, then by its list; never the cursor itself") {
    struct Row {
        Thing item;
        std::size_t source;
        bool oldest_first, want;
    };
    const ListCursor cursor{.id = "c", .created_at = 5, .source = 1};
    const Row rows[] = {
        {{"x", 4}, 0, false, true}, {{"x", 6}, 0, false, false}, {{"x", 4}, 0, true, false},
        {{"x", 6}, 0, true, true},  {{"x", 5}, 0, false, false}, {{"x", 5}, 2, false, true},
        {{"x", 5}, 2, true, true},  {{"c", 5}, 2, false, false}, {{"c", 4}, 2, false, false},
    };
    for (const Row& row : rows) {
        CAPTURE(row.item.id);
        CAPTURE(row.item.created_at);
        CAPTURE(row.source);
        CAPTURE(row.oldest_first);
        const ListItem item{.text = {}, .id = row.item.id, .created_at = row.item.created_at};
        CHECK(comes_behind(item, row.source, cursor, row.oldest_first) == row.want);
    }
}

TEST_CASE("a merged list looks like any list, its items as they came") {
    const ListItem a{.text = R"({ "id":"a" })", .id = "a", .created_at = 1};
    const ListItem b{.text = R"({"id":"b","x":"\u00e9"})", .id = "b", .created_at = 1};
    CHECK(
        list_body(MergedList{.items = {{&a, 0}, {&b, 1}}, .has_more = true}) ==
        R"({"object":"list","data":[{ "id":"a" },{"id":"b","x":"\u00e9"}],"first_id":"a","last_id":"b","has_more":true})");
    CHECK(list_body({}) == R"({"object":"list","data":[],"first_id":null,"last_id":null,"has_more":false})");
}
