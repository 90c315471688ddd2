// The upstream of the side-by-side benchmark: answers every POST with one Responses object, or with a stream of events.
// It does nothing else, so that its processor time is small beside a proxy's.
//
//   bench_upstream [--events N [--gap-us G]]
//
// Without events the answer is a JSON object of 735 bytes. With them it is a stream of N events of 175 bytes, the first
// a response.created and the last a (longer) response.completed with the usage; each is a write of its own, every G
// microseconds, or as fast as the socket takes them. The head says in x-received-model which model the request named:
// that is how bench/gateway/run sees that a contestant edited the body.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <queue>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include "http.hpp"
#include "program.hpp"

namespace oai::bench {
namespace {

constexpr std::size_t kAnswerBytes = 735;
constexpr std::size_t kEventBytes = 175;
constexpr std::size_t kModelBytes = 24;
constexpr std::string_view kUsage =
    R"("usage":{"input_tokens":117,"input_tokens_details":{"cached_tokens":64},"output_tokens":198,)"
    R"("output_tokens_details":{"reasoning_tokens":0},"total_tokens":315})";

/// Words up to a length, so that a text has exactly the size it is meant to have.
std::string words(std::size_t length) {
    constexpr std::string_view kSentence = "the quick brown fox jumps over the lazy dog and ";
    std::string text;
    while (text.size() < length) text += kSentence;
    text.resize(length);
    return text;
}

std::string answer_body() {
    std::string before =
        R"({"id":"resp_0123456789abcdef0123456789abcdef","object":"response","created_at":1735689600,)"
        R"("status":"completed","error":null,"incomplete_details":null,"model":"gpt-upstream-2025","output":[{"id":)"
        R"("msg_0123456789abcdef0123456789abcdef","type":"message","role":"assistant","status":"completed","content":)"
        R"([{"type":"output_text","annotations":[],"text":")";
    std::string after = R"("}]}],"parallel_tool_calls":true,"store":false,)";
    after.append(kUsage).append("}");
    return before + words(kAnswerBytes - before.size() - after.size()) + after;
}

std::string event(std::string_view name, std::string_view members, std::size_t size) {
    std::string text = "event: ";
    text.append(name).append("\ndata: {\"type\":\"").append(name).append("\",").append(members);
    constexpr std::string_view kEnd = "\"}\n\n";
    text += words(size - std::min(size, text.size() + kEnd.size()));
    return text.append(kEnd);
}

std::string chunk(std::string_view payload) {
    std::array<char, 16> size = {};
    std::snprintf(size.data(), size.size(), "%zx\r\n", payload.size());
    return std::string(size.data()).append(payload).append("\r\n");
}

std::string event_number(long n, long count) {
    if (n == 0)
        return event("response.created",
                     R"("response":{"id":"resp_0123456789","model":"gpt-upstream-2025",)"
                     R"("status":"in_progress"},"note":")",
                     kEventBytes);
    if (n < count - 1)
        return event("response.output_text.delta",
                     R"("item_id":"msg_01","output_index":0,"sequence_number":)" + std::to_string(n) + R"(,"delta":")",
                     kEventBytes);
    return event("response.completed",
                 R"("response":{"id":"resp_0123456789","model":"gpt-upstream-2025","status":)"
                 R"("completed",)" +
                     std::string(kUsage) + R"(},"note":")",
                 0);
}

/// Head and body of an answer, of which x-received-model is written anew each time. Blanks behind it are no part of a
/// field's value.
class AnswerText {
public:
    AnswerText(std::string_view fields, std::string_view body) {
        text_ = "HTTP/1.1 200 OK\r\nServer: bench\r\n";
        text_.append(fields).append("X-Received-Model: ");
        model_at_ = text_.size();
        text_.append(kModelBytes, ' ').append("\r\n\r\n").append(body);
    }

    std::string_view with_model(std::string_view model) {
        std::fill_n(text_.begin() + static_cast<std::ptrdiff_t>(model_at_), kModelBytes, ' ');
        text_.replace(model_at_, std::min(model.size(), kModelBytes), model.substr(0, kModelBytes));
        return text_;
    }

private:
    std::string text_;
    std::size_t model_at_ = 0;
};

