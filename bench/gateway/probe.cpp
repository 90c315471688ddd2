// A yardstick: the least that a proxy with a gateway's duties costs, one thread on raw epoll.
//
//   bench_probe --upstream-port P --key K
//
// What it does of each request: scans the head, looks the bearer token up among a hundred others, scans the whole body
// with simdjson, replaces the model without copying the body, sets the upstream's credential, sends over a kept
// connection, relays head (with one field more) and body as they come, and reads the usage. What it does not: time
// limits, metrics, fail-over, or being strict with anybody. Those are what a gateway may cost beyond it.
// SIGTERM ends it; then it prints what it has read of the answers, which is how bench/gateway/run knows that it did.
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cinttypes>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <unordered_set>
#include <vector>

#include <simdjson.h>

#include "http.hpp"
#include "program.hpp"

namespace oai::bench {
namespace {

constexpr std::string_view kUpstreamModel = R"("gpt-upstream-2025")";
constexpr std::string_view kUpstreamKey = "sk-upstream-0123456789abcdef";
constexpr std::string_view kAddedField = "X-Probe-Version: v1\r\n\r\n";  // in the place of a head's blank line
constexpr std::string_view kUnauthorized = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
constexpr std::string_view kBadRequest = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
constexpr std::string_view kBadGateway = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n";

/// Strings are looked up by views: a look-up allocates nothing.
struct ViewHash : std::hash<std::string_view> {
    using is_transparent = void;
};
class Keys {
public:
    explicit Keys(std::string_view valid) {
        keys_.emplace(valid);
        for (int i = 0; i < 100; ++i) keys_.insert("sk-other-" + std::to_string(i) + "-0123456789abcdef01234567");
    }
    bool has(std::string_view authorization) const {
        constexpr std::string_view kBearer = "Bearer ";
        return authorization.starts_with(kBearer) && keys_.find(authorization.substr(kBearer.size())) != keys_.end();
    }

private:
    std::unordered_set<std::string, ViewHash, std::equal_to<>> keys_;
};

struct Totals {
    std::uint64_t answers = 0, input_tokens = 0, output_tokens = 0;
};

/// Reads a usage object wherever one stands: in a JSON answer, or in a stream's response.completed.
class UsageReader {
public:
    explicit UsageReader(Totals& totals) : totals_(totals) {}

    void begin(bool is_stream) {
        is_stream_ = is_stream;
        rest_.clear();
    }

    void feed(std::string_view payload) {
        while (is_stream_) {
            const std::size_t end = payload.find('\n');
            if (end == payload.npos) break;
            read_line(whole(payload.substr(0, end)));
            rest_.clear();
            payload.remove_prefix(end + 1);
        }
        rest_ += payload;
    }

    void end() {
        if (!is_stream_) read_usage(rest_);
        ++totals_.answers;
    }

private:
    std::string_view whole(std::string_view line) {
        if (rest_.empty()) return line;
        return rest_ += line;
    }

    void read_line(std::string_view line) {
        if (line.starts_with(R"(data: {"type":"response.completed")")) read_usage(line);
    }

    void read_usage(std::string_view text) {
        const std::size_t at = text.find(R"("usage":{)");
        if (at == text.npos) return;
        totals_.input_tokens += number_after(text.substr(at), R"("input_tokens":)");
        totals_.output_tokens += number_after(text.substr(at), R"("output_tokens":)");
    }

    static std::uint64_t number_after(std::string_view text, std::string_view name) {
        const std::size_t at = text.find(name);
        std::uint64_t number = 0;
        if (at != text.npos) std::from_chars(text.data() + at + name.size(), text.data() + text.size(), number);
        return number;
    }

    Totals& totals_;
    bool is_stream_ = false;
    std::string rest_;  ///< what came of a line, or of a JSON answer
};

/// Bytes that are received. Its memory is not cleared when it grows, as a string's would be.
class Buffer {
public:
    std::string_view text() const noexcept { return {memory_.get(), size_}; }
    std::span<char> room() noexcept { return {memory_.get() + size_, capacity_ - size_}; }
    std::size_t capacity() const noexcept { return capacity_; }
    void received(std::size_t count) noexcept { size_ += count; }

    void reserve(std::size_t capacity) {
        if (capacity <= capacity_) return;
        auto larger = std::make_unique_for_overwrite<char[]>(capacity);
        std::memcpy(larger.get(), memory_.get(), size_);
        memory_ = std::move(larger);
        capacity_ = capacity;
    }

