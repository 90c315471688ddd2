#include "net/resolver.hpp"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <netdb.h>
#include <optional>
#include <pthread.h>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>

#include <boost/asio/post.hpp>

namespace oai::net {

namespace asio = boost::asio;

namespace {

using Answer = core::Result<std::vector<IpAddress>>;

/// A worker that stops closes its streams, and who waits here has none: he looks up now and then.
constexpr std::chrono::milliseconds kLookPeriod{50};

core::Error failure(std::string why) {
    return core::Error{.code = core::Code::connect_failed,
                       .source = core::Source::upstream,
                       .retryable = true,
                       .detail = std::move(why)};
}

Answer system_lookup(const std::string& host) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int failed = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
    if (failed != 0) return failure(failed == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(failed));
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
    std::vector<IpAddress> addresses;
    for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
        TcpEndpoint endpoint;
        if (at->ai_addrlen > endpoint.capacity()) continue;
        std::memcpy(endpoint.data(), at->ai_addr, at->ai_addrlen);
        endpoint.resize(at->ai_addrlen);
        addresses.push_back(endpoint.address());
    }
    return addresses;
}

/// One caller that waits. The answer is written by a resolver thread and read by the worker, under the state's mutex.
struct Waiter {
    explicit Waiter(Executor executor) : timer(executor) {}
    Timer timer;  ///< touched on the worker only
    std::optional<Answer> answer;
};

struct Name {
    std::optional<Answer> answer;
    core::TimePoint refresh_at{};  ///< from then on the next caller starts a lookup; never after `use_until`
    core::TimePoint use_until{};   ///< from then on the answer is none
    bool looking = false;
    std::vector<std::shared_ptr<Waiter>> waiters;
};

}  // namespace

struct Resolver::State {
    State(Limits numbers, Lookup function, const core::Clock& time)
        : limits(numbers), lookup(std::move(function)), clock(time) {}

    /// What is known; empty when it must be waited for. Starts a lookup when one is due.
    std::optional<Answer> ask(const std::shared_ptr<State>& self, const std::string& host,
                              const std::shared_ptr<Waiter>& waiter);
    /// The waiter goes, answered or not.
    void leave(const std::string& host, const std::shared_ptr<Waiter>& waiter);
    std::optional<Answer> answer_for(Waiter& waiter);

    static void run(const std::shared_ptr<State>& self);
    void start_thread(const std::shared_ptr<State>& self);
    void make_room(core::TimePoint now);
    void keep(const std::string& host, Answer answer);

    const Limits limits;
    const Lookup lookup;
    const core::Clock& clock;  ///< not to be touched once stopping
    std::mutex mutex;
    std::condition_variable wake;
    bool stopping = false;
    std::size_t threads = 0;
    std::size_t idle = 0;
    std::deque<std::string> queue;
    std::unordered_map<std::string, Name> names;
};

std::optional<Answer> Resolver::State::ask(const std::shared_ptr<State>& self, const std::string& host,
                                           const std::shared_ptr<Waiter>& waiter) {
    const std::lock_guard lock(mutex);
    const core::TimePoint now = clock.now();
    if (!names.contains(host)) make_room(now);
    Name& name = names[host];
    const bool usable = name.answer && now < name.use_until;
    if (!name.looking && now >= name.refresh_at) {
        if (queue.size() < limits.queue) {
            name.looking = true;
            queue.push_back(host);
            start_thread(self);
        } else if (!usable) {
            return failure("too many names are being looked up");
        }
    }
    if (usable) return name.answer;
    name.waiters.push_back(waiter);
    return std::nullopt;
}

void Resolver::State::leave(const std::string& host, const std::shared_ptr<Waiter>& waiter) {
    const std::lock_guard lock(mutex);
    const auto found = names.find(host);
    if (found != names.end()) std::erase(found->second.waiters, waiter);
}

std::optional<Answer> Resolver::State::answer_for(Waiter& waiter) {
    const std::lock_guard lock(mutex);
    return std::move(waiter.answer);
}

