#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/result.hpp"
#include "net/handover.hpp"

/// Waits on the control socket for the process that comes next, hands it the listening sockets, and says when it has
/// begun to accept. A next one that fails changes nothing.
class Successor {
public:
    /// `taken` is called once, on a thread of its own.
    static oai::core::Result<std::unique_ptr<Successor>> wait_for(const std::string& control, std::vector<int> sockets,
                                                                  std::function<void()> taken);
    ~Successor();

private:
    Successor(oai::net::Descriptor listener, std::vector<int> sockets, std::function<void()> taken);
    void run();
    bool hand_over(const oai::net::Descriptor& peer);

    oai::net::Descriptor listener_;
    std::vector<int> sockets_;
    std::function<void()> taken_;
    std::atomic<bool> stopping_{false};
    std::thread thread_;
};

/// The listening sockets of the gateway that listens on that control socket, and the way to tell it that we accept.
struct Predecessor {
    oai::net::Descriptor control;
    std::vector<oai::net::Descriptor> sockets;
};
oai::core::Result<Predecessor> ask_predecessor(const std::string& control);
oai::core::Result<void> tell_predecessor(const Predecessor& predecessor);
