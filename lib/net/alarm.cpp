#include "net/alarm.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

namespace oai::net {

namespace asio = boost::asio;

struct Alarm::State {
    explicit State(Worker& worker) : timer(worker.executor()) {}
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor> timer;
    bool rung = false;  ///< while nobody waited
};

Alarm::Alarm(Worker& worker) : worker_(worker), state_(std::make_shared<State>(worker)) {}

Awaitable<void> Alarm::wait_until(core::TimePoint time) {
    const std::shared_ptr<State> state = state_;
    if (!std::exchange(state->rung, false)) {
        boost::system::error_code rung;
        state->timer.expires_at(time);
        co_await state->timer.async_wait(use_awaitable(rung));
    }
}

void Alarm::ring() {
    worker_.post([state = state_] {
        if (state->timer.cancel() == 0) state->rung = true;
    });
}

}  // namespace oai::net