    void drop_front(std::size_t count) noexcept {
        size_ -= count;
        std::memmove(memory_.get(), memory_.get() + count, size_);
    }

private:
    std::size_t capacity_ = 16 * 1024, size_ = 0;
    std::unique_ptr<char[]> memory_ = std::make_unique_for_overwrite<char[]>(capacity_);
};

/// Pieces that are sent one after the other, without being copied.
class Pieces {
public:
    void add(std::string_view piece) {
        if (!piece.empty()) pieces_[count_++] = {const_cast<char*>(piece.data()), piece.size()};
    }
    bool empty() const noexcept { return first_ == count_; }
    void clear() noexcept { first_ = count_ = 0; }
    std::span<const iovec> left() const noexcept { return std::span(pieces_).subspan(first_, count_ - first_); }

    /// Sends what the socket takes now. False when the connection is broken.
    bool send_to(int socket) {
        while (!empty()) {
            msghdr message = {};
            message.msg_iov = pieces_.data() + first_;
            message.msg_iovlen = count_ - first_;
            const ssize_t sent = ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (sent < 0) return errno == EAGAIN;
            drop(static_cast<std::size_t>(sent));
        }
        return true;
    }

private:
    void drop(std::size_t count) {
        for (; first_ < count_ && count >= pieces_[first_].iov_len; ++first_) count -= pieces_[first_].iov_len;
        if (first_ == count_) return;
        pieces_[first_].iov_base = static_cast<char*>(pieces_[first_].iov_base) + count;
        pieces_[first_].iov_len -= count;
    }

    std::array<iovec, 4> pieces_ = {};
    std::size_t first_ = 0, count_ = 0;
};

enum class Side : std::uint8_t { client, upstream };
/// What epoll's events point at. One that was closed stays until the events of its round are done.
struct Peer {
    Side side;
    int socket;
    bool open = true;
};

struct Upstream;
struct Client : Peer {
    Client(int s, Totals& totals) : Peer{Side::client, s}, usage(totals) {}
    Buffer input;
    std::size_t request_size = 0;  ///< head and body; 0 while the head is not whole
    std::size_t head_size = 0;
    std::string target;
    Upstream* upstream = nullptr;  ///< while a request is on its way
    std::string upstream_head;
    Pieces to_upstream;
    std::string answer_head;  ///< while it is not whole
    bool in_answer_body = false;
    BodyReader answer;
    UsageReader usage;
    std::string unsent;  ///< of the answer, while the client does not read
};
struct Upstream : Peer {
    explicit Upstream(int s) : Peer{Side::upstream, s} {}
    Client* client = nullptr;  ///< null while it is kept
};

class Probe {
public:
    Probe(long upstream_port, std::string_view key) : upstream_port_(upstream_port), keys_(key) {}

    /// Until somebody ends the program.
    void run(const volatile std::sig_atomic_t& is_over) {
        const int listener = listen_on_loopback();
        poller_.add(listener, nullptr);
        announce(listener);
        while (is_over == 0) {
            for (const epoll_event& event : poller_.wait()) handle(listener, event);
            closed_.clear();
        }
    }

    void print() const {
        std::printf("answers=%" PRIu64 " input_tokens=%" PRIu64 " output_tokens=%" PRIu64 "\n", totals_.answers,
                    totals_.input_tokens, totals_.output_tokens);
    }

private:
    static constexpr std::uint32_t kEnding = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

    void handle(int listener, const epoll_event& event) {
        Peer* const peer = static_cast<Peer*>(event.data.ptr);
        if (peer == nullptr) {
            while (const std::optional<int> socket = accept_from(listener))
                poller_.add(*socket, new Client(*socket, totals_));  // ends in close_client
        } else if (!peer->open) {
            return;
        } else if (peer->side == Side::client) {
            handle_client(static_cast<Client&>(*peer), event.events);
        } else {
            handle_upstream(static_cast<Upstream&>(*peer), event.events);
        }
    }

    void handle_client(Client& client, std::uint32_t events) {
        if ((events & EPOLLOUT) != 0 && !client.unsent.empty()) {
            flush(client);
            if (client.open && client.unsent.empty() && client.upstream != nullptr) read_answer(*client.upstream);
        }
        if (client.open && (events & (EPOLLIN | kEnding)) != 0) read_request(client, (events & kEnding) != 0);
    }

