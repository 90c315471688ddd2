#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include "core/snapshot.hpp"
#include "mock/answers.hpp"
#include "mock/objects.hpp"
#include "mock/received.hpp"
#include "mock/script.hpp"
#include "mock/send_log.hpp"
#include "mock/tokens.hpp"
#include "mock/turns.hpp"
#include "net/tls.hpp"

namespace oai::mock {

/// What all workers of a server share.
struct Shared {
    Shared(std::uint64_t seed_, Behaviour behaviour_, std::unique_ptr<SendLog> log_,
           std::unique_ptr<Received> received_, std::shared_ptr<const net::TlsServerContext> tls_)
        : seed(seed_),
          behaviour(std::make_shared<const Behaviour>(std::move(behaviour_))),
          log(std::move(log_)),
          received(std::move(received_)),
          tls(std::move(tls_)) {}

    const std::uint64_t seed;
    const core::TimePoint started = std::chrono::steady_clock::now();
    core::Snapshot<Behaviour> behaviour;
    std::atomic<std::uint64_t> generation{1};  ///< of `behaviour`: a worker loads it anew only when this has moved
    std::atomic<std::uint64_t> requests{0};    ///< numbers them in order of receipt, over all workers
    const std::unique_ptr<SendLog> log;
    const std::unique_ptr<Received> received;  ///< null: there is no control API
    const std::shared_ptr<const net::TlsServerContext> tls;
    Turns turns;
    Answers answers;
    Objects objects;
    Tokens tokens;

    /// Changes the behaviour for every request received from now on. From any thread.
    template <class Change>
    void change_behaviour(Change change) {
        const std::lock_guard lock(changing);
        Behaviour changed = *behaviour.load();
        change(changed);
        behaviour.store(std::make_shared<const Behaviour>(std::move(changed)));
        generation.fetch_add(1, std::memory_order_release);
    }
    std::mutex changing;
};

}  // namespace oai::mock
