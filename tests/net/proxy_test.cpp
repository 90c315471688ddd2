#include "net/proxy.hpp"

#include <array>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "net/connect.hpp"
#include "net/loop.hpp"

using namespace oai;
using namespace oai::net;
using namespace std::chrono_literals;
using namespace std::string_literals;
using oai::test::contains;
using oai::test::in;
using oai::test::Loop;

namespace {

/// A proxy that follows a script: reads as many bytes as a step expects, notes them, sends the step's answer.
struct Step {
    std::string expect;
    std::string answer = {};
};
enum class End { close, hold };

class ScriptedProxy {
public:
    ScriptedProxy(Loop& loop, std::vector<Step> steps, End end)
        : steps_(std::move(steps)), end_(end), listener_(loop.listen()) {
        listener_->start(
            [this, &loop](Socket socket) { loop.worker.spawn(serve(loop.worker, std::move(socket), *this)); });
    }

    std::uint16_t port() const { return listener_->port(); }
    void close() { listener_->close(); }
    const std::string& got() const { return got_; }

private:
    static Awaitable<void> serve(Worker& worker, Socket socket, ScriptedProxy& self) {
        auto stream = std::make_unique<Stream>(worker, std::move(socket));
        for (const Step& step : self.steps_) {
            std::string bytes(step.expect.size(), '\0');
            for (std::size_t have = 0; have < bytes.size();) {
                const std::span<char> rest(bytes.data() + have, bytes.size() - have);
                const std::size_t n = co_await stream->read_some(rest);
                if (n == 0) co_return;
                have += n;
            }
            self.got_ += bytes;
            // Byte by byte, as a slow network may bring it.
            for (const char& byte : step.answer) {
                const Pieces pieces{std::string_view(&byte, 1)};
                const bool written = co_await stream->write(pieces);
                if (!written) co_return;
            }
        }
        if (self.end_ == End::hold) self.held_ = std::move(stream);
    }

    std::vector<Step> steps_;
    End end_;
    std::string got_;
    std::unique_ptr<Listener> listener_;
    std::unique_ptr<Stream> held_;
};

std::string expected(const std::vector<Step>& steps) {
    std::string all;
    for (const Step& step : steps) all += step.expect;
    return all;
}

const std::string kConnect = "CONNECT api.example:443 HTTP/1.1\r\nhost: api.example:443\r\n\r\n";
// user:p@ss in base64
const std::string kConnectAs =
    "CONNECT api.example:443 HTTP/1.1\r\nhost: api.example:443\r\n"
    "proxy-authorization: Basic dXNlcjpwQHNz\r\n\r\n";
const std::string kConnectV6 = "CONNECT [2001:db8::1]:443 HTTP/1.1\r\nhost: [2001:db8::1]:443\r\n\r\n";
const std::string kHello = "\5\1\0"s;
const std::string kHelloAs = "\5\2\0\2"s;
const std::string kLogin = "\1\4user\4p@ss"s;
const std::string kAsk = "\5\1\0\3\13api.example\1\273"s;
const std::string kAskV4 = "\5\1\0\1\300\0\2\1\1\273"s;
const std::string kAskV6 = "\5\1\0\4\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1\1\273"s;
const std::string kGranted = "\5\0\0\1\177\0\0\1\4\322"s;

}  // namespace

TEST_CASE("a proxy is a URL with its port; what is wrong is said, and nothing of the text is repeated") {
    const auto plain = parse_proxy_url("http://Proxy.example:3128/");
    REQUIRE(plain);
    CHECK(plain->kind == Proxy::Kind::http_connect);
    CHECK(plain->host == "proxy.example");
    CHECK(plain->port == 3128);
    CHECK(plain->user.empty());
    CHECK(plain->name() == "http://proxy.example:3128");
    const auto full = parse_proxy_url("socks5://us%3aer:p%40s:s@[::1]:1080");
    REQUIRE(full);
    CHECK(full->kind == Proxy::Kind::socks5);
    CHECK(full->host == "::1");
    CHECK(full->user == "us:er");
    CHECK(full->password == "p@s:s");
    CHECK(full->name() == "socks5://[::1]:1080");

    const std::string long_word(256, 'x');
    struct Row {
        std::string text;
        const char* want;
    };
    const Row rows[] = {
        {"", "begins with neither"},
        {"proxy:3128", "begins with neither"},
        {"https://secret:secret@h:1", "begins with neither"},
        {"socks4://h:1", "begins with neither"},
        {"http://h", "no port"},
        {"http://[::1]", "no port"},
        {"http://h:", "has a port that"},
        {"http://h:0", "has a port that"},
        {"http://h:65536", "has a port that"},
        {"http://h:3128/secret", "has a port that"},
        {"http://:3128", "neither a name nor"},
        {"http://::1:3128", "neither a name nor"},
        {"http://[h]:3128", "neither a name nor"},
        {"http://a b:3128", "neither a name nor"},
        {"http://a\r\nb:3128", "neither a name nor"},
        {"http://" + long_word + ":1", "neither a name nor"},
        {"http://secret@h:1", "without a password"},
        {"http://:secret@h:1", "an empty user"},
        {"http://u:secret%4@h:1", "wrong escape"},
        {"http://u:secret%zz@h:1", "wrong escape"},
        {"http://u:secret%0d%0ax@h:1", "wrong escape"},
        {"http://us%3aer:secret@h:1", "a colon in its user"},
        {"socks5://" + long_word + ":secret@h:1", "1 to 255 bytes"},
        {"socks5://u:" + long_word + "@h:1", "1 to 255 bytes"},
        {"socks5://u:@h:1", "1 to 255 bytes"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.text);
        const auto proxy = parse_proxy_url(row.text);
        REQUIRE_FALSE(proxy);
        CHECK(proxy.error().code == core::Code::invalid_argument);
        CHECK(contains(proxy.error().detail, row.want));
        CHECK_FALSE(contains(proxy.error().detail, "secret"));
    }
}

