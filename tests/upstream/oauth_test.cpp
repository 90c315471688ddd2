#include "upstream/oauth.hpp"

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "core/log.hpp"
#include "store/lease.hpp"
#include "store/open.hpp"
#include "store/temporary_folder.hpp"
#include "upstream/token_endpoint.hpp"

using namespace oai;
using namespace oai::upstream;
using namespace std::chrono_literals;
using core::Code;
using core::Result;
using test::TokenEndpoint;

namespace {

struct Quiet {
    Quiet() { core::set_log_level(core::LogLevel::off); }
    ~Quiet() { core::set_log_level(core::LogLevel::info); }
};

/// A ManualClock that workers may read while the test moves it.
class SharedClock final : public core::Clock {
public:
    core::TimePoint now() const noexcept override { return core::TimePoint(1h + passed()); }
    core::WallTime wall_now() const noexcept override { return core::WallTime(1'700'000'000s + passed()); }
    void advance(core::nanoseconds by) noexcept { passed_ns_ += by.count(); }

private:
    core::nanoseconds passed() const noexcept { return core::nanoseconds(passed_ns_); }
    std::atomic<std::int64_t> passed_ns_ = 0;
};

/// Grants at-1 with rt-1, at-2 with rt-2 ... whatever it is asked with: a provider that rotates.
TokenEndpoint::Script rotating(std::shared_ptr<int> count = std::make_shared<int>(0)) {
    return [count](const std::string&) {
        const std::string n = std::to_string(++*count);
        return TokenEndpoint::Answer{.body = R"({"access_token":"at-)" + n +
                                             R"(","expires_in":3600,"refresh_token":"rt-)" + n + "\"}"};
    };
}

TokenEndpoint::Script always(int status, const std::string& body, const std::string& fields = "") {
    return [=](const std::string&) { return TokenEndpoint::Answer{status, body, fields}; };
}

const char* const kInvalidGrant = R"({"error":"invalid_grant"})";

/// The secrets of a store whose disk is full when the test says so.
struct FlakySecrets final : store::SecretStore {
    explicit FlakySecrets(store::SecretStore& behind) : inner(behind) {}
    Result<std::optional<std::string>> get(std::string_view name) override {
        ++gets;
        return inner.get(name);
    }
    Result<void> put(std::string_view name, std::string_view sealed) override { return inner.put(name, sealed); }
    Result<bool> replace(std::string_view name, std::string_view expected, std::string_view sealed) override {
        if (full) return core::Error{.code = Code::io_failed, .detail = "disk full"};
        return inner.replace(name, expected, sealed);
    }
    Result<void> remove(std::string_view name) override { return inner.remove(name); }
    Result<std::vector<std::string>> names() override { return inner.names(); }

    store::SecretStore& inner;
    std::atomic<bool> full = false;
    std::atomic<int> gets = 0;
};

net::Awaitable<void> ask_once(TokenSource& source, net::Worker& worker, http::Pool& pool,
                              std::promise<Result<std::string>>& answer) {
    Result<std::string> token = co_await source.access_token(worker, pool);
    answer.set_value(std::move(token));
}

const crypto::Sealer& sealer() {
    static const crypto::Sealer only{crypto::Key{}};
    return only;
}

/// One gateway's part of it: a store, its thread, two workers, one account.
struct Gateway {
    Gateway(const std::string& url, http::Url token_url, core::Clock& clock, OAuthTimes times = {})
        : Gateway(url,
                  OAuthSettings{.token_url = std::move(token_url),
                                .client_id = "client",
                                .client_secret = "hunter2",
                                .refresh_token = "rt-0",
                                .scope = ""},
                  clock, times) {}
    Gateway(const std::string& url, OAuthSettings settings, core::Clock& clock, OAuthTimes times)
        : store(*store::open(url)),
          secrets(store->secrets()),
          source("a1", std::move(settings),
                 TokenVault{secrets, store->settings(), sealer(),
                            [this](std::function<void()> task) { background.post(std::move(task)); }},
                 clock, times) {
        for (net::Worker* worker : {&background, &first, &second}) worker->start();
    }
    ~Gateway() {
        first.post([this] { first_pool.clear(); });
        second.post([this] { second_pool.clear(); });
        for (net::Worker* worker : {&first, &second, &background}) {
            worker->stop();
            worker->join();
        }
    }

