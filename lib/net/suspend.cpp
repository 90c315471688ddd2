#include "net/suspend.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

namespace oai::net {

namespace asio = boost::asio;

Awaitable<void> suspend(Worker& worker, std::function<void(std::function<void()>)> start) {
    const auto initiate = [&worker, &start](auto handler) {
        auto kept = std::make_shared<decltype(handler)>(std::move(handler));
        start([kept, work = asio::make_work_guard(worker.executor())] {
            asio::post(work.get_executor(), [kept] { std::move (*kept)(); });
        });
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void()>(initiate, use_awaitable);
}

Awaitable<void> pause(Worker& worker, std::chrono::nanoseconds time) {
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor> timer(
        worker.executor());
    timer.expires_after(time);
    co_await timer.async_wait(use_awaitable);
}

}  // namespace oai::net
