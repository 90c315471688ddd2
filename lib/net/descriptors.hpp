#pragma once

#include <cstdint>
#include <utility>

#include "core/result.hpp"

namespace oai::net {

/// A file descriptor that is owned: closed when its owner goes.
class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int owned) noexcept : fd_(owned) {}
    ~Descriptor() { reset(); }
    Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        if (this != &other) {
            reset();
            fd_ = other.release();
        }
        return *this;
    }

    explicit operator bool() const noexcept { return fd_ >= 0; }
    int get() const noexcept { return fd_; }
    int release() noexcept { return std::exchange(fd_, -1); }
    void reset() noexcept;

    /// Another descriptor of the same socket or file, closed on exec.
    core::Result<Descriptor> duplicate() const;

private:
    int fd_ = -1;
};

/// How many descriptors this process may have open. A relayed request holds two: its client's and its upstream's.
struct DescriptorLimit {
    std::uint64_t soft = 0;  ///< what counts
    std::uint64_t hard = 0;  ///< what only the administrator can raise (LimitNOFILE=, ulimit -Hn)
};

/// Raises the soft limit to the hard one, for this process and those it starts. Call it once, at the start; many
/// systems begin with 1,024. Returns what holds afterwards.
core::Result<DescriptorLimit> raise_descriptor_limit();

}  // namespace oai::net
