// The client of the side-by-side benchmark.
//
//   bench_load --port P --key K [--request small|stream|body] [--connections C | --rate R] [--milliseconds M] [--events
//   N]
//
// With --connections a closed loop: each connection asks again as soon as it has its answer. With --rate an open loop:
// requests start at evenly spaced times whether answers have come or not, each on a connection that is free, and their
// latency counts from those times. After M milliseconds nothing new starts and what is open is awaited, so that no
// contestant ever sees a request given up.
//
// Every answer is checked: status 200, and the length of a JSON answer or the N events of a stream. One that is wrong
// ends the program with 1. Prints one line of name=value pairs; times are in microseconds.
#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <deque>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <sys/socket.h>
#include <vector>

#include "http.hpp"
#include "program.hpp"
#include "requests.hpp"

namespace oai::bench {
namespace {

constexpr std::int64_t kPatience = 10'000'000'000;  // ns; for the last answers

struct Settings {
    long port = 0, connections = 1, rate = 0, milliseconds = 1000, events = 0;
    std::string key, request = "small";
};

/// Counts the events of a stream: each ends with a blank line.
class EventCounter {
public:
    void feed(std::string_view payload) noexcept {
        for (std::size_t at = 0; (at = payload.find('\n', at)) != payload.npos; ++at) {
            const char before = at > 0 ? payload[at - 1] : last_;
            if (before == '\n') ++count_;
        }
        if (!payload.empty()) last_ = payload.back();
    }
    long count() const noexcept { return count_; }

private:
    long count_ = 0;
    char last_ = 0;
};

struct Connection {
    int socket;
    std::int64_t started_at = 0;
    std::size_t sent = 0;  ///< of the request
    bool busy = false;
    bool in_body = false;
    std::string head;  ///< of an answer, while it is not whole
    BodyReader body;
    std::size_t body_bytes = 0;
    EventCounter events;
};

class Load {
public:
    explicit Load(const Settings& settings)
        : settings_(settings), request_(request_text(settings.request, settings.key)) {}

    void run() {
        begin_ = now_ns();
        end_ = begin_ + settings_.milliseconds * 1'000'000;
        if (settings_.rate == 0)
            for (long i = 0; i < settings_.connections; ++i) start(open_connection(), now_ns());
        while (open_ > 0 || has_more_to_start()) {
            if (now_ns() > end_ + kPatience) fail("answers are missing after ten seconds");
            for (const epoll_event& event : poller_.wait(start_what_is_due())) {
                Connection& connection = *static_cast<Connection*>(event.data.ptr);
                if (connection.busy && connection.sent < request_.size()) send(connection);
                receive(connection);
            }
        }
    }

