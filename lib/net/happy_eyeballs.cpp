#include "net/happy_eyeballs.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace oai::net {

namespace asio = boost::asio;

namespace {

using Connected = core::Result<std::unique_ptr<Stream>>;

core::Error failure(std::string why) {
    return core::Error{.code = core::Code::connect_failed,
                       .source = core::Source::upstream,
                       .retryable = true,
                       .detail = std::move(why)};
}

/// What the attempts and the one who waits for them share. The attempts keep it alive: they end a moment after him.
struct Race {
    explicit Race(Worker& on) : worker(on), timer(on.executor()) {}

    Awaitable<void> wait(core::TimePoint until) {
        // An attempt may have failed before anybody waited.
        if (!std::exchange(news, false)) {
            timer.expires_at(until);
            boost::system::error_code ignored;
            co_await timer.async_wait(use_awaitable(ignored));
            news = false;
        }
    }

    void tell() {
        news = true;
        timer.cancel();
    }

    void end() noexcept {
        for (Stream* stream : trying) stream->close();
    }

    Worker& worker;
    Timer timer;
    bool news = false;
    std::size_t running = 0;
    std::vector<Stream*> trying;
    std::unique_ptr<Stream> winner;
    std::string reason;
};

/// Empty, and the reason in `failed`, when the system has no socket to give.
std::unique_ptr<Stream> open_stream(Worker& worker, const TcpEndpoint& to, boost::system::error_code& failed) {
    Socket socket(worker.executor());
    socket.open(to.protocol(), failed);
    if (failed) return nullptr;
    return std::make_unique<Stream>(worker, std::move(socket));
}

Awaitable<void> attempt(std::shared_ptr<Race> race, TcpEndpoint endpoint) {
    boost::system::error_code failed;
    std::unique_ptr<Stream> stream = open_stream(race->worker, endpoint, failed);
    if (stream) {
        race->trying.push_back(stream.get());
        const bool connected = co_await stream->connect(endpoint);
        std::erase(race->trying, stream.get());
        failed = stream->error();
        // One more in the same turn takes the first one's place; one that comes too late goes with the race.
        if (connected) race->winner = std::move(stream);
    }
    if (failed) race->reason = failed.message();
    --race->running;
    race->tell();
}

Awaitable<Connected> connect_one(Worker& worker, TcpEndpoint endpoint, core::TimePoint deadline) {
    boost::system::error_code failed;
    std::unique_ptr<Stream> stream = open_stream(worker, endpoint, failed);
    if (!stream) co_return failure(failed.message());
    stream->set_deadline(deadline);
    const bool connected = co_await stream->connect(endpoint);
    if (!connected) co_return failure(stream->timed_out() ? "no answer in time" : stream->error().message());
    stream->set_deadline(Stream::kNever);
    co_return stream;
}

Awaitable<Connected> connect_race(Worker& worker, std::vector<TcpEndpoint> endpoints, core::TimePoint deadline,
                                  std::chrono::milliseconds delay) {
    const auto race = std::make_shared<Race>(worker);
    struct End {
        Race& race;
        ~End() { race.end(); }
    };
    const End end{*race};
    std::size_t next = 0;
    while (!race->winner && (next < endpoints.size() || race->running != 0)) {
        const core::TimePoint now = std::chrono::steady_clock::now();
        if (now >= deadline) co_return failure("no answer in time");
        if (worker.stopping()) co_return failure("the program is stopping");
        core::TimePoint until = deadline;
        if (next < endpoints.size()) {
            ++race->running;
            worker.spawn(attempt(race, endpoints[next++]));
            if (next < endpoints.size()) until = std::min(deadline, now + delay);
        }
        co_await race->wait(until);
    }
    if (!race->winner) co_return failure(race->reason);
    co_return std::move(race->winner);
}

}  // namespace

std::vector<IpAddress> by_turns(const std::vector<IpAddress>& addresses) {
    std::vector<IpAddress> first, second;
    for (const IpAddress& address : addresses)
        (address.is_v6() == addresses.front().is_v6() ? first : second).push_back(address);
    std::vector<IpAddress> order;
    for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
        if (i < first.size()) order.push_back(first[i]);
        if (i < second.size()) order.push_back(second[i]);
    }
    return order;
}

Awaitable<Connected> connect_first(Worker& worker, std::vector<TcpEndpoint> endpoints, core::TimePoint deadline,
                                   std::chrono::milliseconds delay) {
    if (endpoints.size() == 1) return connect_one(worker, endpoints.front(), deadline);
    return connect_race(worker, std::move(endpoints), deadline, delay);
}

}  // namespace oai::net