AnswerText json_answer() {
    const std::string body = answer_body();
    return {"Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n", body};
}

/// The model that a body names, when it does so near its beginning, as clients do.
std::string_view model_named_in(std::string_view body) {
    constexpr std::string_view kMember = R"("model":")";
    body = body.substr(0, 256);
    const std::size_t at = body.find(kMember);
    if (at == body.npos) return {};
    const std::string_view rest = body.substr(at + kMember.size());
    return rest.substr(0, rest.find('"'));
}

struct Connection {
    int socket;
    std::string head;           ///< of a request, while it is not whole
    std::size_t body_left = 0;  ///< of the request that is being received
    std::string model;
    bool open = true;
    bool streaming = false;
    long due = 0;          ///< events that may be sent
    long written = 0;      ///< events that were
    std::size_t sent = 0;  ///< bytes of the stream's text
};

/// A time at which a stream's next events are due. The connection may be gone by then: it is kept until it is asked.
struct Wake {
    std::int64_t at_ns;
    std::shared_ptr<Connection> connection;
    bool operator>(const Wake& other) const noexcept { return at_ns > other.at_ns; }
};

struct Settings {
    long events = 0, gap_us = 0;
};

class Upstream {
public:
    explicit Upstream(const Settings& settings) : settings_(settings) {
        for (long n = 0; n < settings_.events; ++n) {
            stream_text_ += chunk(event_number(n, settings_.events));
            if (n == settings_.events - 1) stream_text_ += "0\r\n\r\n";
            event_ends_.push_back(stream_text_.size());
        }
    }

    [[noreturn]] void run() {
        const int listener = listen_on_loopback();
        poller_.add(listener, nullptr);
        announce(listener);
        for (;;) {
            for (const epoll_event& event : poller_.wait(time_to_next_wake())) {
                if (event.data.ptr == nullptr) {
                    accept_all(listener);
                    continue;
                }
                Connection& connection = *static_cast<Connection*>(event.data.ptr);
                if (connection.open) serve(connection, event.events);
            }
            wake_streams();
            closed_.clear();
        }
    }

private:
    void accept_all(int listener) {
        while (const std::optional<int> socket = accept_from(listener)) {
            const auto at = static_cast<std::size_t>(*socket);
            if (connections_.size() <= at) connections_.resize(at + 1);
            connections_[at] = std::make_shared<Connection>(Connection{.socket = *socket, .head = {}, .model = {}});
            poller_.add(*socket, connections_[at].get());
        }
    }

    void close(Connection& connection) {
        ::close(connection.socket);
        connection.open = false;
        // Later events of the same round may still name it.
        closed_.push_back(std::move(connections_[static_cast<std::size_t>(connection.socket)]));
    }

    void serve(Connection& connection, std::uint32_t events) {
        if ((events & EPOLLOUT) != 0 && connection.streaming && !pump(connection)) return close(connection);
        const bool is_ending = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
        for (;;) {
            const ssize_t got = ::recv(connection.socket, input_.data(), input_.size(), 0);
            if (got < 0 && errno == EAGAIN) return;
            if (got <= 0) return close(connection);
            const std::string_view bytes(input_.data(), static_cast<std::size_t>(got));
            if (!take(connection, bytes)) return close(connection);
            // Less than was asked for is all there is, and more will wake us; but not an end that was there already.
            if (bytes.size() < input_.size() && !is_ending) return;
        }
    }

    /// False when it is no request that can be answered. Nobody sends a request before the answer to the last one.
    bool take(Connection& connection, std::string_view bytes) {
        if (connection.body_left == 0) {
            if (!connection.head.empty()) bytes = connection.head.append(bytes);
            Head head;
            const Scan scan = scan_head(bytes, head);
            if (scan == Scan::incomplete) {
                if (connection.head.empty()) connection.head.assign(bytes);
                return true;
            }
            if (scan == Scan::broken || head.chunked || head.content_length == 0) return false;
            connection.model.clear();
            connection.body_left = head.content_length;
            const bool is_taken = take_body(connection, bytes.substr(head.size));
            connection.head.clear();
            return is_taken;
        }
        return take_body(connection, bytes);
    }

