#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "http/server.hpp"
#include "http/url.hpp"
#include "net/listener.hpp"
#include "net/suspend.hpp"
#include "net/worker.hpp"

namespace oai::test {

/// A token endpoint on a loopback port, on a thread of its own: a script answers each form, and answers can be held
/// back.
class TokenEndpoint {
public:
    struct Answer {
        int status = 200;
        std::string body = {};
        std::string fields = {};  ///< header lines, each with its end
    };
    using Script = std::function<Answer(const std::string& form)>;

    explicit TokenEndpoint(Script script)
        : script_(std::move(script)),
          listener_(std::move(*net::Listener::open(worker_, net::ListenAddress{"127.0.0.1", 0}, false))) {
        listener_->start([this](net::Socket socket) {
            worker_.spawn(http::serve_connection(worker_, std::move(socket), *this, http::ServerTimeouts{}));
        });
        worker_.start();
    }
    ~TokenEndpoint() {
        release();
        worker_.post([this] { listener_->close(); });
        worker_.stop();
        worker_.join();
    }
    TokenEndpoint(const TokenEndpoint&) = delete;

    http::Url url() const {
        return *http::parse_url("http://127.0.0.1:" + std::to_string(listener_->port()) + "/token");
    }
    void set_script(Script script) {
        const std::lock_guard lock(mutex_);
        script_ = std::move(script);
    }
    /// The forms it got.
    std::vector<std::string> forms() const {
        const std::lock_guard lock(mutex_);
        return forms_;
    }
    /// From now on answers wait for `release`.
    void hold() {
        const std::lock_guard lock(mutex_);
        holding_ = true;
    }
    void release() {
        std::vector<std::function<void()>> held;
        {
            const std::lock_guard lock(mutex_);
            holding_ = false;
            held.swap(held_);
        }
        for (const auto& resume : held) resume();
    }

    // What http::serve_connection calls.
    net::Awaitable<bool> handle(http::Connection& connection, http::RequestHead& head) {
        net::Buffer gathered(worker_.buffers());
        const core::Result<std::string_view> body =
            co_await http::read_whole_body(connection, head, core::Source::downstream, 1 << 20, gathered);
        if (!body) co_return false;
        const std::string form(*body);
        http::finish_body(connection, *body);
        Script script;
        {
            const std::lock_guard lock(mutex_);
            forms_.push_back(form);
            script = script_;
        }
        const std::function<void(std::function<void()>)> wait = [this](std::function<void()> resume) {
            {
                const std::lock_guard lock(mutex_);
                if (holding_) {
                    held_.push_back(std::move(resume));
                    return;
                }
            }
            resume();
        };
        co_await net::suspend(worker_, wait);
        const Answer answer = script(form);
        const std::string text = "HTTP/1.1 " + std::to_string(answer.status) + " Scripted\r\n" + answer.fields +
                                 "content-length: " + std::to_string(answer.body.size()) + "\r\n\r\n" + answer.body;
        const net::Pieces pieces{text};
        const bool written = co_await connection.stream->write(pieces);
        co_return written;
    }
    net::Awaitable<void> refuse(http::Connection&, const core::Error&) { co_return; }

private:
    net::Worker worker_{"endpoint"};
    mutable std::mutex mutex_;
    Script script_;
    std::vector<std::string> forms_;
    bool holding_ = false;
    std::vector<std::function<void()>> held_;
    std::unique_ptr<net::Listener> listener_;
};

}  // namespace oai::test