    void handle_upstream(Upstream& upstream, std::uint32_t events) {
        if (upstream.client == nullptr) {
            if ((events & kEnding) != 0) close_upstream(upstream);
            return;
        }
        if ((events & EPOLLOUT) != 0 && !upstream.client->to_upstream.send_to(upstream.socket))
            return refuse(*upstream.client, kBadGateway);
        if ((events & (EPOLLIN | kEnding)) != 0) read_answer(upstream);
    }

    // --- requests ---

    void read_request(Client& client, bool is_ending) {
        while (client.open) {
            const std::span<char> room = client.input.room();
            if (room.empty()) return;  // nobody sends that much more before an answer
            const ssize_t got = ::recv(client.socket, room.data(), room.size(), MSG_DONTWAIT);
            if (got < 0 && errno == EAGAIN) return;
            if (got <= 0) return close_client(client);
            client.input.received(static_cast<std::size_t>(got));
            take_request(client);
            // Less than was asked for is all there is; but an end that was there already wakes nobody again.
            if (static_cast<std::size_t>(got) < room.size() && !is_ending) return;
        }
    }

    void take_request(Client& client) {
        if (client.upstream != nullptr) return;
        if (client.request_size == 0 && !take_head(client)) return;
        if (client.input.text().size() >= client.request_size) forward(client);
    }

    bool take_head(Client& client) {
        Head head;
        const Scan scan = scan_head(client.input.text(), head);
        if (scan == Scan::broken) refuse(client, kBadRequest);
        if (scan != Scan::done) return false;
        if (!keys_.has(head.authorization)) {
            refuse(client, kUnauthorized);
            return false;
        }
        client.head_size = head.size;
        client.request_size = head.size + head.content_length;
        client.target.assign(head.target);
        client.input.reserve(client.request_size + simdjson::SIMDJSON_PADDING);
        return true;
    }

    void forward(Client& client) {
        const std::string_view body =
            client.input.text().substr(client.head_size, client.request_size - client.head_size);
        const std::string_view model = find_model(body, client.input.capacity() - client.head_size);
        if (model.empty()) return refuse(client, kBadRequest);
        client.upstream = take_upstream();
        if (client.upstream == nullptr) return refuse(client, kBadGateway);
        client.upstream->client = &client;
        client.in_answer_body = false;
        write_upstream_head(client, body.size() - model.size() + kUpstreamModel.size());
        const auto model_at = static_cast<std::size_t>(model.data() - body.data());
        client.to_upstream.clear();
        client.to_upstream.add(client.upstream_head);
        client.to_upstream.add(body.substr(0, model_at));
        client.to_upstream.add(kUpstreamModel);
        client.to_upstream.add(body.substr(model_at + model.size()));
        if (!client.to_upstream.send_to(client.upstream->socket)) refuse(client, kBadGateway);
    }

    /// The model's value with its quotes; empty when the body is not one that could go on. Looks at all members, as a
    /// gateway does that has to know whether a name stands twice.
    std::string_view find_model(std::string_view body, std::size_t capacity) {
        simdjson::ondemand::document document;
        simdjson::ondemand::object object;
        if (parser_.iterate(simdjson::padded_string_view(body.data(), body.size(), capacity)).get(document) ||
            document.get_object().get(object))
            return {};
        std::string_view model;
        for (simdjson::simdjson_result<simdjson::ondemand::field> member : object) {
            simdjson::ondemand::raw_json_string name;
            simdjson::ondemand::value value;
            if (member.key().get(name) || member.value().get(value)) return {};
            if (name == "model") {
                model = value.raw_json_token();
                std::string_view text;
                if (value.get_string().get(text)) return {};
                model = model.substr(0, model.rfind('"') + 1);  // a token ends with the blanks behind it
            } else if (name == "stream") {
                bool stream = false;
                if (value.get_bool().get(stream)) return {};
            }
        }
        return model;
    }

    static void write_upstream_head(Client& client, std::size_t body_size) {
        std::array<char, 20> digits = {};
        const auto end = std::to_chars(digits.begin(), digits.end(), body_size).ptr;
        client.upstream_head.assign("POST ").append(client.target);
        client.upstream_head.append(
            " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAccept: */*\r\n");
        client.upstream_head.append("Authorization: Bearer ").append(kUpstreamKey).append("\r\nContent-Length: ");
        client.upstream_head.append(digits.begin(), end).append("\r\n\r\n");
    }

    // --- answers ---