    bool take_body(Connection& connection, std::string_view bytes) {
        if (bytes.size() > connection.body_left) return false;
        if (connection.model.empty()) connection.model = model_named_in(bytes);
        connection.body_left -= bytes.size();
        return connection.body_left > 0 || answer(connection);
    }

    bool answer(Connection& connection) {
        AnswerText& answer = settings_.events == 0 ? json_ : stream_head_;
        const std::string_view text = answer.with_model(connection.model);
        // A socket that has just been read empty has room for a kilobyte.
        if (::send(connection.socket, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size()))
            return false;
        if (settings_.events == 0) return true;
        connection.streaming = true;
        connection.due = connection.written = 0;
        connection.sent = 0;
        if (settings_.gap_us > 0) {
            begin_stream(connection);
            return true;
        }
        connection.due = settings_.events;
        return pump(connection);
    }

    /// Streams have nothing to do with each other, so their events are spread over the gap; but on a grid of a
    /// millisecond, so that how many fall together does not change from run to run.
    void begin_stream(Connection& connection) {
        constexpr std::int64_t kGrid = 1'000'000;
        const std::int64_t gap = settings_.gap_us * 1000;
        const std::int64_t phase = static_cast<std::int64_t>(streams_begun_++) * kGrid % gap;
        const std::int64_t first = (now_ns() + phase) / kGrid * kGrid + kGrid;
        wakes_.push({first, connections_[static_cast<std::size_t>(connection.socket)]});
    }

    std::optional<std::int64_t> time_to_next_wake() const {
        if (wakes_.empty()) return std::nullopt;
        return wakes_.top().at_ns - now_ns();
    }

    void wake_streams() {
        while (!wakes_.empty() && wakes_.top().at_ns <= now_ns()) {
            const Wake wake = wakes_.top();
            wakes_.pop();
            Connection& connection = *wake.connection;
            if (!connection.open || !connection.streaming) continue;
            const bool is_last = ++connection.due == settings_.events;
            if (!pump(connection)) {
                close(connection);
            } else if (!is_last) {
                wakes_.push({wake.at_ns + settings_.gap_us * 1000, wake.connection});
            }
        }
    }

    /// Sends what is due, one event a write. What does not fit goes when the socket takes more. False when the
    /// connection is broken.
    bool pump(Connection& connection) {
        while (connection.written < connection.due) {
            const std::size_t end = event_ends_[static_cast<std::size_t>(connection.written)];
            const ssize_t count =
                ::send(connection.socket, stream_text_.data() + connection.sent, end - connection.sent, MSG_NOSIGNAL);
            if (count < 0 && errno == EAGAIN) return true;
            if (count < 0) return false;
            connection.sent += static_cast<std::size_t>(count);
            if (connection.sent < end) return true;
            ++connection.written;
        }
        if (connection.written == settings_.events) connection.streaming = false;
        return true;
    }

    Settings settings_;
    Poller poller_;
    AnswerText json_ = json_answer();
    AnswerText stream_head_{"Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n", ""};
    std::string stream_text_;                               ///< every chunk of a stream
    std::vector<std::size_t> event_ends_;                   ///< in stream_text_
    std::vector<std::shared_ptr<Connection>> connections_;  ///< by socket
    std::vector<std::shared_ptr<Connection>> closed_;       ///< in this round
    std::priority_queue<Wake, std::vector<Wake>, std::greater<>> wakes_;
    unsigned long streams_begun_ = 0;
    std::vector<char> input_ = std::vector<char>(256 * 1024);
};

}  // namespace
}  // namespace oai::bench

int main(int argc, char** argv) {
    oai::bench::Settings settings;
    oai::bench::read_options(argc, argv, {{"--events", &settings.events}, {"--gap-us", &settings.gap_us}});
    if (settings.events == 1 || settings.events < 0 || settings.gap_us < 0)
        oai::bench::fail("a stream has two events or more");
    oai::bench::Upstream(settings).run();
}
