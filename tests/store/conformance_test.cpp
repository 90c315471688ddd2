// What every backend must do alike. A new backend is a row in `backends`; a new rule is a row in `rules`.

#include <algorithm>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "crypto/hash.hpp"
#include "store/open.hpp"
#include "store/temporary_folder.hpp"

using namespace oai::store;
using namespace std::chrono_literals;
using oai::core::Code;
using oai::core::Result;
using oai::core::WallTime;

namespace {

struct Backend {
    const char* name;
    bool durable;  ///< a second opening sees what the first one wrote
    std::string url;
};

std::unique_ptr<Store> opened(const Backend& backend) {
    Result<std::unique_ptr<Store>> store = open(backend.url);
    REQUIRE_MESSAGE(store, (store ? "" : store.error().detail));
    return *std::move(store);
}

ClientKey key_of(const std::string& name, std::chrono::microseconds created_at = 1us) {
    return ClientKey{
        .id = "key_" + name, .name = name, .hash = oai::crypto::sha256(name), .created_at = WallTime(created_at)};
}

ClientKey full_key() {
    ClientKey key = key_of("full", 1'750'000'000'123'456us);
    key.status = KeyStatus::disabled;
    key.expires_at = WallTime(1'850'000'000'654'321us);
    key.group = "team \"a\"; DROP TABLE client_key; --";
    key.models = {"gpt-*", "o\"1\\", "模型", ""};
    return key;
}

std::vector<std::string> names_of(KeyStore& keys) {
    std::vector<std::string> names;
    Result<std::vector<ClientKey>> all = keys.list();
    REQUIRE(all);
    for (const ClientKey& key : *all) names.push_back(key.name);
    return names;
}

ClientKey found(KeyStore& keys, std::string_view name) {
    Result<std::optional<ClientKey>> key = keys.find_by_name(name);
    REQUIRE(key);
    REQUIRE(key->has_value());
    return **key;
}

void starts_empty(const Backend& backend) {
    const auto store = opened(backend);
    CHECK_FALSE(store->name().empty());
    CHECK(names_of(store->keys()).empty());
    CHECK_FALSE(store->keys().find_by_name("a")->has_value());
    CHECK_FALSE(store->settings().get("a")->has_value());
}

void keeps_every_field_of_a_key(const Backend& backend) {
    const auto store = opened(backend);
    const ClientKey plain = key_of("plain"), full = full_key();
    REQUIRE(store->keys().add(plain));
    REQUIRE(store->keys().add(full));
    CHECK(found(store->keys(), "plain") == plain);
    CHECK(found(store->keys(), "full") == full);
    CHECK(*store->keys().list() == std::vector<ClientKey>{plain, full});
    CHECK_FALSE(store->keys().find_by_name("Plain")->has_value());
    CHECK_FALSE(store->keys().find_by_name("plai")->has_value());
    CHECK_FALSE(store->keys().find_by_name("")->has_value());
    CHECK_FALSE(store->keys().find_by_name("%")->has_value());
}

void keeps_times_to_the_microsecond(const Backend& backend) {
    const auto store = opened(backend);
    ClientKey key = key_of("a");
    key.created_at = WallTime(1'999ns);
    key.expires_at = WallTime(-1ns);
    REQUIRE(store->keys().add(key));
    CHECK(found(store->keys(), "a").created_at == WallTime(1us));
    CHECK(found(store->keys(), "a").expires_at == WallTime(-1us));
}

void lists_by_time_then_id(const Backend& backend) {
    const auto store = opened(backend);
    for (const ClientKey& key :
         {key_of("c", 2us), key_of("b", 3us), key_of("d", 2us), key_of("a", 2us), key_of("z", -5us)})
        REQUIRE(store->keys().add(key));
    CHECK(names_of(store->keys()) == std::vector<std::string>{"z", "a", "c", "d", "b"});
}

void refuses_what_is_taken(const Backend& backend) {
    const auto store = opened(backend);
    const ClientKey first = key_of("a");
    REQUIRE(store->keys().add(first));
    ClientKey same_id = key_of("b"), same_name = key_of("c"), same_hash = key_of("d"), no_id = key_of("e"),
              no_name = key_of("f");
    same_id.id = first.id;
    same_name.name = first.name;
    same_hash.hash = first.hash;
    no_id.id.clear();
    no_name.name.clear();
    struct Row {
        const ClientKey& key;
        const char* want;
    };
    const Row rows[] = {
        {same_id, "key \"b\": there is one of that id already"},
        {same_name, "key \"a\": there is one of that name already"},
        {same_hash, "key \"d\": another key has the same value"},
        {first, "key \"a\": there is one of that id already"},
        {no_id, "a key needs an id"},
        {no_name, "a key needs a name"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.want);
        const Result<void> added = store->keys().add(row.key);
        REQUIRE_FALSE(added);
        CHECK(added.error().code == Code::invalid_argument);
        CHECK(added.error().detail == row.want);
    }
    CHECK(*store->keys().list() == std::vector<ClientKey>{first});
    CHECK(store->keys().add(key_of("b")));  // a refusal leaves no lock behind
}

void changes_status_until_revoked(const Backend& backend) {
    const auto store = opened(backend);
    KeyStore& keys = store->keys();
    REQUIRE(keys.add(key_of("a")));
    REQUIRE(keys.add(key_of("b")));
    for (const KeyStatus status :
         {KeyStatus::disabled, KeyStatus::active, KeyStatus::disabled, KeyStatus::revoked, KeyStatus::revoked}) {
        CHECK(keys.set_status("key_a", status));
        CHECK(found(keys, "a").status == status);
    }
    for (const KeyStatus status : {KeyStatus::active, KeyStatus::disabled}) {
        const Result<void> back = keys.set_status("key_a", status);
        REQUIRE_FALSE(back);
        CHECK(back.error().code == Code::invalid_argument);
    }
    CHECK(found(keys, "a").status == KeyStatus::revoked);
    CHECK(found(keys, "b").status == KeyStatus::active);
    const Result<void> unknown = keys.set_status("key_c", KeyStatus::active);
    REQUIRE_FALSE(unknown);
    CHECK(unknown.error().code == Code::not_found);
}

void counts_versions_of_a_setting(const Backend& backend) {
    const auto store = opened(backend);
    SettingsStore& settings = store->settings();
    CHECK(*settings.put("a", "x") == 1);
    CHECK(*settings.put("a", "y") == 2);
    CHECK(*settings.put("a", "y") == 3);
    CHECK(*settings.put("b", "z") == 1);
    CHECK(*settings.get("a") == Setting{"y", 3});
    CHECK(*settings.get("b") == Setting{"z", 1});
    CHECK_FALSE(settings.get("A")->has_value());
}

void puts_only_over_the_version_expected(const Backend& backend) {
    const auto store = opened(backend);
    SettingsStore& settings = store->settings();
    CHECK_FALSE(settings.put_if("a", "early", 1)->has_value());
    CHECK_FALSE(settings.get("a")->has_value());
    CHECK(**settings.put_if("a", "x", 0) == 1);
    CHECK_FALSE(settings.put_if("a", "again", 0)->has_value());
    CHECK(**settings.put_if("a", "y", 1) == 2);
    CHECK_FALSE(settings.put_if("a", "late", 1)->has_value());
    CHECK_FALSE(settings.put_if("a", "future", 3)->has_value());
    CHECK(*settings.get("a") == Setting{"y", 2});
    CHECK(*settings.put("a", "z") == 3);
}

void keeps_any_bytes_of_a_setting(const Backend& backend) {
    const auto store = opened(backend);
    SettingsStore& settings = store->settings();
    for (const std::string& value : {std::string(), std::string("a\0b", 3), std::string("'; DROP TABLE setting; --"),
                                     std::string("\xff\xfe"), std::string(1 << 20, 'x'), std::string("12")}) {
        REQUIRE(settings.put("v", value));
        CHECK(settings.get("v")->value().value == value);
    }
    CHECK(*settings.put("'; DROP TABLE setting; --", "x") == 1);
    CHECK(*settings.put("", "x") == 1);
    CHECK(settings.get("")->has_value());
}

Affinity affinity_of(const std::string& owner, const std::string& id, std::chrono::microseconds used_at = 5us) {
    return Affinity{.owner = owner,
                    .id = id,
                    .account = "a1",
                    .version = "v1",
                    .created_at = WallTime(1us),
                    .used_at = WallTime(used_at)};
}

void put(AffinityStore& affinities, const std::vector<Affinity>& batch) {
    const Result<void> done = affinities.put(batch);
    REQUIRE_MESSAGE(done, (done ? "" : done.error().detail));
}

std::vector<std::string> ids_of(AffinityStore& affinities, std::size_t most = 1000) {
    const Result<std::vector<Affinity>> latest = affinities.latest(most);
    REQUIRE(latest);
    std::vector<std::string> ids;
    for (const Affinity& affinity : *latest) ids.push_back(affinity.id);
    return ids;
}

void keeps_affinities_apart_by_owner(const Backend& backend) {
    const auto store = opened(backend);
    AffinityStore& affinities = store->affinities();
    const std::string strange("'; DROP TABLE affinity; --\0\xff", 28);
    Affinity theirs = affinity_of("key_b", "file-1");
    theirs.account = "a2";
    put(affinities, {affinity_of("key_a", "file-1"), theirs, affinity_of("key_a", strange), affinity_of("", "")});
    CHECK(**affinities.get("key_a", "file-1") == affinity_of("key_a", "file-1"));
    CHECK(**affinities.get("key_b", "file-1") == theirs);
    CHECK(**affinities.get("key_a", strange) == affinity_of("key_a", strange));
    CHECK(affinities.get("", "")->has_value());
    for (const auto& [owner, id] : {std::pair{"key_c", "file-1"},
                                    {"key_a", "file-2"},
                                    {"key_A", "file-1"},
                                    {"key_", "afile-1"},
                                    {"", "file-1"},
                                    {"key_a", ""},
                                    {"key_a", "%"}})
        CHECK_FALSE(affinities.get(owner, id)->has_value());
    REQUIRE(affinities.remove("key_a", "file-1"));
    REQUIRE(affinities.remove("key_a", "file-1"));
    CHECK_FALSE(affinities.get("key_a", "file-1")->has_value());
    CHECK(affinities.get("key_b", "file-1")->has_value());
}

void overwrites_an_affinity_but_not_its_latest_use(const Backend& backend) {
    const auto store = opened(backend);
    AffinityStore& affinities = store->affinities();
    put(affinities, {affinity_of("k", "f", 5us)});
    Affinity other = affinity_of("k", "f", 9us);
    other.account = "a2";
    other.version = "v2";
    other.created_at = WallTime(2'999ns);
    put(affinities, {other});
    other.created_at = WallTime(2us);
    CHECK(**affinities.get("k", "f") == other);
    put(affinities, {affinity_of("k", "f", 7us), affinity_of("k", "f", 3us)});
    CHECK(**affinities.get("k", "f") == affinity_of("k", "f", 9us));
    put(affinities, {});
    CHECK(ids_of(affinities) == std::vector<std::string>{"f"});
}

void gives_the_latest_affinities_first(const Backend& backend) {
    const auto store = opened(backend);
    AffinityStore& affinities = store->affinities();
    CHECK(ids_of(affinities).empty());
    put(affinities, {affinity_of("k", "b", 2us), affinity_of("j", "d", 4us), affinity_of("k", "a", -1us),
                     affinity_of("k", "c", 3us)});
    CHECK(ids_of(affinities) == std::vector<std::string>{"d", "c", "b", "a"});
    CHECK(ids_of(affinities, 2) == std::vector<std::string>{"d", "c"});
    CHECK(ids_of(affinities, 0).empty());
    CHECK(ids_of(affinities, std::string::npos).size() == 4);
}

void purges_what_was_not_used(const Backend& backend) {
    const auto store = opened(backend);
    AffinityStore& affinities = store->affinities();
    put(affinities, {affinity_of("k", "c", 3us), affinity_of("k", "a", 1us), affinity_of("k", "d", 4us),
                     affinity_of("k", "b", 2us)});
    CHECK(*affinities.purge(WallTime(1us), 10) == 0);
    CHECK(*affinities.purge(WallTime(4us), 0) == 0);
    CHECK(ids_of(affinities).size() == 4);
    CHECK(*affinities.purge(WallTime(4us), 2) == 2);  // the oldest two of three
    CHECK(ids_of(affinities) == std::vector<std::string>{"d", "c"});
    CHECK(*affinities.purge(WallTime(4us), std::string::npos) == 1);
    CHECK(ids_of(affinities) == std::vector<std::string>{"d"});
}

void holds_many_affinities(const Backend& backend) {
    constexpr int kRows = 20'000;
    {
        const auto store = opened(backend);
        for (int from = 0; from < kRows; from += 1000) {
            std::vector<Affinity> batch;
            for (int i = from; i < from + 1000; ++i)
                batch.push_back(affinity_of("k" + std::to_string(i % 7), "file-" + std::to_string(i),
                                            std::chrono::microseconds{i}));
            put(store->affinities(), batch);
        }
        if (!backend.durable) return;
    }
    const auto store = opened(backend);
    CHECK(ids_of(store->affinities(), kRows + 1).size() == kRows);
    CHECK(ids_of(store->affinities(), 1).front() == "file-19999");
    CHECK(store->affinities().get("k6", "file-19998")->value().used_at == WallTime(19'998us));
    CHECK(*store->affinities().purge(WallTime(15'000us), kRows) == 15'000);
    CHECK(ids_of(store->affinities(), kRows).size() == 5'000);
}

void keeps_secrets_by_name(const Backend& backend) {
    const auto store = opened(backend);
    SecretStore& secrets = store->secrets();
    CHECK(secrets.names()->empty());
    CHECK_FALSE(secrets.get("a")->has_value());
    REQUIRE(secrets.put("b", "v1.x.1"));
    REQUIRE(secrets.put("a", "v1.x.2"));
    REQUIRE(secrets.put("b", "v1.x.3"));
    CHECK(**secrets.get("a") == "v1.x.2");
    CHECK(**secrets.get("b") == "v1.x.3");
    CHECK_FALSE(secrets.get("B")->has_value());
    CHECK(*secrets.names() == std::vector<std::string>{"a", "b"});
    REQUIRE(secrets.remove("b"));
    REQUIRE(secrets.remove("b"));
    CHECK_FALSE(secrets.get("b")->has_value());
    CHECK(*secrets.names() == std::vector<std::string>{"a"});
}

void replaces_only_the_secret_expected(const Backend& backend) {
    const auto store = opened(backend);
    SecretStore& secrets = store->secrets();
    CHECK_FALSE(*secrets.replace("a", "old", "new"));
    CHECK(secrets.names()->empty());
    CHECK(*secrets.replace("a", "", "one"));
    CHECK_FALSE(*secrets.replace("a", "", "again"));
    CHECK_FALSE(*secrets.replace("a", "ONE", "wrong"));
    CHECK(**secrets.get("a") == "one");
    CHECK(*secrets.replace("a", "one", "two"));
    CHECK_FALSE(*secrets.replace("a", "one", "late"));
    CHECK_FALSE(*secrets.replace("b", "two", "elsewhere"));
    CHECK(**secrets.get("a") == "two");
}

void finds_it_again_after_a_restart(const Backend& backend) {
    const ClientKey full = full_key();
    for (int start = 0; start < 3; ++start) {
        CAPTURE(start);
        const auto store = opened(backend);
        if (start == 0 || !backend.durable) {
            REQUIRE(store->keys().add(full));
            REQUIRE(store->settings().put("a", "x"));
            put(store->affinities(), {affinity_of("k", "f")});
            REQUIRE(store->secrets().put("s", "sealed"));
        }
        CHECK(found(store->keys(), "full") == full);
        CHECK(*store->settings().get("a") == Setting{"x", 1});
        CHECK(**store->affinities().get("k", "f") == affinity_of("k", "f"));
        CHECK(**store->secrets().get("s") == "sealed");
    }
}

void two_openings_see_each_other(const Backend& backend) {
    if (!backend.durable) return;
    const auto first = opened(backend), second = opened(backend);
    REQUIRE(first->keys().add(key_of("a")));
    CHECK(names_of(second->keys()) == std::vector<std::string>{"a"});
    REQUIRE(second->keys().set_status("key_a", KeyStatus::revoked));
    CHECK(found(first->keys(), "a").status == KeyStatus::revoked);
    CHECK(**first->settings().put_if("s", "x", 0) == 1);
    CHECK_FALSE(second->settings().put_if("s", "y", 0)->has_value());
    CHECK(*second->settings().put("s", "y") == 2);
    put(first->affinities(), {affinity_of("k", "f", 9us)});
    put(second->affinities(), {affinity_of("k", "f", 5us)});
    CHECK(second->affinities().get("k", "f")->value().used_at == WallTime(9us));
    REQUIRE(second->affinities().remove("k", "f"));
    CHECK(ids_of(first->affinities()).empty());
    CHECK(*first->secrets().replace("s", "", "one"));
    CHECK_FALSE(*second->secrets().replace("s", "", "two"));
    CHECK(*second->secrets().replace("s", "one", "two"));
    CHECK_FALSE(*first->secrets().replace("s", "one", "three"));
}

/// Threads of one process and openings of several: `openings` share the work of `threads`, and no change is lost.
void work_at_once(const Backend& backend, std::size_t openings) {
    constexpr std::size_t kThreads = 4;
    constexpr int kRounds = 20;
    std::vector<std::unique_ptr<Store>> stores(openings);
    std::vector<std::string> failures(kThreads);
    {
        // Each opening by a thread of its own: on a file that is not there yet, they race to make and migrate it.
        std::vector<std::jthread> opening;
        for (std::size_t i = 0; i < openings; ++i)
            opening.emplace_back([&, i] {
                Result<std::unique_ptr<Store>> store = open(backend.url);
                if (store)
                    stores[i] = *std::move(store);
                else
                    failures[i] = store.error().detail;
            });
    }
    for (const std::string& failure : failures) CHECK(failure == "");
    REQUIRE(std::all_of(stores.begin(), stores.end(), [](const auto& store) { return store != nullptr; }));
    std::vector<int> taken(kThreads, 0), sealed(kThreads, 0);
    {
        std::vector<std::jthread> working;
        for (std::size_t i = 0; i < kThreads; ++i)
            working.emplace_back([&, i] {
                Store& store = *stores[i % openings];
                for (int round = 0; round < kRounds; ++round) {
                    const Result<void> own = store.keys().add(key_of(std::to_string(i) + "-" + std::to_string(round)));
                    if (!own) failures[i] = own.error().detail;
                    if (store.keys().add(key_of("shared-" + std::to_string(round)))) ++taken[i];
                    const Result<std::int64_t> version = store.settings().put("counter", "x");
                    if (!version) failures[i] = version.error().detail;
                    if (!store.keys().list()) failures[i] = "list";
                    const std::string number = std::to_string(round);
                    const std::vector<Affinity> batch{affinity_of("own-" + std::to_string(i), number),
                                                      affinity_of("shared", number, std::chrono::microseconds(i))};
                    const Result<void> kept = store.affinities().put(batch);
                    if (!kept) failures[i] = kept.error().detail;
                    const Result<bool> first = store.secrets().replace("shared-" + number, "", std::to_string(i));
                    if (!first) failures[i] = first.error().detail;
                    if (first && *first) ++sealed[i];
                }
            });
    }
    for (const std::string& failure : failures) CHECK(failure == "");
    CHECK(names_of(stores.back()->keys()).size() == (kThreads + 1) * kRounds);
    CHECK(std::accumulate(taken.begin(), taken.end(), 0) == kRounds);  // each shared name went to one thread
    CHECK(std::accumulate(sealed.begin(), sealed.end(), 0) == kRounds);
    CHECK(ids_of(stores.back()->affinities()).size() == (kThreads + 1) * kRounds);
    CHECK(stores.front()->affinities().get("shared", "7")->value().used_at == WallTime(3us));
    CHECK(stores.front()->settings().get("counter")->value().version == static_cast<std::int64_t>(kThreads * kRounds));
}

void serves_several_threads(const Backend& backend) {
    work_at_once(backend, 1);
}

void serves_several_processes(const Backend& backend) {
    if (backend.durable) work_at_once(backend, 4);
}

struct Rule {
    const char* name;
    void (*check)(const Backend&);
};

constexpr Rule rules[] = {
    {"a new store is empty", starts_empty},
    {"every field of a key comes back", keeps_every_field_of_a_key},
    {"times are kept to the microsecond, downwards", keeps_times_to_the_microsecond},
    {"keys are listed by time, then id", lists_by_time_then_id},
    {"what is taken is refused and named", refuses_what_is_taken},
    {"a status changes until the key is revoked", changes_status_until_revoked},
    {"each setting counts its versions", counts_versions_of_a_setting},
    {"a conditional put needs the right version", puts_only_over_the_version_expected},
    {"a setting holds any bytes", keeps_any_bytes_of_a_setting},
    {"an affinity is its owner's alone", keeps_affinities_apart_by_owner},
    {"an affinity is overwritten, its use never set back", overwrites_an_affinity_but_not_its_latest_use},
    {"the affinities last used come first", gives_the_latest_affinities_first},
    {"affinities not used are purged, within bounds", purges_what_was_not_used},
    {"many affinities are no trouble", holds_many_affinities},
    {"secrets are kept by name", keeps_secrets_by_name},
    {"a secret is replaced only over the one expected", replaces_only_the_secret_expected},
    {"what was written is there after a restart", finds_it_again_after_a_restart},
    {"two openings see each other's changes", two_openings_see_each_other},
    {"several threads lose nothing", serves_several_threads},
    {"several openings at once lose nothing", serves_several_processes},
};

}  // namespace

TEST_CASE("every backend keeps the rules of the store") {
    for (const Rule& rule : rules) {
        const TemporaryFolder folder;
        const Backend backends[] = {
            {"memory", false, "memory:"},
            {"sqlite", true, "sqlite:" + (folder / "data/oaigw.db")},
        };
        for (const Backend& backend : backends) {
            CAPTURE(rule.name);
            CAPTURE(backend.name);
            rule.check(backend);
        }
    }
}

TEST_CASE("openings of a new file at once do not fail, time and again") {
    for (int round = 0; round < 15; ++round) {
        const TemporaryFolder folder;
        const std::string url = "sqlite:" + (folder / "new.db");
        std::vector<std::string> failures(6);
        {
            std::vector<std::jthread> threads;
            for (std::string& failure : failures)
                threads.emplace_back([&url, &failure] {
                    const Result<std::unique_ptr<Store>> store = open(url);
                    if (!store) failure = store.error().detail;
                });
        }
        for (const std::string& failure : failures) CHECK(failure == "");
    }
}
