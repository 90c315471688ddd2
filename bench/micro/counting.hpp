#pragma once

#include <cstdint>

#include <benchmark/benchmark.h>

namespace oai::bench {

/// What the calling thread did so far, counted where it leaves our code for the C library.
struct Counts {
    std::uint64_t allocations = 0;
    std::uint64_t bytes = 0;         ///< asked for by them
    std::uint64_t system_calls = 0;  ///< on sockets, epoll and timers
    std::uint64_t locks = 0;         ///< of a mutex or a shared mutex
};
Counts counts() noexcept;

/// Reports what a benchmark's loop did, per iteration: make it after everything is set up, just before the loop.
class Counting {
public:
    explicit Counting(benchmark::State& state) noexcept : state_(state), before_(counts()) {}
    ~Counting();
    Counting(const Counting&) = delete;

private:
    benchmark::State& state_;
    Counts before_;
};

}  // namespace oai::bench
