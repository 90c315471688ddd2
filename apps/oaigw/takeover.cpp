#include "takeover.hpp"

#include "core/log.hpp"

using namespace oai;
using core::Result;

namespace {

constexpr std::string_view kSockets = "oaigw listening sockets v1";
constexpr std::string_view kAccepting = "oaigw accepting v1";
/// For a successor to open its store and begin to accept.
constexpr std::chrono::seconds kPatience{60};
constexpr std::chrono::milliseconds kLook{500};

}  // namespace

Result<std::unique_ptr<Successor>> Successor::wait_for(const std::string& control, std::vector<int> sockets,
                                                       std::function<void()> taken) {
    Result<net::Descriptor> listener = net::listen_control(control);
    if (!listener) return listener.error();
    return std::unique_ptr<Successor>(new Successor(std::move(*listener), std::move(sockets), std::move(taken)));
}

Successor::Successor(net::Descriptor listener, std::vector<int> sockets, std::function<void()> taken)
    : listener_(std::move(listener)),
      sockets_(std::move(sockets)),
      taken_(std::move(taken)),
      thread_([this] { run(); }) {}

Successor::~Successor() {
    stopping_ = true;
    thread_.join();
}

void Successor::run() {
    while (!stopping_) {
        const Result<net::Descriptor> peer = net::accept_control(listener_, kLook);
        if (!peer) {
            if (peer.error().code != core::Code::timed_out)
                core::log(core::LogLevel::warn, "take-over refused", {{"reason", peer.error().detail}});
            continue;
        }
        if (hand_over(*peer)) return taken_();
    }
}

bool Successor::hand_over(const net::Descriptor& peer) {
    const auto failed = [](const core::Error& error) {
        core::log(core::LogLevel::warn, "take-over failed; this process goes on", {{"reason", error.detail}});
        return false;
    };
    if (const Result<void> sent = net::send_handover(peer, sockets_, kSockets); !sent) return failed(sent.error());
    const Result<net::Handover> word = net::receive_handover(peer, kPatience);
    if (!word) return failed(word.error());
    if (word->message != kAccepting)
        return failed(core::Error{.code = core::Code::io_failed, .detail = "the successor said something unknown"});
    core::log(core::LogLevel::info, "another process accepts on our sockets now");
    return true;
}

Result<Predecessor> ask_predecessor(const std::string& control) {
    Result<net::Descriptor> connected = net::connect_control(control);
    if (!connected) return connected.error();
    Result<net::Handover> handover = net::receive_handover(*connected, kPatience);
    if (!handover) return handover.error();
    if (handover->message != kSockets || handover->sockets.empty())
        return core::Error{.code = core::Code::io_failed,
                           .detail = control + ": what listens there is no gateway that can be taken over"};
    return Predecessor{std::move(*connected), std::move(handover->sockets)};
}

Result<void> tell_predecessor(const Predecessor& predecessor) {
    return net::send_handover(predecessor.control, {}, kAccepting);
}