    void read_answer(Upstream& upstream) {
        while (upstream.open && upstream.client != nullptr && upstream.client->unsent.empty()) {
            const ssize_t got = ::recv(upstream.socket, relayed_.data(), relayed_.size(), MSG_DONTWAIT);
            if (got < 0 && errno == EAGAIN) return;
            // Within an answer: what the client has of it cannot be made good.
            if (got <= 0) return close_client(*upstream.client);
            const std::string_view bytes(relayed_.data(), static_cast<std::size_t>(got));
            relay(*upstream.client, bytes);
            if (bytes.size() < relayed_.size()) return;
        }
    }

    void relay(Client& client, std::string_view bytes) {
        Pieces pieces;
        if (!client.in_answer_body) {
            if (!client.answer_head.empty()) bytes = client.answer_head.append(bytes);
            Head head;
            const Scan scan = scan_head(bytes, head);
            if (scan == Scan::broken) return refuse(client, kBadGateway);
            if (scan == Scan::incomplete) {
                if (client.answer_head.empty()) client.answer_head.assign(bytes);
                return;
            }
            client.in_answer_body = true;
            client.answer.begin(head);
            client.usage.begin(head.content_type.starts_with("text/event-stream"));
            pieces.add(bytes.substr(0, head.size - 2));
            pieces.add(kAddedField);
            bytes.remove_prefix(head.size);
        }
        pieces.add(bytes);
        client.answer.feed(bytes, [&](std::string_view payload) { client.usage.feed(payload); });
        if (!pieces.send_to(client.socket)) return close_client(client);
        for (const iovec& piece : pieces.left())
            client.unsent.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
        client.answer_head.clear();
        if (client.answer.ended()) finish(client);
    }

    void finish(Client& client) {
        client.usage.end();
        client.upstream->client = nullptr;
        kept_.push_back(client.upstream);
        client.upstream = nullptr;
        client.input.drop_front(client.request_size);
        client.request_size = 0;
        if (!client.input.text().empty()) take_request(client);
    }

    void flush(Client& client) {
        const ssize_t sent =
            ::send(client.socket, client.unsent.data(), client.unsent.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN) return close_client(client);
        if (sent > 0) client.unsent.erase(0, static_cast<std::size_t>(sent));
    }

    // --- connections ---

    /// Null when the upstream does not answer.
    Upstream* take_upstream() {
        if (!kept_.empty()) {
            Upstream* const upstream = kept_.back();
            kept_.pop_back();
            return upstream;
        }
        const std::optional<int> socket = connect_to_loopback(upstream_port_);
        if (!socket) return nullptr;
        auto* const upstream = new Upstream(*socket);  // ends in close_upstream
        poller_.add(*socket, upstream);
        return upstream;
    }

    void refuse(Client& client, std::string_view answer) {
        [[maybe_unused]] const ssize_t sent = ::send(client.socket, answer.data(), answer.size(), MSG_NOSIGNAL);
        close_client(client);
    }

    void close_client(Client& client) {
        if (client.upstream != nullptr) close_upstream(*client.upstream);
        ::close(client.socket);
        client.open = false;
        closed_.push_back(std::unique_ptr<Peer, DeletePeer>(&client));
    }

    void close_upstream(Upstream& upstream) {
        if (upstream.client != nullptr) upstream.client->upstream = nullptr;
        std::erase(kept_, &upstream);
        ::close(upstream.socket);
        upstream.open = false;
        closed_.push_back(std::unique_ptr<Peer, DeletePeer>(&upstream));
    }

    struct DeletePeer {
        void operator()(Peer* peer) const noexcept {
            if (peer->side == Side::client)
                delete static_cast<Client*>(peer);
            else
                delete static_cast<Upstream*>(peer);
        }
    };

    const long upstream_port_;
    const Keys keys_;
    Poller poller_;
    simdjson::ondemand::parser parser_;
    Totals totals_;
    std::vector<Upstream*> kept_;
    std::vector<std::unique_ptr<Peer, DeletePeer>> closed_;  ///< in this round: its events may still point at them
    std::vector<char> relayed_ = std::vector<char>(128 * 1024);
};

volatile std::sig_atomic_t is_over = 0;

}  // namespace
}  // namespace oai::bench

int main(int argc, char** argv) {
    long upstream_port = 0;
    std::string key;
    oai::bench::read_options(argc, argv, {{"--upstream-port", &upstream_port}, {"--key", &key}});
    std::signal(SIGTERM, [](int) { oai::bench::is_over = 1; });
    oai::bench::Probe probe(upstream_port, key);
    probe.run(oai::bench::is_over);
    probe.print();
}
