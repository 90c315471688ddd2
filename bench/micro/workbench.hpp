#pragma once

#include <memory>

#include "gateway/exchange.hpp"
#include "gateway/worker_state.hpp"
#include "http/connection.hpp"
#include "sockets.hpp"

namespace oai::bench {

/// A worker of a gateway that runs when it is told to, with one client.
struct Workbench {
    Workbench();
    explicit Workbench(std::shared_ptr<const gateway::Tables> tables);

    /// Runs sessions to their end: this one, and those it made.
    void run(net::Awaitable<void> session);

    gateway::Shared shared;
    gateway::WorkerState worker;
    Link client_end;
    http::Connection client;  ///< the gateway's end of it
    http::RequestHead head;
};

/// `count` accounts whose health differs: some slower, some with errors, some busier. Models and priorities like those
/// of naive::accounts_text.
std::vector<upstream::Account> make_accounts(std::size_t count);

/// One provider with these accounts, for every model; kClientModel goes out as kUpstreamModel.
std::shared_ptr<gateway::Tables> make_tables(std::vector<upstream::Account> accounts);

}  // namespace oai::bench