TEST_CASE("a proxy is asked in its own protocol, byte for byte, and its refusals are told without its text") {
    struct Row {
        const char* name;
        const char* scheme;  ///< and the credentials, if any
        const char* host;
        std::vector<Step> steps;
        const char* want = "";  ///< in the error; empty: the tunnel stands
        End end = End::close;
    };
    const std::string long_head = "HTTP/1.1 200 OK\r\nx: " + std::string(9000, 'x');
    const std::string long_name(256, 'x');
    const Row rows[] = {
        {"http", "http://", "api.example", {{kConnect, "HTTP/1.1 200 Connection established\r\n\r\n"}}},
        {"any 2xx, with fields", "http://", "api.example", {{kConnect, "HTTP/1.0 204\r\ncontent-length: 9\r\n\r\n"}}},
        {"http, credentials", "http://user:p%40ss@", "api.example", {{kConnectAs, "HTTP/1.1 200 OK\r\n\r\n"}}},
        {"http, IPv6", "http://", "2001:db8::1", {{kConnectV6, "HTTP/1.1 200 OK\r\n\r\n"}}},
        {"http, wrong password",
         "http://user:p%40ss@",
         "api.example",
         {{kConnectAs, "HTTP/1.1 407 go away\r\n\r\n"}},
         "407: it wants other credentials"},
        {"http, refused", "http://", "api.example", {{kConnect, "HTTP/1.1 503 no\r\n\r\n"}}, "answered 503 to CONNECT"},
        {"http, redirect", "http://", "api.example", {{kConnect, "HTTP/1.1 302 x\r\n\r\n"}}, "answered 302 to CONNECT"},
        {"http, garbage",
         "http://",
         "api.example",
         {{kConnect, "SSH-2.0-x\r\n"}},
         "does not answer in HTTP",
         End::hold},
        {"http, bad status",
         "http://",
         "api.example",
         {{kConnect, "HTTP/1.1 2000\r\n\r\n"}},
         "does not answer in HTTP"},
        {"http, no status", "http://", "api.example", {{kConnect, "HTTP/1.1\r\n\r\n"}}, "does not answer in HTTP"},
        {"http, endless", "http://", "api.example", {{kConnect, long_head}}, "answer is too long", End::hold},
        {"http, closes", "http://", "api.example", {{kConnect, "HTTP/1.1 200"}}, "closed the connection"},
        {"http, silent", "http://", "api.example", {{kConnect, "HTTP/1.1 200"}}, "not answer in time", End::hold},

        {"socks", "socks5://", "api.example", {{kHello, "\5\0"s}, {kAsk, kGranted}}},
        {"socks, address", "socks5://", "192.0.2.1", {{kHello, "\5\0"s}, {kAskV4, kGranted}}},
        {"socks, IPv6", "socks5://", "2001:db8::1", {{kHello, "\5\0"s}, {kAskV6, kGranted}}},
        {"socks, answers with a name", "socks5://", "api.example", {{kHello, "\5\0"s}, {kAsk, "\5\0\0\3\3abc\0\1"s}}},
        {"socks, answers with IPv6",
         "socks5://",
         "api.example",
         {{kHello, "\5\0"s}, {kAsk, "\5\0\0\4"s + std::string(18, 'x')}}},
        {"socks, credentials",
         "socks5://user:p%40ss@",
         "api.example",
         {{kHelloAs, "\5\2"s}, {kLogin, "\1\0"s}, {kAsk, kGranted}}},
        {"socks, credentials not asked for",
         "socks5://user:p%40ss@",
         "api.example",
         {{kHelloAs, "\5\0"s}, {kAsk, kGranted}}},
        {"socks, wrong password",
         "socks5://user:p%40ss@",
         "api.example",
         {{kHelloAs, "\5\2"s}, {kLogin, "\1\1"s}},
         "wants other credentials"},
        {"socks, wants credentials", "socks5://", "api.example", {{kHello, "\5\377"s}}, "wants credentials"},
        {"socks, wants a password nobody offered",
         "socks5://",
         "api.example",
         {{kHello, "\5\2"s}},
         "another way to authenticate"},
        {"socks, wants Kerberos", "socks5://user:p%40ss@", "api.example", {{kHelloAs, "\5\1"s}}, "another way"},
        {"socks, refused",
         "socks5://",
         "api.example",
         {{kHello, "\5\0"s}, {kAsk, "\5\2\0\1\0\0\0\0\0\0"s}},
         "answered 2 to CONNECT (its rules forbid it)"},
        {"socks, unknown refusal",
         "socks5://",
         "api.example",
         {{kHello, "\5\0"s}, {kAsk, "\5\144\0\1\0\0\0\0\0\0"s}},
         "answered 100 to CONNECT"},
        {"socks, version 4", "socks5://", "api.example", {{kHello, "\4\0"s}}, "does not answer in SOCKS 5", End::hold},
        {"socks, garbage",
         "socks5://",
         "api.example",
         {{kHello, "\5\0"s}, {kAsk, "HTTP/1.1 "}},
         "not answer in SOCKS 5"},
        {"socks, unknown address",
         "socks5://",
         "api.example",
         {{kHello, "\5\0"s}, {kAsk, "\5\0\0\2x"s}},
         "not answer in SOCKS 5"},
        {"socks, closes first", "socks5://", "api.example", {{kHello}}, "closed the connection"},
        {"socks, closes late", "socks5://", "api.example", {{kHello, "\5\0"s}, {kAsk, "\5\0\0\1\0"s}}, "closed the"},
        {"socks, silent", "socks5://", "api.example", {{kHello, "\5"s}}, "not answer in time", End::hold},
        {"socks, name too long", "socks5://", long_name.c_str(), {}, "longer than SOCKS 5 can say", End::hold},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const bool tunnel = std::string(row.want).empty();
        Loop loop;
        std::vector<Step> steps = row.steps;
        if (tunnel) steps.push_back({"ping", "pong"});  // whatever follows is the host's
        ScriptedProxy script(loop, steps, row.end);
        const core::Result<Proxy> proxy = parse_proxy_url(row.scheme + "127.0.0.1:"s + std::to_string(script.port()));
        REQUIRE(proxy);
        const Destination to{.host = row.host, .port = 443, .proxy = std::make_shared<const Proxy>(*proxy)};
        // Only those that wait for the deadline take it.
        const std::chrono::milliseconds patience = contains(row.want, "in time") ? 30ms : 30s;
        std::string answer, why;
        loop.run([&](Worker& worker) -> Awaitable<void> {
            core::Result<std::unique_ptr<Stream>> stream = co_await connect(worker, to, in(patience));
            if (stream) {
                const Pieces ping{"ping"};
                const bool written = co_await (*stream)->write(ping);
                CHECK(written);
                std::array<char, 64> bytes{};
                while (answer.size() < 4) {
                    const std::size_t n = co_await (*stream)->read_some(bytes);
                    if (n == 0) break;
                    answer.append(bytes.data(), n);
                }
            } else {
                CHECK(stream.error().code == core::Code::connect_failed);
                CHECK(stream.error().retryable);
                why = stream.error().detail;
            }
            script.close();
        });
        CHECK(script.got() == expected(steps));
        CHECK(answer == (tunnel ? "pong" : ""));
        if (tunnel) {
            CHECK(why == "");
            continue;
        }
        CHECK(contains(why, row.want));
        CHECK(contains(why, "cannot connect to "s + row.host + ":443 through the proxy " + proxy->name()));
        CHECK_FALSE(contains(why, "p@ss"));
    }
}

TEST_CASE("bytes that a proxy sends behind its answer are nobody's") {
    Loop loop;
    struct Burst {
        static Awaitable<void> serve(Worker& worker, Socket socket) {
            Stream stream(worker, std::move(socket));
            const Pieces pieces{"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"};
            co_await stream.write(pieces);
            std::array<char, 256> bytes{};
            while (co_await stream.read_some(bytes) != 0) {
            }
        }
    };
    auto listener = loop.listen();
    listener->start([&](Socket socket) { loop.worker.spawn(Burst::serve(loop.worker, std::move(socket))); });
    const auto proxy = std::make_shared<const Proxy>(
        Proxy{.kind = Proxy::Kind::http_connect, .host = "127.0.0.1", .port = listener->port()});
    const Destination to{.host = "api.example", .port = 80, .proxy = proxy};
    loop.run([&](Worker& worker) -> Awaitable<void> {
        const core::Result<std::unique_ptr<Stream>> stream = co_await connect(worker, to, in(30s));
        REQUIRE_FALSE(stream);
        CHECK(contains(stream.error().detail, "sent bytes of its own"));
        listener->close();
    });
}
