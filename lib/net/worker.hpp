#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

#include <boost/asio/steady_timer.hpp>

#include "core/clock.hpp"
#include "core/ids.hpp"
#include "net/buffer.hpp"
#include "net/types.hpp"

namespace oai::net {

class Stream;

/// One thread with one io_context and everything that lives on it. A connection is accepted or opened on a worker and
/// dies there; nothing on the request path is shared, so nothing is locked.
///
/// Life: construct, `start` (or `run` on a thread of your own), `post` work from anywhere, `stop`, destroy. `stop`
/// closes every stream, so that sessions end by themselves; `run` returns when the last one has.
class Worker {
public:
    explicit Worker(std::string_view name);  ///< of its thread, at most 15 characters are kept
    ~Worker();                               ///< stops and joins
    Worker(const Worker&) = delete;

    Executor executor() noexcept { return context_.get_executor(); }
    boost::asio::io_context& context() noexcept { return context_; }
    BufferPool& buffers() noexcept { return buffers_; }
    core::IdSource& ids() noexcept { return ids_; }

    void start();
    void run();
    /// From any thread: closes all streams; new ones are closed at birth. Idempotent.
    void stop();
    bool stopping() const noexcept { return stopping_; }
    void join();

    /// On the worker: the time of its last sweep, for whoever need not know it closer than 50 ms and wants no clock
    /// read for it. It stands still while the worker has no streams.
    core::TimePoint coarse_now() const noexcept { return coarse_now_; }

    /// From any thread: runs `task` on the worker.
    void post(std::function<void()> task);

    /// On the worker: runs a session to its end. An exception that escapes is logged and counted, never lost.
    void spawn(Awaitable<void> session);
    std::size_t sessions() const noexcept { return sessions_; }
    std::size_t escaped_exceptions() const noexcept { return escaped_.load(std::memory_order_relaxed); }

private:
    friend class Stream;
    void enlist(Stream& stream);
    void delist(Stream& stream) noexcept;
    void sweep();
    void arm_sweep();
    void close_all();

    std::string name_;
    core::IdSource ids_;
    BufferPool buffers_;
    Stream* streams_ = nullptr;  ///< intrusive list: every stream of this worker
    core::TimePoint coarse_now_{};
    bool sweeping_ = false;
    unsigned sweeps_ = 0;
    bool stopping_ = false;
    std::size_t sessions_ = 0;
    std::atomic<std::size_t> escaped_{0};
    std::thread thread_;
    boost::asio::io_context context_;
    boost::asio::basic_waitable_timer<std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>,
                                      Executor>
        sweep_timer_;
    boost::asio::executor_work_guard<Executor> work_;
};

}  // namespace oai::net