    std::vector<Result<std::string>> ask(int callers) {
        std::vector<std::promise<Result<std::string>>> answers(static_cast<std::size_t>(callers));
        for (std::size_t i = 0; i < answers.size(); ++i) {
            net::Worker& worker = i % 2 == 0 ? first : second;
            http::Pool& pool = i % 2 == 0 ? first_pool : second_pool;
            worker.post([&, &answer = answers[i]] { worker.spawn(ask_once(source, worker, pool, answer)); });
        }
        std::vector<Result<std::string>> results;
        for (auto& answer : answers) results.push_back(answer.get_future().get());
        return results;
    }
    /// The token, or "error: " and the detail.
    std::string ask() {
        const Result<std::string> answer = ask(1).front();
        return answer ? *answer : "error: " + answer.error().detail;
    }
    /// Asks until the renewal that goes on beside has brought another token than `old`.
    std::string ask_until_not(const std::string& old) {
        std::string token = old;
        while (token == old) token = ask();
        return token;
    }
    /// Waits until a renewal that was begun has looked into the store.
    void settle() {
        for (net::Worker* worker : {&first, &second, &background}) {
            std::promise<void> reached;
            worker->post([&reached] { reached.set_value(); });
            reached.get_future().wait();
        }
    }
    std::string secret_name() { return store->secrets().names()->at(0); }
    TokenSet stored() {
        const std::string name = secret_name();
        return *parse_token_set(*sealer().open(**store->secrets().get(name), name));
    }
    void put(const TokenSet& tokens) {
        REQUIRE(store->secrets().put(secret_name(), sealer().seal(to_json(tokens), secret_name())));
    }

