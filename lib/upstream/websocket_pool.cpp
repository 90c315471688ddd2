#include "upstream/websocket_pool.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace oai::upstream {

using net::Awaitable;

namespace {

core::TimePoint now() noexcept {
    return std::chrono::steady_clock::now();
}

std::string key_of(const Account& account) {
    return account.target.origin + " " + account.name;
}

/// The same comparison without making the key: one for every `take` would be two allocations.
bool is_to(const UpstreamSocket& socket, const Account& account) noexcept {
    const std::string_view key = socket.account, origin = account.target.origin;
    return key.size() == origin.size() + 1 + account.name.size() && key.starts_with(origin) &&
           key[origin.size()] == ' ' && key.ends_with(account.name);
}

}  // namespace

UpstreamSocket::UpstreamSocket(const Account& to, std::string greeting_text, std::unique_ptr<http::Connection> opened,
                               const std::optional<http::Deflate>& deflate)
    : connection(std::move(opened)),
      socket(*connection, {.role = http::WebSocketRole::client, .deflate = deflate}),
      account(key_of(to)),
      greeting(std::move(greeting_text)),
      opened_at(now()),
      rested_since(opened_at) {}

WebSocketPool::WebSocketPool(net::Worker& worker, Limits limits)
    : worker_(worker), limits_(limits), due_(worker), checked_(worker) {}

std::unique_ptr<UpstreamSocket> WebSocketPool::extract(Sockets::iterator at) {
    std::unique_ptr<UpstreamSocket> socket = std::move(*at);
    resting_.erase(at);
    return socket;
}

std::unique_ptr<UpstreamSocket> WebSocketPool::take_pinned(const Account& account, std::uint64_t conversation) {
    const auto found = std::ranges::find_if(resting_, [&](const std::unique_ptr<UpstreamSocket>& socket) {
        return socket->conversation == conversation && is_to(*socket, account);
    });
    return found == resting_.end() ? nullptr : extract(found);
}

std::unique_ptr<UpstreamSocket> WebSocketPool::take(const Account& account, std::string_view greeting) {
    // The last one used comes first: it is the one least likely to have been closed.
    const auto found = std::find_if(resting_.rbegin(), resting_.rend(), [&](const auto& socket) {
        return socket->conversation == 0 && socket->greeting == greeting && is_to(*socket, account);
    });
    return found == resting_.rend() ? nullptr : extract(std::prev(found.base()));
}

void WebSocketPool::give(std::unique_ptr<UpstreamSocket> socket) {
    net::Stream& stream = *socket->connection->stream;
    if (closed_ || !stream.is_open() || stream.timed_out() || !socket->socket.rest()) return;
    const auto is_rival = [&](const std::unique_ptr<UpstreamSocket>& other) {
        return other->conversation == 0 && other->account == socket->account;
    };
    const bool pinned = socket->conversation != 0;
    if (!pinned && static_cast<std::size_t>(std::ranges::count_if(resting_, is_rival)) >= limits_.idle_per_account)
        return;
    stream.set_deadline(net::Stream::kNever);
    stream.set_wake(net::Stream::kNever);
    socket->reused = true;
    socket->rested_since = now();
    resting_.push_back(std::move(socket));
    if (std::exchange(tending_, true)) return;
    worker_.spawn(tend());
}

Awaitable<void> WebSocketPool::tend() {
    while (!closed_ && !resting_.empty()) {
        const core::TimePoint due = resting_.front()->rested_since + limits_.ping_every;
        if (now() < due) {
            co_await due_.wait_until(due);
            continue;
        }
        std::unique_ptr<UpstreamSocket> socket = extract(resting_.begin());
        co_await check(std::move(socket));
    }
    tending_ = false;
}

/// Meanwhile it is in nobody's reach.
Awaitable<void> WebSocketPool::check(std::unique_ptr<UpstreamSocket> socket) {
    checking_ = socket->conversation;
    bool keep = now() - socket->opened_at < limits_.max_age;
    if (keep) {
        keep = co_await socket->socket.alive(limits_.pong_time);
    } else {
        co_await socket->socket.close(http::CloseCode::normal);
    }
    if (keep) give(std::move(socket));
    checking_ = 0;
    checked_.ring();
}

Awaitable<void> WebSocketPool::until_checked(std::uint64_t conversation) {
    while (checking_ == conversation) co_await checked_.wait_until(now() + limits_.pong_time);
}

Awaitable<void> WebSocketPool::end(std::uint64_t conversation) {
    co_await until_checked(conversation);
    for (;;) {
        const auto found = std::ranges::find(resting_, conversation, &UpstreamSocket::conversation);
        if (found == resting_.end()) break;
        const std::unique_ptr<UpstreamSocket> socket = extract(found);
        co_await socket->socket.close(http::CloseCode::normal);
    }
}

void WebSocketPool::close() {
    closed_ = true;
    resting_.clear();
    due_.ring();
}

bool WebSocketPool::bridge(const Account& account, core::TimePoint at) {
    return bridged_.insert_or_assign(key_of(account), at + limits_.bridge_time).second;
}

bool WebSocketPool::is_bridged(const Account& account, core::TimePoint at) const {
    if (bridged_.empty()) return false;
    const auto found = bridged_.find(key_of(account));
    return found != bridged_.end() && at < found->second;
}

}  // namespace oai::upstream
