#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/basic_waitable_timer.hpp>

#include "core/result.hpp"
#include "core/snapshot.hpp"
#include "http/connection.hpp"
#include "http/head.hpp"
#include "json/scanner.hpp"
#include "mock/routes.hpp"
#include "mock/script.hpp"
#include "mock/send_log.hpp"
#include "net/listener.hpp"
#include "net/worker.hpp"

namespace oai::mock {

/// What all workers of a server share.
struct Shared {
    Shared(std::uint64_t seed_, Behaviour behaviour_, std::unique_ptr<SendLog> log_)
        : seed(seed_), behaviour(std::make_shared<const Behaviour>(std::move(behaviour_))), log(std::move(log_)) {}

    const std::uint64_t seed;
    core::Snapshot<Behaviour> behaviour;
    std::atomic<std::uint64_t> generation{1};  ///< of `behaviour`: a worker loads it anew only when this has moved
    std::atomic<std::uint64_t> requests{0};    ///< numbers them in order of receipt, over all workers
    const std::unique_ptr<SendLog> log;
};

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

private:
    using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                    boost::asio::wait_traits<std::chrono::steady_clock>, net::Executor>;

    /// Memory of an answer above this is given back after it; no more than this is taken from a client that sends
    /// ahead.
    static constexpr std::size_t kKeptMemory = 64 * 1024;
    /// For a write that its reader holds up.
    static constexpr std::chrono::seconds kWriteTime{60};

    net::Stream& stream() noexcept { return *connection_.stream; }

    net::Awaitable<void> run();
    /// True when the connection may carry another request.
    net::Awaitable<bool> handle(const http::RequestHead& head);
    net::Awaitable<core::Result<std::string_view>> receive(const http::RequestHead& head, net::Buffer& gathered);
    /// Answers what is no request, or none that can be read to its end; the connection closes.
    net::Awaitable<void> refuse(const core::Error& error);

    /// From the request to a plan, without waiting. An error is the caller's: a 4xx.
    core::Result<void> understand(const http::RequestHead& head, std::string_view body);
    core::Result<void> read_fields(std::string_view body, RequestFacts& facts);
    void make_id();

    /// Whether the whole answer can be sent at once: the usual case, which never leaves `handle`.
    bool is_immediate() const noexcept;
    net::Awaitable<bool> play();
    net::Awaitable<bool> play_whole();
    net::Awaitable<bool> play_stream();
    void render_whole();
    void render_error(const core::Error& error);
    void render_head(std::string_view content_type, std::size_t content_length);

    /// What is rendered and not sent yet, framed. `last`: the stream ends with it.
    net::Pieces framed(bool last);
    /// Sends it. False when the peer is gone.
    net::Awaitable<bool> flush(bool last);
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
    const Route* route_ = nullptr;
    Plan plan_;
    Answer answer_;
    SendRecord record_;
    std::string model_;
    char id_[48] = {};
    core::TimePoint received_{};
    core::TimePoint ended_{};  ///< of the last answer
    int status_ = 200;
    bool stream_answer_ = false;
    bool keep_ = true;
    bool old_client_ = false;    ///< HTTP/1.0
    bool head_request_ = false;  ///< HEAD: an answer has no body
    std::string head_;
    std::string body_;
    char chunk_header_[http::kMaxChunkHeader] = {};
};

}  // namespace oai::mock
