#include "net/worker.hpp"

#include <exception>
#include <pthread.h>
#include <string>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>

#include "core/log.hpp"
#include "net/stream.hpp"

namespace oai::net {
namespace {

/// How late a deadline may be noticed. Timeouts are seconds; a timer per operation measured +6 us per request.
constexpr std::chrono::milliseconds kSweepPeriod{50};
/// A client that left is noticed within 250 ms: 2,000 waiting streams then cost a quarter of a percent of a core.
constexpr unsigned kSweepsPerLook = 5;

}  // namespace

// UNSAFE_IO: one thread touches this worker's sockets, so Asio's per-descriptor locks are left out; `post` stays safe
// from others.
Worker::Worker(std::string_view name)
    : name_(name.substr(0, 15)),
      context_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO),
      sweep_timer_(context_.get_executor()),
      work_(context_.get_executor()) {}

Worker::~Worker() {
    stop();
    join();
}

void Worker::start() {
    thread_ = std::thread([this] { run(); });
    ::pthread_setname_np(thread_.native_handle(), name_.c_str());
}

void Worker::run() {
    context_.run();
}

void Worker::join() {
    if (thread_.joinable()) thread_.join();
}

void Worker::stop() {
    boost::asio::post(context_, [this] {
        if (stopping_) return;
        stopping_ = true;
        close_all();
        work_.reset();
    });
}

void Worker::post(std::function<void()> task) {
    boost::asio::post(context_, std::move(task));
}

void Worker::spawn(Awaitable<void> session) {
    ++sessions_;
    const auto end = [this](const std::exception_ptr& escaped) {
        --sessions_;
        if (!escaped) return;
        escaped_.fetch_add(1, std::memory_order_relaxed);
        try {
            std::rethrow_exception(escaped);
        } catch (const std::exception& e) {
            core::log(core::LogLevel::error, "an exception escaped a session", {{"what", e.what()}});
        } catch (...) {
            core::log(core::LogLevel::error, "an unknown exception escaped a session");
        }
    };
    // At once on the worker's thread; before that thread runs, when it does.
    boost::asio::dispatch(context_,
                          [session = std::move(session), end]() mutable { net::start(std::move(session), end); });
}

void Worker::enlist(Stream& stream) {
    stream.next_ = streams_;
    stream.previous_ = nullptr;
    if (streams_ != nullptr) streams_->previous_ = &stream;
    streams_ = &stream;
    if (stopping_) stream.close();
    if (sweeping_) return;
    coarse_now_ = std::chrono::steady_clock::now();
    arm_sweep();
}

void Worker::delist(Stream& stream) noexcept {
    if (stream.previous_ != nullptr) stream.previous_->next_ = stream.next_;
    if (stream.next_ != nullptr) stream.next_->previous_ = stream.previous_;
    if (streams_ == &stream) streams_ = stream.next_;
}

void Worker::arm_sweep() {
    sweeping_ = true;
    sweep_timer_.expires_after(kSweepPeriod);
    sweep_timer_.async_wait([this](const boost::system::error_code& failed) {
        sweeping_ = false;
        if (!failed) sweep();
    });
}

void Worker::sweep() {
    const core::TimePoint now = coarse_now_ = std::chrono::steady_clock::now();
    const bool look = ++sweeps_ % kSweepsPerLook == 0;
    for (Stream* at = streams_; at != nullptr; at = at->next_) {
        if (at->deadline_ <= now) at->expire();
        if (at->wake_ <= now) at->wake();
        if (at->short_read_) at->look_for_end();
        if (look && at->dependent_ != nullptr) at->look_for_peer();
    }
    if (streams_ != nullptr && !stopping_) arm_sweep();
}

void Worker::close_all() {
    sweep_timer_.cancel();
    for (Stream* at = streams_; at != nullptr; at = at->next_) at->close();
}

}  // namespace oai::net
