#include "net/suspend.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

namespace oai::net {

namespace asio = boost::asio;

Awaitable<void> suspend(Worker& worker, std::function<void(std::function<void()>)> start) {
    struct Wait {
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<Awaitable<void>::promise_type> waiting) const {
            // Shared: a std::function is copied, what it resumes is not.
            const auto kept = std::make_shared<Resumption>(waiting.promise());
            start([kept, work = asio::make_work_guard(worker.executor())] {
                asio::post(work.get_executor(), [kept] { (*kept)(); });
            });
        }
        void await_resume() const noexcept {}
        Worker& worker;
        const std::function<void(std::function<void()>)>& start;
    };
    const Wait wait{worker, start};
    co_await wait;
}

Awaitable<void> pause(Worker& worker, std::chrono::nanoseconds time) {
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor> timer(
        worker.executor());
    timer.expires_after(time);
    co_await timer.async_wait(use_awaitable);
}

}  // namespace oai::net
