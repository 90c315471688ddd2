#pragma once

#include <any>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/ids.hpp"
#include "http/connection.hpp"
#include "json/scanner.hpp"
#include "net/stream.hpp"
#include "net/types.hpp"
#include "net/worker.hpp"
#include "upstream/account.hpp"
#include "upstream/scheduler.hpp"
#include "wire/stream_reader.hpp"

/// The forms that the proposal describes as those of the ancestor, said in C++ with the usual libraries. Each is as
/// good as its idea allows: what is measured is the idea, not clumsiness.
namespace oai::bench::naive {

/// Point 1: the whole body to a tree, four members changed, the whole tree to text.
std::string edit_body(std::string_view body);
/// The same with RapidJSON, into a buffer that keeps its memory.
std::string_view edit_body_rapid(std::string_view body);

/// Point 2: an event is a line that is formatted and flushed. False when the socket takes no more.
bool write_event(net::Stream& to, std::string_view event);

/// Point 3: two looks into each event for the model, whether it can name one or not.
std::string replace_model(std::string_view event, json::Scanner& scanner);

/// Point 4: each event is searched for the type's name; JSON is read when it is there.
std::optional<wire::Usage> read_usage(std::string_view data, json::Scanner& scanner);

/// Point 5: what is known of a request, by name.
class Context {
public:
    /// Called at the request's begin with an empty model, and again when the model is known.
    void set_ops(std::string_view model, bool stream, std::string_view body);

private:
    std::unordered_map<std::string, std::any> values_;
};

/// Point 7: one mutex for the statistics of all accounts.
class RuntimeStats {
public:
    struct Stats {
        double error_rate = 0;
        double ttft_us = 0;
        bool has_ttft = false;
    };
    void report(std::int64_t account, bool good, double ttft_us);
    Stats snapshot(std::int64_t account) const;

private:
    mutable std::shared_mutex mutex_;
    std::unordered_map<std::int64_t, Stats> accounts_;
};

/// Point 6: four walks over the accounts and a sort of all of them, to find the best seven. `stats` has account i's
/// under i.
std::optional<upstream::Lease> schedule(std::span<const upstream::Account> accounts,
                                        const std::shared_ptr<upstream::PoolState>& pool, const upstream::Ask& ask,
                                        core::TimePoint now, const RuntimeStats& stats);

/// Point 8.
std::string session_hash(std::string_view session);

/// Point 9: a pool that is cleaned by who takes from it, with its mutex held.
class SocketPool {
public:
    static constexpr std::size_t kMostIdle = 12;
    struct Socket {
        std::string id;
        core::TimePoint created;
        core::TimePoint last_used;
        bool leased = false;
    };
    void add(const std::string& account, Socket socket);
    /// Null when all are leased.
    Socket* acquire(const std::string& account, core::TimePoint now);
    void release(Socket& socket, core::TimePoint now);

private:
    using Sockets = std::vector<std::unique_ptr<Socket>>;
    static void clean(Sockets& sockets, core::TimePoint now);

    std::mutex mutex_;
    std::unordered_map<std::string, Sockets> accounts_;
};

/// Point 10: into a buffer that begins with 512 bytes and grows by a quarter. What came with the head goes first.
net::Awaitable<std::string> read_body(http::Connection& from, std::size_t length);

/// Point 11: of the same shape as ours, by format.
std::string make_id(core::IdSource& source);

/// Point 12: a session of its own reads `length` bytes and hands over what each read brought; each wait for it has a
/// timer.
class WatchedReader {
public:
    WatchedReader(net::Worker& worker, net::Stream& from, std::size_t length);
    net::Awaitable<std::string> next();

private:
    struct State;
    static net::Awaitable<void> read_all(std::shared_ptr<State> state);
    std::shared_ptr<State> state_;
};

/// Point 13: the accounts as the shared store gives them, decoded for each request.
std::string accounts_text(std::size_t count);
std::vector<upstream::Account> list_accounts(std::string_view text);

}  // namespace oai::bench::naive
