#include "store/lease.hpp"

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "store/open.hpp"
#include "store/temporary_folder.hpp"

using namespace oai::store;
using namespace std::chrono_literals;
using oai::core::WallTime;

TEST_CASE("a lease is one holder's until it is released or runs out") {
    const auto store = *open("memory:");
    SettingsStore& settings = store->settings();
    const WallTime now(1'000'000s);
    CHECK(*take_lease(settings, "l", "a", now, 30s));
    CHECK_FALSE(*take_lease(settings, "l", "b", now, 30s));
    CHECK(*take_lease(settings, "other", "b", now, 30s));
    CHECK_FALSE(*take_lease(settings, "l", "b", now + 30s - 1us, 30s));
    CHECK(*take_lease(settings, "l", "a", now + 20s, 30s));  // it lasts from now
    CHECK_FALSE(*take_lease(settings, "l", "b", now + 30s, 30s));
    CHECK(*take_lease(settings, "l", "b", now + 50s, 30s));
    CHECK(release_lease(settings, "l", "a"));  // not a's any more
    CHECK_FALSE(*take_lease(settings, "l", "a", now + 51s, 30s));
    CHECK(release_lease(settings, "l", "b"));
    CHECK(*take_lease(settings, "l", "a", now + 51s, 30s));
    CHECK(release_lease(settings, "never", "a"));
    CHECK_FALSE(settings.get("never")->has_value());
}

TEST_CASE("a clock that was set back makes no lease last") {
    const auto store = *open("memory:");
    const WallTime now(1'000'000s);
    CHECK(*take_lease(store->settings(), "l", "a", now, 30s));
    CHECK(*take_lease(store->settings(), "l", "b", now - 1h, 30s));
}

TEST_CASE("of many that want a lease at once one gets it") {
    const TemporaryFolder folder;
    for (int round = 0; round < 10; ++round) {
        std::vector<std::string> got(4);
        {
            std::vector<std::jthread> threads;
            for (std::string& answer : got)
                threads.emplace_back([&answer, &folder, round] {
                    const auto store = open("sqlite:" + (folder / "a.db"));
                    const std::string holder = std::to_string(reinterpret_cast<std::uintptr_t>(&answer));
                    const auto taken =
                        take_lease((*store)->settings(), std::to_string(round), holder, WallTime(1h), 30s);
                    answer = taken ? (*taken ? "yes" : "no") : taken.error().detail;
                });
        }
        CHECK(std::count(got.begin(), got.end(), "yes") == 1);
        CHECK(std::count(got.begin(), got.end(), "no") == 3);
    }
}
