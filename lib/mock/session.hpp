#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/basic_waitable_timer.hpp>

#include "core/result.hpp"
#include "http/connection.hpp"
#include "http/head.hpp"
#include "http/websocket_connection.hpp"
#include "json/scanner.hpp"
#include "mock/call.hpp"
#include "mock/gzip.hpp"
#include "mock/routes.hpp"
#include "mock/script.hpp"
#include "mock/shared.hpp"
#include "net/listener.hpp"
#include "net/worker.hpp"

namespace oai::mock {

class Session;

/// Adds to a counter of one writer: without a locked instruction.
inline void count(std::atomic<std::uint64_t>& counter, std::uint64_t by = 1) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

/// What belongs to one worker. Shared by the server and by every session, because a server on a given worker may be
/// destroyed before the worker got round to ending the sessions.
struct Shard {
    Shard(net::Worker& worker_, std::shared_ptr<Shared> shared_) : worker(worker_), shared(std::move(shared_)) {}

    net::Worker& worker;
    const std::shared_ptr<Shared> shared;
    std::unique_ptr<net::Listener> listener;
    json::Scanner scanner;
    std::list<Session*> sessions;
    bool stopping = false;
    std::shared_ptr<const Behaviour> behaviour;
    std::uint64_t generation = 0;
    // Written by the worker, read from anywhere.
    std::atomic<std::uint64_t> connections{0};
    std::atomic<std::uint64_t> open{0};
    std::atomic<std::uint64_t> answered{0};
    std::atomic<std::uint64_t> faults{0};

    /// The one in force; on the worker.
    const Behaviour& current();
    /// On the worker.
    static void start(const std::shared_ptr<Shard>& shard);
    void stop();
};

/// One connection: reads requests and plays what the script says. Everything it keeps between requests is reused, so
/// that a small answer costs one read, one write and no memory.
class Session {
public:
    static net::Awaitable<void> serve(std::shared_ptr<Shard> shard, net::Socket socket);

    Session(Shard& shard, net::Socket socket);
    ~Session();
    Session(const Session&) = delete;

    /// On the worker: ends whatever it waits for.
    void close() noexcept;

    // What http::serve_connection calls.
    net::Awaitable<bool> handle(http::Connection& connection, http::RequestHead& head);
    net::Awaitable<void> refuse(http::Connection& connection, const core::Error& error);

private:
    using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                    boost::asio::wait_traits<std::chrono::steady_clock>, net::Executor>;

    /// Memory of an answer above this is given back after it; no more than this is taken from a client that sends
    /// ahead.
    static constexpr std::size_t kKeptMemory = 64 * 1024;
    /// For a write that its reader holds up.
    static constexpr std::chrono::seconds kWriteTime{60};

    net::Stream& stream() noexcept { return *connection_.stream; }

    /// The body, whole; of a form nothing, and what it said in `upload_`.
    net::Awaitable<core::Result<std::string_view>> receive(const http::RequestHead& head, net::Buffer& gathered);
    net::Awaitable<core::Result<void>> receive_form(const http::RequestHead& head);

    /// Whether the request wants to become a WebSocket, and may.
    bool asks_for_conversation(const http::RequestHead& head);
    /// A WebSocket from its handshake to its end. False when the connection is of no more use.
    net::Awaitable<bool> converse(const http::RequestHead& head);
    /// Messages, each answered like the body of a POST.
    net::Awaitable<void> take_turns(const http::RequestHead& head);
    net::Awaitable<bool> take_turn(const http::RequestHead& head, std::string_view message);
    /// What is rendered and not sent yet: each event a message, each comment a ping.
    net::Awaitable<bool> flush_messages();

    /// What the head says, before the body is read.
    void begin(const http::RequestHead& head);
    /// From the request to a plan, without waiting.
    Verdict understand(const http::RequestHead& head, std::string_view body);
    Verdict check_head(const http::RequestHead& head) const;
    Verdict check_previous(const json::Member& previous);
    Verdict check_conversation(const json::Member& conversation);
    Verdict read_fields(std::string_view body, RequestFacts& facts);
    Verdict read_form(RequestFacts& facts);
    void choose_tool(const json::Member& tools, const json::Member& choice);
    /// The body of an answer that is sent whole. Made here and not when it is sent: it may name models of a behaviour
    /// that is replaced meanwhile.
    Verdict render_body(const http::RequestHead& head, std::string_view body);
    Verdict act(const http::RequestHead& head, std::string_view body);
    /// For those who ask again.
    void remember();
    /// A fresh answer with an id of its own.
    void begin_answer();
    bool is_control() const noexcept;

    /// Whether the whole answer can be sent at once: the usual case, which never leaves `handle`.
    bool is_immediate() const noexcept;
    net::Awaitable<bool> play();
    net::Awaitable<bool> play_whole();
    net::Awaitable<bool> play_stream();
    net::Awaitable<bool> play_pings();
    /// Ends in the middle of what was rendered, as the fault wants it.
    net::Awaitable<void> break_off();
    void render_whole();
    void render_refusal(const Refusal& refusal);
    void render_head(std::string_view content_type, std::size_t content_length);

    /// What is rendered and not sent yet, framed. `last`: the answer ends with it.
    net::Pieces framed(bool last);
    /// Sends it. False when the peer is gone.
    net::Awaitable<bool> flush(bool last);
    net::Awaitable<bool> send(net::Pieces pieces);
    /// The beginning of the head, and `delay` later nothing yet of the rest.
    net::Awaitable<bool> send_half_head();
    /// Byte by byte.
    net::Awaitable<bool> trickle(net::Pieces pieces);
    void stamp();

    /// False when the peer has left or the server stops.
    net::Awaitable<bool> wait_until(core::TimePoint due);
    /// Until the peer leaves or the server stops.
    net::Awaitable<void> wait_for_leave();
    bool peer_left();

    void begin_record();
    void finish_record(bool complete);

    Shard& shard_;
    std::list<Session*>::iterator place_;
    http::Connection connection_;
    Timer timer_;

    // The request being answered.
    RouteMatch match_;
    std::string_view credential_;  ///< that the request shows
    Plan plan_;
    Answer answer_;
    SendRecord record_;
    std::string model_;
    std::string form_text_;
    char id_[48] = {};
    core::TimePoint received_{};
    core::TimePoint ended_{};  ///< of the last answer
    int status_ = 200;
    bool streams_ = false;  ///< the answer is a stream
    enum class Framing : std::uint8_t { length, chunked, until_close } framing_ = Framing::length;
    std::string_view type_;    ///< of a whole answer
    bool takes_form_ = false;  ///< the request's body is one
    std::optional<Upload> upload_;
    std::optional<Receipt> receipt_;
    bool keeps_chat_ = false;  ///< the request says "store": true
    std::unique_ptr<Gzip> gzip_;
    http::WebSocket* socket_ = nullptr;  ///< the request came as a message, and so goes its answer
    std::vector<std::string> told_;      ///< digits of the ids of responses that this WebSocket has brought
    bool keep_ = true;
    bool old_client_ = false;    ///< HTTP/1.0
    bool head_request_ = false;  ///< HEAD: an answer has no body
    std::string head_;
    std::string body_;
    char chunk_header_[http::kMaxChunkHeader] = {};
};

}  // namespace oai::mock
