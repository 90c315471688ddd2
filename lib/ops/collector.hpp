#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "metrics/sample.hpp"
#include "metrics/tally.hpp"
#include "ops/series.hpp"
#include "ops/slots.hpp"

namespace oai::ops {

/// A queue from one worker to the collector: one thread pushes, one at a time takes. Bounded; nothing is lost, since a
/// worker that finds it full has the collector take what is there.
template <class T, std::size_t kCapacity>
class Ring {
public:
    bool push(const T& item) noexcept {
        const std::uint64_t head = head_.load(std::memory_order_relaxed);
        if (head - tail_.load(std::memory_order_acquire) == kCapacity) return false;
        items_[head % kCapacity] = item;
        head_.store(head + 1, std::memory_order_release);
        return true;
    }
    template <class F>
    void take_all(F take) {
        const std::uint64_t head = head_.load(std::memory_order_acquire);
        std::uint64_t tail = tail_.load(std::memory_order_relaxed);
        for (; tail != head; ++tail) take(items_[tail % kCapacity]);
        tail_.store(tail, std::memory_order_release);
    }

private:
    alignas(64) std::atomic<std::uint64_t> head_{0};
    alignas(64) std::atomic<std::uint64_t> tail_{0};
    alignas(64) std::array<T, kCapacity> items_;
};

/// The gateway's numbers: workers hand over finished requests, anyone asks for a window.
class Collector {
public:
    /// Slots of the same clock as the wall's, which never steps: see Slots.
    explicit Collector(const core::Clock& clock, const metrics::Bounds& bounds = metrics::Bounds::standard());
    ~Collector();

    /// What one worker writes into. Never waits for another worker, unless its queue is full.
    class Intake {
    public:
        /// `sample.stream_id` must be a SeriesId of this collector. `at`: when its class became certain.
        void add(core::TimePoint at, const metrics::Sample& sample);
        /// Tries of a finished request at accounts of the series' version. The request itself may be another version's.
        void add_attempts(core::TimePoint at, SeriesId series, const metrics::Attempts& attempts);
        void add_gap(core::TimePoint at, SeriesId series, std::chrono::microseconds gap);
        void begin() noexcept { open_.fetch_add(1, std::memory_order_relaxed); }
        void end() noexcept { open_.fetch_sub(1, std::memory_order_relaxed); }
        /// Begun and not ended.
        std::int64_t open() const noexcept { return open_.load(std::memory_order_relaxed); }

    private:
        friend class Collector;
        explicit Intake(Collector& collector) : collector_(collector) {}
        struct Finished {
            std::int64_t at_us;
            metrics::Sample sample;
        };
        struct Attempted {
            std::int64_t at_us;
            SeriesId series;
            metrics::Attempts attempts;
        };
        Collector& collector_;
        Ring<Attempted, 4096> attempted_;
        Ring<Finished, 4096> finished_;
        Ring<metrics::Gap, 16384> gaps_;  ///< stream_id = series
        std::atomic<std::int64_t> open_{0};
    };
    /// For a worker's whole life; owned by the collector.
    Intake& add_intake();

    /// From any thread. The same key gives the same id. At most 4096 series: what comes after them counts under model
    /// "(other)".
    SeriesId series(const SeriesKey& key);

    /// A finished request of another time, such as one of an imported run.
    void import(const SeriesKey& key, core::WallTime at, const metrics::Sample& sample);
    void import_gap(const SeriesKey& key, core::WallTime at, std::chrono::microseconds gap);

    struct Answer {
        core::WallTime start, end;  ///< the window really used, rounded outward to slots
        std::chrono::seconds slot;
        std::int64_t open_requests = 0;  ///< running now; they are in no slot yet
        std::unique_ptr<metrics::Tally> tally;
    };
    /// Everything that ended in [start, end) and fits the filter, up to this moment.
    Answer query(const Filter& filter, core::WallTime start, core::WallTime end);

    /// Takes what the workers have ready. Called by `query` and by a worker whose queue is full.
    void drain();

    core::WallTime now() const noexcept;

private:
    std::int64_t wall_us(core::TimePoint at) const noexcept;
    void drain_locked();

    const core::Clock& clock_;
    const core::TimePoint steady_start_;
    const core::WallTime wall_start_;
    metrics::Bounds bounds_;
    std::mutex mutex_;  ///< everything below; workers take it only when their queue is full
    std::vector<std::unique_ptr<Intake>> intakes_;
    std::map<SeriesKey, SeriesId> ids_;
    std::vector<SeriesKey> keys_;
    Slots slots_;
};

}  // namespace oai::ops
