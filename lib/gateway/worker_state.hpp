#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "gateway/background.hpp"
#include "gateway/date_line.hpp"
#include "gateway/tables.hpp"
#include "http/pool.hpp"
#include "http/server.hpp"
#include "json/scanner.hpp"
#include "net/listener.hpp"
#include "net/worker.hpp"
#include "ops/collector.hpp"
#include "ops/error_log.hpp"
#include "store/store.hpp"
#include "upstream/affinity.hpp"
#include "upstream/model_lists.hpp"
#include "upstream/sticky.hpp"
#include "upstream/websocket_pool.hpp"

namespace oai::gateway {

struct Exchange;

/// What all workers of a gateway share. Each part is safe for several threads by itself.
struct Shared {
    Shared(const core::Clock& clock_, std::unique_ptr<store::Store> store_, const Keys& keys)
        : clock(clock_),
          store(std::move(store_)),
          key_hash(keys.hash),
          sealer(keys.sealer),
          collector(clock_),
          affinity(
              store->affinities(), [this](std::function<void()> task) { background.post(std::move(task)); }, clock_) {}

    /// Where the tokens of OAuth accounts are kept.
    upstream::TokenVault token_vault() {
        return {store->secrets(), store->settings(), *sealer,
                [this](std::function<void()> task) { background.post(std::move(task)); }};
    }

    const core::Clock& clock;
    std::unique_ptr<store::Store> store;
    crypto::KeyedHash key_hash;
    std::shared_ptr<const crypto::Sealer> sealer;
    ops::Collector collector;
    ops::ErrorLog errors;
    upstream::Registry registry;  ///< health of accounts, over reloads
    upstream::Sticky sticky;
    upstream::AffinityTable affinity;
    upstream::ModelLists model_lists;
    Background background;  ///< last: its tasks use what stands above
};

/// Remembers the series of the last few combinations, so that a request seldom asks the collector.
class SeriesCache {
public:
    /// The series of a request, or of its attempts, at that version; null: none was chosen.
    ops::SeriesId find(ops::Collector& collector, const Exchange& x, const upstream::Version* version);

private:
    struct Entry {
        const upstream::Version* version = nullptr;
        const wire::Endpoint* endpoint = nullptr;
        std::string model;
        std::string group;
        ops::SeriesId id = 0;
        bool used = false;
    };
    std::array<Entry, 64> entries_;
};

/// Everything of one worker thread. Nothing here is shared.
struct WorkerState {
    WorkerState(Shared& shared_parts, std::shared_ptr<const Tables> current);

    Shared& shared;
    net::Worker net;
    http::Pool pool;
    upstream::WebSocketPool sockets;
    json::Scanner scanner;
    upstream::Scheduler scheduler;
    std::shared_ptr<const Tables> tables;  ///< replaced by a task posted to this worker
    ops::Collector::Intake& intake;
    SeriesCache series;
    DateLine date;
    std::vector<std::unique_ptr<net::Listener>> listeners;
    std::vector<std::unique_ptr<std::byte[]>> exchange_blocks;  ///< of exchanges that ended: see KeptExchange
    bool draining = false;                                      ///< connections close after the answer they are at

    /// The Date of an answer that begins now.
    std::string_view date_line() { return date.at(net.coarse_now()); }
};

}  // namespace oai::gateway
