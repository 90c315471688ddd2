#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "gateway/config.hpp"
#include "gateway/first_keys.hpp"
#include "net/descriptors.hpp"

namespace oai::gateway {

/// A running gateway: listeners, workers, store. Start it, stop it; everything else goes over HTTP.
class Gateway {
public:
    /// Opens the store, loads or makes credentials, listens and serves. `made` gets the keys that had to be made;
    /// showing them is the caller's business. `sockets` listen already (handed over or inherited) and are used instead
    /// of the configured address. Errors say what could not be opened and why. `clock` must outlive the gateway.
    static core::Result<std::unique_ptr<Gateway>> start(const Config& config, FirstKeys& made,
                                                        const core::Clock& clock = core::system_clock(),
                                                        std::vector<net::Descriptor> sockets = {});
    /// Stops at once; running answers are cut.
    ~Gateway();
    Gateway(const Gateway&) = delete;

    /// Where it listens, with the real port, also when the configuration said 0.
    const net::ListenAddress& address() const noexcept;
    std::uint16_t port() const noexcept;
    std::size_t workers() const noexcept;

    /// Puts a new configuration in force: requests that begin from now on see it, whole. What only a start can change
    /// (listen, workers, the store and its key) stays as it is, with a word in the log. Errors leave everything as it
    /// was. `made` as for `start`. Blocks; not from a worker.
    core::Result<void> reload(const Config& config, FirstKeys& made);

    /// The sockets it listens on, to be handed to the process that comes next. They stay this gateway's.
    std::vector<int> listening_sockets() const;

    /// Takes no new connections, closes idle ones, lets running answers end, at most for `patience`. True when all of
    /// them did.
    bool drain(std::chrono::nanoseconds patience);

private:
    struct Impl;
    explicit Gateway(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace oai::gateway
