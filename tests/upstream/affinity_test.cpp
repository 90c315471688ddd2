#include "upstream/affinity.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "core/log.hpp"
#include "store/open.hpp"
#include "store/temporary_folder.hpp"

using namespace oai;
using namespace oai::upstream;
using namespace std::chrono_literals;
using core::Result;

namespace {

std::unique_ptr<store::Store> opened(const std::string& url) {
    Result<std::unique_ptr<store::Store>> store = store::open(url);
    REQUIRE(store);
    return *std::move(store);
}

/// Work for the background, done when the test says so.
struct Tasks {
    std::vector<std::function<void()>> all;
    bool at_once = false;
    net::Post post() {
        return [this](std::function<void()> task) {
            if (at_once)
                task();
            else
                all.push_back(std::move(task));
        };
    }
    std::size_t run() {
        std::vector<std::function<void()>> now;
        now.swap(all);
        for (const auto& task : now) task();
        return now.size();
    }
};

const net::Post kAtOnce = [](const std::function<void()>& task) { task(); };

/// A store that can be made to fail, and counts what it is asked.
struct Flaky final : store::AffinityStore {
    explicit Flaky(store::AffinityStore& behind) : inner(behind) {}
    Result<void> put(std::span<const store::Affinity> affinities) override {
        largest = std::max(largest, affinities.size());
        if (failing) return failure();
        return inner.put(affinities);
    }
    Result<std::optional<store::Affinity>> get(std::string_view owner, std::string_view id) override {
        ++gets;
        if (failing) return failure();
        return inner.get(owner, id);
    }
    Result<void> remove(std::string_view owner, std::string_view id) override {
        if (failing) return failure();
        return inner.remove(owner, id);
    }
    Result<std::vector<store::Affinity>> latest(std::size_t most) override { return inner.latest(most); }
    Result<std::size_t> purge(core::WallTime limit, std::size_t most) override { return inner.purge(limit, most); }

    static core::Error failure() { return core::Error{.code = core::Code::io_failed, .detail = "disk full"}; }

    store::AffinityStore& inner;
    bool failing = false;
    int gets = 0;
    std::size_t largest = 0;
};

net::Awaitable<void> ask(AffinityTable& table, net::Worker& worker, std::string owner, std::string id,
                         Result<std::optional<Binding>>& answer) {
    answer = co_await table.find_or_load(worker, owner, id);
}

Result<std::optional<Binding>> found_or_loaded(AffinityTable& table, const std::string& owner, const std::string& id) {
    net::Worker worker("test");
    Result<std::optional<Binding>> answer = core::Error{.detail = "not run"};
    worker.spawn(ask(table, worker, owner, id, answer));
    worker.stop();
    worker.run();
    CHECK(worker.escaped_exceptions() == 0);
    return answer;
}

std::size_t stored(store::Store& store) {
    return store.affinities().latest(1'000'000)->size();
}

}  // namespace

TEST_CASE("a resource is found by its own owner only, and forgotten when it is deleted") {
    const auto store = opened("memory:");
    const core::ManualClock clock;
    AffinityTable table(store->affinities(), kAtOnce, clock);
    table.remember("key_a", "file-1", {"a1", "v1"});
    table.remember("key_b", "file-1", {"a2", "v2"});
    CHECK(table.find("key_a", "file-1") == Binding{"a1", "v1"});
    CHECK(table.find("key_b", "file-1") == Binding{"a2", "v2"});
    for (const auto& [owner, id] : {std::pair{"key_c", "file-1"},
                                    {"key_a", "file-2"},
                                    {"", "file-1"},
                                    {"key_afile-1", ""},
                                    {"key_", "afile-1"}}) {
        CHECK_FALSE(table.find(owner, id));
        CHECK_FALSE(found_or_loaded(table, owner, id)->has_value());
    }
    table.remember("key_a", "file-1", {"a3", "v1"});
    CHECK(table.find("key_a", "file-1") == Binding{"a3", "v1"});
    CHECK(table.size() == 2);
    table.forget("key_a", "file-1");
    table.forget("key_a", "file-1");
    CHECK_FALSE(table.find("key_a", "file-1"));
    CHECK_FALSE(found_or_loaded(table, "key_a", "file-1")->has_value());
    CHECK(table.find("key_b", "file-1"));
    CHECK(stored(*store) == 1);
}

