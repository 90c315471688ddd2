#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "mock/received.hpp"
#include "mock/script.hpp"
#include "mock/send_log.hpp"

namespace oai::net {
class TlsServerContext;
class Worker;
}  // namespace oai::net

namespace oai::mock {

struct ServerOptions {
    std::string listen = "127.0.0.1:0";  ///< port 0: the system chooses
    unsigned workers = 1;                ///< threads of its own; not looked at by `start_on`
    std::uint64_t seed = 1;
    Behaviour behaviour;
    std::string log_file;                                    ///< send log as JSON lines; empty: none
    bool keep_log = false;                                   ///< keep the send log in memory, for `log()`
    std::shared_ptr<const net::TlsServerContext> tls = {};   ///< null: plain
    bool control = false;                                    ///< serve /mock/..., and keep what was received
    std::size_t control_body_bytes = std::size_t{64} << 10;  ///< of each body received
};

struct Counters {
    std::uint64_t connections = 0;  ///< accepted so far
    std::uint64_t open = 0;         ///< open now
    std::uint64_t requests = 0;     ///< received whole
    std::uint64_t answered = 0;     ///< answers sent to their end, error answers included
    std::uint64_t faults = 0;       ///< requests that met a fault
};

/// A scripted upstream that speaks like api.openai.com. Runs until stopped or destroyed.
class Server {
public:
    /// On threads of its own. Errors: a bad address, a taken port, a log file that cannot be written.
    static core::Result<std::unique_ptr<Server>> start(ServerOptions options);
    /// On somebody else's worker: call it there, or before the worker runs. The server may go before or after the
    /// worker.
    static core::Result<std::unique_ptr<Server>> start_on(net::Worker& worker, ServerOptions options);
    ~Server();
    Server(const Server&) = delete;

    std::uint16_t port() const noexcept;
    std::string url() const;  ///< "http://127.0.0.1:9180", or https

    /// From any thread. Ends all connections, also in the middle of an answer, and closes the log file. On its own
    /// threads nothing is left when it returns; on a given worker the connections end when the worker gets to it.
    /// Idempotent.
    void stop();

    /// From any thread; holds for every request received from now on.
    void set_behaviour(Behaviour behaviour);
    void set_faults(FaultRates faults);
    Behaviour behaviour() const;

    Counters counters() const;
    /// In order of their ends. Empty unless `keep_log`. A record appears just after the last byte was written: after
    /// `stop`, or once the next request on the same connection was answered, it is there for certain.
    std::vector<SendRecord> log() const;
    /// The latest 1,000 requests. Empty unless `control`.
    std::vector<ReceivedRequest> received() const;

private:
    struct State;
    explicit Server(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace oai::mock