    std::unique_ptr<store::Store> store;
    FlakySecrets secrets;
    net::Worker background{"store"}, first{"first"}, second{"second"};
    http::Pool first_pool{first}, second_pool{second};
    TokenSource source;
};

void check_no_secret(const std::string& text) {
    for (const char* secret : {"at-", "rt-", "hunter2"}) CHECK(text.find(secret) == std::string::npos);
}

}  // namespace

TEST_CASE("twenty callers on two workers that find no token share one request") {
    SharedClock clock;
    TokenEndpoint endpoint(rotating());
    Gateway gateway("memory:", endpoint.url(), clock);
    endpoint.hold();
    std::thread later([&endpoint] {
        while (endpoint.forms().empty()) std::this_thread::yield();
        endpoint.release();
    });
    for (const Result<std::string>& token : gateway.ask(20)) {
        REQUIRE(token);
        CHECK(*token == "at-1");
    }
    later.join();
    CHECK(endpoint.forms() == std::vector<std::string>{"grant_type=refresh_token&refresh_token=rt-0&client_id=client&"
                                                       "client_secret=hunter2"});
    CHECK(gateway.ask() == "at-1");
    CHECK(endpoint.forms().size() == 1);
}

TEST_CASE("a token is renewed before it expires, by the rotated refresh token, while the old one serves") {
    SharedClock clock;
    TokenEndpoint endpoint(rotating());
    Gateway gateway("memory:", endpoint.url(), clock);
    CHECK(gateway.ask() == "at-1");
    clock.advance(3600s - 300s - 1s);  // an hour's token is never renewed earlier than that
    const int looks = gateway.secrets.gets;
    CHECK(gateway.ask() == "at-1");
    gateway.settle();
    CHECK(gateway.secrets.gets == looks);
    clock.advance(151s + 1s);  // and never later than half of the five minutes
    endpoint.hold();
    CHECK(gateway.ask() == "at-1");
    while (endpoint.forms().size() < 2) CHECK(gateway.ask() == "at-1");
    endpoint.release();
    CHECK(gateway.ask_until_not("at-1") == "at-2");
    CHECK(endpoint.forms().size() == 2);
    CHECK(endpoint.forms().back().find("refresh_token=rt-1&") != std::string::npos);
    CHECK(gateway.stored().refresh_token == "rt-2");
    clock.advance(3601s);
    CHECK(gateway.ask() == "at-3");
}

TEST_CASE("a token set is in the store before its access token is used, and none is lost") {
    const Quiet quiet;
    SharedClock clock;
    const TemporaryFolder folder;
    const std::string url = "sqlite:" + (folder / "a.db");
    TokenEndpoint endpoint(rotating());
    Gateway gateway(url, endpoint.url(), clock);
    gateway.secrets.full = true;
    const std::string failed = gateway.ask();
    CHECK(failed.find("error: account a1 has no token: ") == 0);
    CHECK(failed.find("disk full") != std::string::npos);
    check_no_secret(failed);
    CHECK(gateway.ask(20).back().error().code == Code::unavailable);
    CHECK(endpoint.forms().size() == 1);
    {
        // Killed here: what was granted is gone, and the next start begins with what is stored or configured.
        Gateway next(url, endpoint.url(), clock);
        CHECK(next.store->secrets().names()->empty());
    }
    // Not killed: what was granted is kept, stored at the next try, and then used.
    gateway.secrets.full = false;
    clock.advance(1s);
    CHECK(gateway.ask() == "at-1");
    CHECK(gateway.stored().refresh_token == "rt-1");
    CHECK(endpoint.forms().size() == 1);
    // A restart takes it from there: no request, and later the rotated token.
    Gateway restarted(url, endpoint.url(), clock);
    CHECK(restarted.ask() == "at-1");
    CHECK(endpoint.forms().size() == 1);
    clock.advance(2h);
    CHECK(restarted.ask() == "at-2");
    CHECK(endpoint.forms().back().find("refresh_token=rt-1&") != std::string::npos);
}

TEST_CASE("what the store holds is sealed") {
    SharedClock clock;
    TokenEndpoint endpoint(rotating());
    Gateway gateway("memory:", endpoint.url(), clock);
    CHECK(gateway.ask() == "at-1");
    const std::string sealed = **gateway.store->secrets().get(gateway.secret_name());
    CHECK(sealed.starts_with("v1." + sealer().key_id()));
    check_no_secret(sealed);
    check_no_secret(gateway.secret_name());
}

TEST_CASE("of two gateways on one store one asks, and the other takes over what it got") {
    SharedClock clock;
    const TemporaryFolder folder;
    const std::string url = "sqlite:" + (folder / "a.db");
    TokenEndpoint endpoint(rotating());
    const OAuthTimes times{.poll = 1ms};
    Gateway old(url, endpoint.url(), clock, times), fresh(url, endpoint.url(), clock, times);
    endpoint.hold();
    std::future<std::string> first = std::async(std::launch::async, [&old] { return old.ask(); });
    std::future<std::string> second = std::async(std::launch::async, [&fresh] { return fresh.ask(); });
    while (endpoint.forms().empty()) std::this_thread::yield();
    CHECK(second.wait_for(20ms) == std::future_status::timeout);
    CHECK(first.wait_for(0ms) == std::future_status::timeout);
    endpoint.release();
    CHECK(first.get() == "at-1");
    CHECK(second.get() == "at-1");
    CHECK(endpoint.forms().size() == 1);
}

TEST_CASE("a process that died while it renewed blocks the others until its lease has run out") {
    const Quiet quiet;
    SharedClock clock;
    TokenEndpoint endpoint(rotating());
    Gateway gateway("memory:", endpoint.url(), clock, {.timeout = 5s, .poll = 1ms});
    CHECK(gateway.ask() == "at-1");
    clock.advance(2h);
    REQUIRE(
        *store::take_lease(gateway.store->settings(), "lease:" + gateway.secret_name(), "dead", clock.wall_now(), 20s));
    std::future<std::string> waiting = std::async(std::launch::async, [&gateway] { return gateway.ask(); });
    CHECK(waiting.wait_for(20ms) == std::future_status::timeout);
    CHECK(endpoint.forms().size() == 1);
    REQUIRE(store::release_lease(gateway.store->settings(), "lease:" + gateway.secret_name(), "dead"));
    CHECK(waiting.get() == "at-2");

    // It never comes back: an error in time, and after the lease's end the token.
    Gateway hasty("memory:", endpoint.url(), clock, {.timeout = 5ms, .poll = 1ms});
    const std::string name = "lease:" + gateway.secret_name();
    REQUIRE(*store::take_lease(hasty.store->settings(), name, "dead", clock.wall_now(), 10s));
    CHECK(hasty.ask().find("another process began to renew the token") != std::string::npos);
    CHECK(endpoint.forms().size() == 2);
    clock.advance(11s);
    CHECK(hasty.ask() == "at-3");
}

TEST_CASE("a refresh token that is refused puts the account out until a person mends it") {
    const Quiet quiet;
    SharedClock clock;
    TokenEndpoint endpoint(rotating());
    Gateway gateway("memory:", endpoint.url(), clock);
    CHECK(gateway.ask() == "at-1");
    endpoint.set_script(always(400, kInvalidGrant));
    clock.advance(3550s);
    CHECK(gateway.ask() == "at-1");  // serves to its end
    while (!gateway.source.out_reason()) CHECK(gateway.ask() == "at-1");
    CHECK(gateway.source.out_reason()->find("(invalid_grant); log in again") != std::string::npos);
    clock.advance(51s);
    const std::string failed = gateway.ask();
    CHECK(failed.find("error: account a1 has no token: ") == 0);
    check_no_secret(failed);
    // It is not asked again with the same token, however long it lasts.
    for (int minute = 0; minute < 5; ++minute) {
        clock.advance(60s);
        CHECK(gateway.ask() == failed);
    }
    CHECK(endpoint.forms().size() == 2);
    CHECK(gateway.source.out_reason());

    endpoint.set_script(rotating(std::make_shared<int>(6)));
    gateway.put(TokenSet{"at-old", "rt-mended", clock.wall_now(), clock.wall_now()});
    clock.advance(60s);
    CHECK(gateway.ask() == "at-7");
    CHECK(endpoint.forms().back().find("refresh_token=rt-mended&") != std::string::npos);
    CHECK_FALSE(gateway.source.out_reason());
}

TEST_CASE("a refresh token that another process used meanwhile is not refused for good") {
    struct Row {
        const char* name;
        std::chrono::seconds left;  // of the access token that the other process stored
        const char* want;
        std::size_t requests;
    };
    const Row rows[] = {{"its access token serves", 3600s, "at-other", 2},
                        {"only its refresh token", 0s, "at-mine", 3}};
    for (const Row& row : rows) {
        CAPTURE(row.name);
        SharedClock clock;
        TokenEndpoint endpoint(rotating());
        Gateway gateway("memory:", endpoint.url(), clock);
        CHECK(gateway.ask() == "at-1");
        clock.advance(2h);
        const core::WallTime now = clock.wall_now();
        endpoint.set_script([&](const std::string& form) {
            if (form.find("refresh_token=rt-other&") != std::string::npos)
                return TokenEndpoint::Answer{.body = R"({"access_token":"at-mine"})"};
            gateway.put(TokenSet{"at-other", "rt-other", now, now + row.left});
            return TokenEndpoint::Answer{.status = 400, .body = kInvalidGrant};
        });
        CHECK(gateway.ask() == row.want);
        CHECK(endpoint.forms().size() == row.requests);
        CHECK(gateway.stored().refresh_token == "rt-other");
        CHECK(gateway.stored().access_token == row.want);
        CHECK_FALSE(gateway.source.out_reason());
    }
}

TEST_CASE("an endpoint in trouble is asked less and less, and the old token serves to its end") {
    const Quiet quiet;
    SharedClock clock;
    TokenEndpoint endpoint(rotating());
    Gateway gateway("memory:", endpoint.url(), clock);
    CHECK(gateway.ask() == "at-1");
    endpoint.set_script(always(500, "at-1 rt-1 hunter2"));
    clock.advance(3599s);
    CHECK(gateway.ask() == "at-1");
    while (endpoint.forms().size() < 2) CHECK(gateway.ask() == "at-1");
    clock.advance(1s + 1ms);  // expired; the failure's backoff may have begun at any moment before
    std::string failed = gateway.ask();
    while (failed.find("answered 500") == std::string::npos) failed = gateway.ask();
    check_no_secret(failed);
    const std::size_t begun = endpoint.forms().size();
    std::size_t asked = 0;
    for (int second = 0; second < 3600; ++second) {
        clock.advance(1s);
        CHECK(gateway.ask().find("answered 500") != std::string::npos);
        asked = endpoint.forms().size() - begun;
        if (second == 9) CHECK(asked <= 4);
    }
    CHECK(asked >= 60);   // once a minute at least
    CHECK(asked <= 126);  // and never faster than every 30 s, once it has slowed down
    endpoint.set_script(rotating(std::make_shared<int>(1)));
    clock.advance(60s);
    CHECK(gateway.ask() == "at-2");
}

TEST_CASE("failures that may pass release every caller with the same answer") {
    const Quiet quiet;
    struct Row {
        const char* name;
        TokenEndpoint::Script script;
        const char* says;
        std::chrono::seconds least, most;  // retry_after
    };
    const Row rows[] = {
        {"garbage", always(200, "<html>rt-0</html>"), "not a JSON object", 1s, 1s},
        {"throttled", always(429, "", "retry-after: 17\r\n"), "answered 429", 17s, 17s},
        {"wrong client", always(401, R"({"error":"invalid_client"})"), "check its client_id", 30s, 60s},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        SharedClock clock;
        TokenEndpoint endpoint(row.script);
        Gateway gateway("memory:", endpoint.url(), clock);
        for (const Result<std::string>& answer : gateway.ask(20)) {
            REQUIRE_FALSE(answer);
            CHECK(answer.error().code == Code::unavailable);
            CHECK(answer.error().detail.find(row.says) != std::string::npos);
            check_no_secret(answer.error().detail);
            REQUIRE(answer.error().retry_after);
            CHECK(*answer.error().retry_after >= row.least);
            CHECK(*answer.error().retry_after <= row.most);
        }
        CHECK(endpoint.forms().size() == 1);
    }
}

TEST_CASE("an endpoint that does not answer, or is not there, is an error in time") {
    const Quiet quiet;
    SharedClock clock;
    TokenEndpoint endpoint(rotating());
    endpoint.hold();
    Gateway slow("memory:", endpoint.url(), clock, {.timeout = 20ms});
    for (const Result<std::string>& answer : slow.ask(5)) {
        REQUIRE_FALSE(answer);
        check_no_secret(answer.error().detail);
    }
    CHECK(endpoint.forms().size() == 1);

    Gateway nowhere("memory:", *http::parse_url("http://127.0.0.1:1/token"), clock);
    const std::string failed = nowhere.ask();
    CHECK(failed.find("error: account a1 has no token: ") == 0);
    check_no_secret(failed);
}

TEST_CASE("a refused token is renewed once, and a young one is not blamed on its age") {
    SharedClock clock;
    TokenEndpoint endpoint(rotating());
    Gateway gateway("memory:", endpoint.url(), clock);
    CHECK(gateway.ask() == "at-1");
    CHECK_FALSE(gateway.source.invalidate("at-1"));
    CHECK(gateway.ask() == "at-1");
    clock.advance(31s);
    CHECK(gateway.source.invalidate("at-1"));
    CHECK(gateway.source.invalidate("at-1"));  // the next request that was refused with it
    for (const Result<std::string>& token : gateway.ask(20)) CHECK(*token == "at-2");
    CHECK(gateway.source.invalidate("at-1"));
    CHECK(gateway.ask() == "at-2");
    CHECK(endpoint.forms().size() == 2);
}

TEST_CASE("a stored token that was refused is not taken from the store again") {
    SharedClock clock;
    const TemporaryFolder folder;
    const std::string url = "sqlite:" + (folder / "a.db");
    TokenEndpoint endpoint(rotating());
    Gateway first(url, endpoint.url(), clock);
    CHECK(first.ask() == "at-1");
    Gateway second(url, endpoint.url(), clock);
    CHECK(second.ask() == "at-1");
    CHECK(second.source.invalidate("at-1"));  // not young: this process did not make it
    CHECK(second.ask() == "at-2");
    CHECK(endpoint.forms().size() == 2);
    // The other gateway finds out later, and takes over what is there.
    clock.advance(31s);
    CHECK(first.source.invalidate("at-1"));
    CHECK(first.ask() == "at-2");
    CHECK(endpoint.forms().size() == 2);
}

TEST_CASE("another configured refresh token begins anew") {
    SharedClock clock;
    const TemporaryFolder folder;
    const std::string url = "sqlite:" + (folder / "a.db");
    TokenEndpoint endpoint(rotating());
    Gateway old(url, endpoint.url(), clock);
    CHECK(old.ask() == "at-1");
    OAuthSettings settings{.token_url = endpoint.url(),
                           .client_id = "client",
                           .client_secret = "",
                           .refresh_token = "rt-new",
                           .scope = ""};
    Gateway mended(url, settings, clock, {});
    CHECK(mended.ask() == "at-2");
    CHECK(endpoint.forms().back() == "grant_type=refresh_token&refresh_token=rt-new&client_id=client");
    CHECK(mended.store->secrets().names()->size() == 2);
}

TEST_CASE("a stored secret that cannot be opened is not passed over") {
    const Quiet quiet;
    SharedClock clock;
    TokenEndpoint endpoint(rotating());
    Gateway gateway("memory:", endpoint.url(), clock);
    CHECK(gateway.ask() == "at-1");
    const std::string name = gateway.secret_name();
    crypto::Key other{};
    other.fill(9);
    for (const std::string& sealed : {crypto::Sealer(other).seal("{}", name), sealer().seal("{}", name),
                                      sealer().seal(to_json(gateway.stored()), "elsewhere")}) {
        REQUIRE(gateway.store->secrets().put(name, sealed));
        clock.advance(2h);
        CHECK(gateway.ask().find("error: account a1 has no token: " + name) == 0);
        CHECK(endpoint.forms().size() == 1);
        REQUIRE(gateway.store->secrets().put(name, sealer().seal("{}", name)));
    }
}
