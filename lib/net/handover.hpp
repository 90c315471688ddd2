#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "net/descriptors.hpp"

namespace oai::net {

/// Handing listening sockets to the process that comes next, over a unix control socket: the very same sockets, with
/// the connections that wait in them. Measured: closing one of two SO_REUSEPORT listeners reset 95 of 200 waiting
/// connections; a socket that somebody else holds as well resets none.
///
/// In order: the old process listens on the control path; the new one connects and receives; when it accepts, it says
/// so (a message without sockets); only then the old one closes its listeners and drains. Whatever goes wrong before,
/// the old one goes on as if nothing had been.
///
/// These calls block, up to `patience`: keep them off the workers. Errors are io_failed (timed_out when patience ended)
/// and name the step.

/// What one process says to the other.
struct Handover {
    static constexpr std::size_t kMostSockets = 253;  ///< the kernel's own limit for one message
    static constexpr std::size_t kMostBytes = 64 * 1024;

    std::vector<Descriptor> sockets;  ///< closed on exec
    std::string message;              ///< never empty
};

/// Listens at `path` for this user only. A socket that is there already, left behind or of the previous process, gives
/// way in one step: at no time is there none.
core::Result<Descriptor> listen_control(const std::string& path);
/// Waits for a peer of the same user; others are turned away.
core::Result<Descriptor> accept_control(const Descriptor& listener, std::chrono::milliseconds patience);
core::Result<Descriptor> connect_control(const std::string& path);

/// Sends copies: `sockets` stay the sender's.
core::Result<void> send_handover(const Descriptor& control, std::span<const int> sockets, std::string_view message);
core::Result<Handover> receive_handover(const Descriptor& control, std::chrono::milliseconds patience);

/// Listening sockets that whoever started this process has opened for it, as systemd's socket activation does:
/// LISTEN_FDS sockets from descriptor `first` on, if LISTEN_PID is this process. None when it was started otherwise.
/// Takes both out of the environment, so that no child believes they are its own; call it once, before there are
/// threads.
inline constexpr int kFirstInherited = 3;
core::Result<std::vector<Descriptor>> inherited_listeners(int first = kFirstInherited);

}  // namespace oai::net