    void print() {
        const double seconds = static_cast<double>(now_ns() - begin_) / 1e9;
        rusage usage = {};
        ::getrusage(RUSAGE_SELF, &usage);
        const std::int64_t cpu = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * std::int64_t{1'000'000} +
                                 usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
        std::sort(latencies_.begin(), latencies_.end());
        std::printf("requests=%zu events=%ld seconds=%.3f cpu_us=%" PRId64 " p50_us=%.1f p99_us=%.1f\n",
                    latencies_.size(), events_, seconds, cpu, percentile(50), percentile(99));
    }

private:
    bool has_more_to_start() const { return settings_.rate > 0 && next_start() < end_; }
    std::int64_t next_start() const { return begin_ + started_ * 1'000'000'000 / settings_.rate; }

    /// Of the open loop. What is left until the next one, or a while to look whether answers are missing.
    std::int64_t start_what_is_due() {
        if (!has_more_to_start()) return 100'000'000;
        while (has_more_to_start() && next_start() <= now_ns()) start(free_connection(), next_start());
        return has_more_to_start() ? next_start() - now_ns() : 0;
    }

    Connection& open_connection() {
        const std::optional<int> socket = connect_to_loopback(settings_.port);
        if (!socket) fail_errno("cannot connect");
        Connection& connection =
            connections_.emplace_back(Connection{.socket = *socket, .head = {}, .body = {}, .events = {}});
        poller_.add(*socket, &connection);
        return connection;
    }

    Connection& free_connection() {
        if (free_.empty()) return open_connection();
        Connection& connection = *free_.back();
        free_.pop_back();
        return connection;
    }

    void start(Connection& connection, std::int64_t at) {
        connection.started_at = at;
        connection.sent = 0;
        connection.busy = true;
        connection.in_body = false;
        connection.body_bytes = 0;
        connection.events = {};
        ++started_;
        ++open_;
        send(connection);
    }

    void send(Connection& connection) {
        while (connection.sent < request_.size()) {
            const ssize_t count = ::send(connection.socket, request_.data() + connection.sent,
                                         request_.size() - connection.sent, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (count < 0 && errno == EAGAIN) return;
            if (count < 0) fail_errno("cannot send");
            connection.sent += static_cast<std::size_t>(count);
        }
    }

    void receive(Connection& connection) {
        for (;;) {
            const ssize_t count = ::recv(connection.socket, input_.data(), input_.size(), MSG_DONTWAIT);
            if (count < 0 && errno == EAGAIN) return;
            if (count <= 0) fail(connection.busy ? "closed within an answer" : "a kept connection was closed");
            const std::string_view bytes(input_.data(), static_cast<std::size_t>(count));
            if (!connection.busy) fail("bytes behind an answer");
            take(connection, bytes);
            // Less than was asked for is all there is, and more will wake us.
            if (bytes.size() < input_.size()) return;
        }
    }

    void take(Connection& connection, std::string_view bytes) {
        if (!connection.in_body) {
            if (!connection.head.empty()) bytes = connection.head.append(bytes);
            Head head;
            const Scan scan = scan_head(bytes, head);
            if (scan == Scan::incomplete) {
                if (connection.head.empty()) connection.head.assign(bytes);
                return;
            }
            if (scan == Scan::broken || head.status != 200) fail("got " + std::string(bytes.substr(0, 400)));
            connection.in_body = true;
            connection.body.begin(head);
            take_body(connection, bytes.substr(head.size));
            connection.head.clear();
            return;
        }
        take_body(connection, bytes);
    }

    void take_body(Connection& connection, std::string_view bytes) {
        connection.body.feed(bytes, [&](std::string_view payload) {
            connection.body_bytes += payload.size();
            if (settings_.events > 0) connection.events.feed(payload);
        });
        if (connection.body.ended()) finish(connection);
    }

    void finish(Connection& connection) {
        const std::int64_t now = now_ns();
        check(connection);
        latencies_.push_back(now - connection.started_at);
        events_ += connection.events.count();
        connection.busy = false;
        --open_;
        if (settings_.rate > 0) {
            free_.push_back(&connection);
        } else if (now < end_) {
            start(connection, now);
        }
    }

    /// A JSON answer is 735 bytes long, give or take the name of a model.
    void check(const Connection& connection) const {
        if (settings_.events > 0 && connection.events.count() != settings_.events)
            fail("a stream of " + std::to_string(connection.events.count()) + " events");
        if (settings_.events == 0 && (connection.body_bytes < 700 || connection.body_bytes > 770))
            fail("an answer of " + std::to_string(connection.body_bytes) + " bytes");
    }

    double percentile(std::size_t percent) const {
        if (latencies_.empty()) return 0;
        const std::size_t rank = (latencies_.size() * percent + 99) / 100;
        return static_cast<double>(latencies_[rank - 1]) / 1e3;
    }

    const Settings settings_;
    const std::string request_;
    Poller poller_;
    std::deque<Connection> connections_;  // a deque: they are pointed at
    std::vector<Connection*> free_;
    std::vector<char> input_ = std::vector<char>(64 * 1024);
    std::vector<std::int64_t> latencies_;  // ns
    std::int64_t begin_ = 0, end_ = 0;
    long started_ = 0, open_ = 0, events_ = 0;
};

}  // namespace
}  // namespace oai::bench

int main(int argc, char** argv) {
    oai::bench::Settings settings;
    oai::bench::read_options(argc, argv,
                             {{"--port", &settings.port},
                              {"--key", &settings.key},
                              {"--request", &settings.request},
                              {"--connections", &settings.connections},
                              {"--rate", &settings.rate},
                              {"--milliseconds", &settings.milliseconds},
                              {"--events", &settings.events}});
    oai::bench::Load load(settings);
    load.run();
    load.print();
}
