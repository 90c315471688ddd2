#include "net/suspend.hpp"

#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

using namespace oai::net;

namespace {

/// Threads that each run one task, as a background would.
struct Threads {
    std::vector<std::jthread> all;
    Post post() {
        return [this](std::function<void()> task) { all.emplace_back(std::move(task)); };
    }
};

Awaitable<void> ask(Worker& worker, Post post, std::string& answer, std::thread::id& ran_on) {
    const auto here = std::this_thread::get_id();
    const std::string owned = "a text too long to be kept in place, owned by the task";
    const auto task = [owned, &ran_on] {
        ran_on = std::this_thread::get_id();
        return owned;
    };
    answer = co_await run_elsewhere(post, worker, task);
    CHECK(std::this_thread::get_id() == here);
}

Awaitable<void> resumed_within_start(Worker& worker, std::string& log) {
    const std::function<void(std::function<void()>)> start = [&log](const std::function<void()>& resume) {
        resume();
        log += "started ";
    };
    co_await suspend(worker, start);
    log += "resumed";
}

}  // namespace

TEST_CASE("work runs elsewhere, and the session goes on at home, also on a worker that was told to stop") {
    Worker worker("test");
    Threads threads;
    std::vector<std::string> answers(20);
    std::vector<std::thread::id> places(20);
    for (std::size_t i = 0; i < answers.size(); ++i) worker.spawn(ask(worker, threads.post(), answers[i], places[i]));
    worker.stop();
    worker.run();
    CHECK(worker.sessions() == 0);
    CHECK(worker.escaped_exceptions() == 0);
    for (const std::string& answer : answers) CHECK(answer.starts_with("a text too long"));
    for (const std::thread::id& place : places) CHECK(place != std::this_thread::get_id());
}

TEST_CASE("a session that is resumed at once goes on after the start has returned") {
    Worker worker("test");
    std::string log;
    worker.spawn(resumed_within_start(worker, log));
    worker.stop();
    worker.run();
    CHECK(log == "started resumed");
}

TEST_CASE("a pause is over when its time has passed") {
    Worker worker("test");
    const auto begun = std::chrono::steady_clock::now();
    worker.spawn(pause(worker, std::chrono::milliseconds{2}));
    worker.stop();
    worker.run();
    CHECK(worker.sessions() == 0);
    CHECK(std::chrono::steady_clock::now() - begun >= std::chrono::milliseconds{2});
}