TEST_CASE("the memory is bounded: what was not used for the longest time goes first, and is loaded again") {
    const auto store = opened("memory:");
    const core::ManualClock clock;
    Flaky counted(store->affinities());
    AffinityTable table(counted, kAtOnce, clock, {.entries = 3});
    for (const char* id : {"a", "b", "c"}) table.remember("k", id, {id, "v"});
    CHECK(table.find("k", "a"));  // so "b" is the oldest
    table.remember("k", "d", {"d", "v"});
    CHECK(table.size() == 3);
    CHECK_FALSE(table.find("k", "b"));
    for (const char* id : {"a", "c", "d"}) CHECK(table.find("k", id));
    CHECK(**found_or_loaded(table, "k", "a") == Binding{"a", "v"});
    CHECK(counted.gets == 0);
    CHECK(**found_or_loaded(table, "k", "b") == Binding{"b", "v"});
    CHECK(counted.gets == 1);
    CHECK(**found_or_loaded(table, "k", "b") == Binding{"b", "v"});
    CHECK(counted.gets == 1);
    CHECK(table.size() == 3);
}

TEST_CASE("a large table stays within its bound however its entries spread") {
    const auto store = opened("memory:");
    const core::ManualClock clock;
    Tasks never;
    AffinityTable table(store->affinities(), never.post(), clock, {.entries = 5'000, .waiting = 0});
    for (int i = 0; i < 20'000; ++i) table.remember("k" + std::to_string(i % 3), "id-" + std::to_string(i), {"a", "v"});
    CHECK(table.size() <= 5'000);
    CHECK(table.size() > 4'900);
    CHECK(table.dropped() == 20'000);
}

TEST_CASE("changes go to the store in batches, by one task at a time") {
    const auto store = opened("memory:");
    const core::ManualClock clock;
    Tasks background;
    Flaky counted(store->affinities());
    AffinityTable table(counted, background.post(), clock);
    for (int i = 0; i < 2'500; ++i) table.remember("k", std::to_string(i), {"a", "v"});
    table.forget("k", "7");
    CHECK(background.all.size() == 1);
    CHECK(stored(*store) == 0);
    CHECK(background.run() == 1);
    CHECK(stored(*store) == 2'499);
    CHECK(counted.largest == 1'000);
    table.forget("k", "8");
    table.remember("k", "7", {"a", "v"});
    CHECK(background.run() == 1);
    CHECK(stored(*store) == 2'499);
    CHECK(background.run() == 0);
}

TEST_CASE("what was remembered is there after a restart, the last used first") {
    const TemporaryFolder folder;
    const std::string url = "sqlite:" + (folder / "a.db");
    core::ManualClock clock;
    {
        const auto store = opened(url);
        AffinityTable table(store->affinities(), kAtOnce, clock);
        for (const char* id : {"a", "b", "c", "d"}) {
            clock.advance(1s);
            table.remember("k", id, {std::string("account-") + id, "v1"});
        }
        clock.advance(1h);
        CHECK(table.find("k", "b"));
    }
    const auto store = opened(url);
    AffinityTable table(store->affinities(), kAtOnce, clock, {.entries = 2});
    CHECK(*table.load() == 2);
    CHECK(table.size() == 2);
    table.remember("k", "e", {"account-e", "v1"});  // pushes out "d": "b" was used after it
    CHECK(table.find("k", "b") == Binding{"account-b", "v1"});
    CHECK_FALSE(table.find("k", "d"));
    CHECK(**found_or_loaded(table, "k", "d") == Binding{"account-d", "v1"});
    CHECK(**found_or_loaded(table, "k", "c") == Binding{"account-c", "v1"});
    CHECK(store->affinities().get("k", "b")->value().created_at <
          store->affinities().get("k", "c")->value().created_at);
}

TEST_CASE("a resource in use is written once in a while, and one that is not is purged") {
    const auto store = opened("memory:");
    core::ManualClock clock;
    Tasks background;
    AffinityTable table(store->affinities(), background.post(), clock, {.keep = 10h, .touch = 1h});
    table.remember("k", "used", {"a", "v"});
    table.remember("k", "idle", {"a", "v"});
    CHECK(background.run() == 1);
    int writes = 0;
    for (int minute = 0; minute < 600; ++minute) {
        clock.advance(60s);
        CHECK(table.find("k", "used"));
        writes += static_cast<int>(background.run());
    }
    CHECK(writes == 10);
    CHECK(*table.purge() == 0);  // "idle" was used exactly as long ago as is kept
    clock.advance(1us);
    CHECK(*table.purge() == 1);
    CHECK(store->affinities().get("k", "used")->has_value());
    CHECK_FALSE(store->affinities().get("k", "idle")->has_value());
}

TEST_CASE("more than one step of purging is done in one call") {
    const auto store = opened("memory:");
    core::ManualClock clock;
    AffinityTable table(store->affinities(), [](const auto&) {}, clock, {.keep = 1h});
    for (int i = 0; i < 2'000; ++i) table.remember("k", std::to_string(i), {"a", "v"});
    REQUIRE(table.flush());
    clock.advance(2h);
    CHECK(*table.purge() == 2'000);
}

TEST_CASE("a store that fails loses nothing until too much waits") {
    core::set_log_level(core::LogLevel::off);
    const auto store = opened("memory:");
    const core::ManualClock clock;
    Tasks background;
    Flaky flaky(store->affinities());
    AffinityTable table(flaky, background.post(), clock, {.entries = 3, .waiting = 5});
    table.remember("k", "gone", {"a", "v"});
    background.run();
    flaky.failing = true;
    table.forget("k", "gone");
    for (const char* id : {"1", "2", "3", "4"}) table.remember("k", id, {"old", "v"});
    CHECK(background.run() == 1);
    table.remember("k", "2", {"new", "v"});
    table.remember("k", "5", {"a", "v"});  // the sixth change
    CHECK(table.dropped() == 1);
    CHECK(background.run() == 1);
    CHECK(stored(*store) == 1);
    CHECK(table.find("k", "5"));
    CHECK_FALSE(table.flush());

    // Pushed out of the memory, not written yet, and found all the same.
    CHECK_FALSE(table.find("k", "1"));
    background.at_once = true;
    CHECK(**found_or_loaded(table, "k", "1") == Binding{"old", "v"});
    CHECK_FALSE(found_or_loaded(table, "k", "gone")->has_value());
    CHECK(found_or_loaded(table, "k", "unknown").error().detail == "disk full");

    flaky.failing = false;
    CHECK(table.flush());
    CHECK(stored(*store) == 4);
    CHECK(store->affinities().get("k", "2")->value().account == "new");
    CHECK_FALSE(store->affinities().get("k", "gone")->has_value());
    CHECK(table.flush());
    core::set_log_level(core::LogLevel::info);
}

TEST_CASE("workers read and write at once while the background writes") {
    constexpr int kThreads = 4, kRounds = 2'000;
    const TemporaryFolder folder;
    const std::string url = "sqlite:" + (folder / "a.db");
    const auto store = opened(url);
    std::atomic<int> wrong = 0;
    {
        net::Worker background("store");
        background.start();
        const net::Post post = [&background](std::function<void()> task) { background.post(std::move(task)); };
        // Smaller than what is written, so that entries are pushed out under the readers.
        AffinityTable table(store->affinities(), post, core::system_clock(), {.entries = 3'000});
        {
            std::vector<std::jthread> threads;
            for (int t = 0; t < kThreads; ++t)
                threads.emplace_back([&table, &wrong, t] {
                    const std::string owner = "k" + std::to_string(t), account = "a" + std::to_string(t);
                    for (int i = 0; i < kRounds; ++i) {
                        table.remember(owner, std::to_string(i), {account, "v"});
                        // None when others pushed it out just now; never somebody else's.
                        for (const int of : {t, (t + 1) % kThreads}) {
                            const auto found = table.find("k" + std::to_string(of), std::to_string(i));
                            if (found && found->account != "a" + std::to_string(of)) ++wrong;
                        }
                        if (i % 4 == 0) table.forget(owner, std::to_string(i));
                    }
                });
        }
        REQUIRE(table.flush());
        CHECK(table.size() <= 3'000);
        CHECK(table.dropped() == 0);
        background.stop();
        background.join();
    }
    CHECK(wrong == 0);
    CHECK(stored(*opened(url)) == kThreads * kRounds * 3 / 4);
}
