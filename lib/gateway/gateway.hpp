#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "gateway/config.hpp"
#include "gateway/first_keys.hpp"

namespace oai::gateway {

/// A running gateway: listeners, workers, store. Start it, stop it; everything else goes over HTTP.
class Gateway {
public:
    /// Opens the store, loads or makes credentials, listens and serves. `made` gets the keys that had to be made;
    /// showing them is the caller's business. Errors say what could not be opened and why. `clock` must outlive the
    /// gateway.
    static core::Result<std::unique_ptr<Gateway>> start(const Config& config, FirstKeys& made,
                                                        const core::Clock& clock = core::system_clock());
    /// Stops at once; running answers are cut.
    ~Gateway();
    Gateway(const Gateway&) = delete;

    /// The real port, also when the configuration said 0.
    std::uint16_t port() const noexcept;
    std::size_t workers() const noexcept;

    /// Takes no new connections, closes idle ones, lets running answers end, at most for `patience`. True when all of
    /// them did.
    bool drain(std::chrono::nanoseconds patience);

private:
    struct Impl;
    explicit Gateway(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace oai::gateway