void Resolver::State::start_thread(const std::shared_ptr<State>& self) {
    wake.notify_one();
    if (idle >= queue.size() || threads >= limits.threads) return;
    try {
        std::thread thread([self] { run(self); });
        ::pthread_setname_np(thread.native_handle(), "resolver");
        // Nobody can end a getaddrinfo that hangs, so nobody waits for it either.
        thread.detach();
        ++threads;
    } catch (const std::system_error&) {
        // No thread to be had: the next caller tries again, this one has a deadline.
    }
}

void Resolver::State::make_room(core::TimePoint now) {
    if (names.size() < limits.names) return;
    std::erase_if(names, [&](const auto& entry) { return !entry.second.looking && entry.second.use_until <= now; });
    if (names.size() < limits.names) return;
    std::erase_if(names, [](const auto& entry) { return !entry.second.looking; });
}

void Resolver::State::keep(const std::string& host, Answer answer) {
    const core::TimePoint now = clock.now();
    Name& name = names[host];
    name.looking = false;
    // Posted under the mutex: until it is released none of them can leave, so their workers are there.
    for (const std::shared_ptr<Waiter>& waiter : name.waiters) {
        waiter->answer = answer;
        asio::post(waiter->timer.get_executor(), [waiter] { waiter->timer.cancel(); });
    }
    name.waiters.clear();
    const bool still_good = name.answer && name.answer->has_value() && now < name.use_until;
    if (answer) {
        name.refresh_at = now + limits.good;
        name.use_until = name.refresh_at + limits.stale;
        name.answer = std::move(answer);
    } else {
        name.refresh_at = now + limits.failed;
        if (still_good) {
            name.refresh_at = std::min(name.refresh_at, name.use_until);
            return;
        }
        name.use_until = name.refresh_at;
        name.answer = std::move(answer);
    }
}

void Resolver::State::run(const std::shared_ptr<State>& self) {
    std::unique_lock lock(self->mutex);
    for (;;) {
        ++self->idle;
        self->wake.wait(lock, [&] { return self->stopping || !self->queue.empty(); });
        --self->idle;
        if (self->stopping) return;
        const std::string host = std::move(self->queue.front());
        self->queue.pop_front();
        lock.unlock();
        Answer answer = self->lookup(host);
        if (answer && answer->empty()) answer = failure("the name has no address");
        lock.lock();
        if (self->stopping) return;
        self->keep(host, std::move(answer));
    }
}

Resolver& Resolver::of_process() {
    static Resolver* const resolver = new Resolver(Limits{}, system_lookup, core::system_clock());
    return *resolver;
}

Resolver::Resolver(Limits limits, Lookup lookup, const core::Clock& clock)
    : state_(std::make_shared<State>(limits, std::move(lookup), clock)) {}

Resolver::~Resolver() {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    state_->wake.notify_all();
}

Awaitable<Answer> Resolver::resolve(Worker& worker, std::string host, core::TimePoint deadline) {
    const std::shared_ptr<State> state = state_;
    const auto waiter = std::make_shared<Waiter>(worker.executor());
    if (std::optional<Answer> known = state->ask(state, host, waiter)) co_return std::move(*known);
    // Also when the frame is destroyed with its worker: what is listed there is alive.
    struct Leave {
        State& state;
        const std::string& host;
        const std::shared_ptr<Waiter>& waiter;
        ~Leave() { state.leave(host, waiter); }
    };
    const Leave leave{*state, host, waiter};
    for (;;) {
        const core::TimePoint now = std::chrono::steady_clock::now();
        if (now >= deadline) co_return failure("the name was not resolved in time");
        if (worker.stopping()) co_return failure("the program is stopping");
        waiter->timer.expires_at(std::min(deadline, now + kLookPeriod));
        boost::system::error_code ignored;
        co_await waiter->timer.async_wait(use_awaitable(ignored));
        if (std::optional<Answer> answer = state->answer_for(*waiter)) co_return std::move(*answer);
    }
}

}  // namespace oai::net
