#include "net/tls.hpp"

#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <boost/asio/post.hpp>
#include <doctest/doctest.h>

#include "net/connect.hpp"
#include "net/listener.hpp"
#include "support/authority.hpp"

using namespace oai;
using namespace oai::net;
using namespace std::chrono_literals;
using oai::test::Authority;
using oai::test::Identity;

namespace {

const std::string kAddress = "127.0.0.1";
const std::string kName = "localhost";

using ClientContext = std::shared_ptr<const TlsClientContext>;

ClientContext trusting(const Authority& authority) {
    return *TlsClientContext::make({.ca_file = authority.file()});
}

/// A server and its clients on one worker, each side a coroutine.
struct Site {
    explicit Site(const Identity& identity)
        : context(*TlsServerContext::make(identity.certificate, identity.key)),
          listener(*Listener::open(worker, ListenAddress{kAddress, 0}, false)) {}

    /// `server` gets each accepted stream past its handshake; the run ends with `client`.
    template <class Server, class Client>
    void run(Server server, Client client) {
        listener->start([&](Socket socket) { worker.spawn(accept(std::move(socket), server)); });
        worker.spawn(ending(client));
        worker.run();
        CHECK(worker.escaped_exceptions() == 0);
    }

    /// A client's stream past its handshake; null when that failed, and then `failure` says why.
    Awaitable<std::unique_ptr<Stream>> open(ClientContext client, std::string host) {
        const core::TimePoint deadline = std::chrono::steady_clock::now() + 10s;
        auto stream = co_await connect(worker, kAddress, listener->port(), deadline);
        (*stream)->set_deadline(deadline);
        const bool secured = co_await (*stream)->handshake_client(client, host);
        if (secured) co_return std::move(*stream);
        failure = (*stream)->error().message();
        co_return nullptr;
    }

    /// Lets everything else go on until `reached`.
    template <class Condition>
    Awaitable<void> until(const Condition& reached) {
        while (!reached()) co_await boost::asio::post(worker.executor(), use_awaitable);
    }

    template <class Server>
    Awaitable<void> accept(Socket socket, Server& server) {
        Stream stream(worker, std::move(socket));
        stream.set_deadline(std::chrono::steady_clock::now() + 10s);
        const bool secured = co_await stream.handshake_server(context);
        if (!secured) co_return;
        ++accepted;
        co_await server(stream);
    }

    template <class Client>
    Awaitable<void> ending(Client& client) {
        co_await client();
        listener->close();
        worker.stop();
    }

    Worker worker{"test"};
    std::shared_ptr<const TlsServerContext> context;
    std::unique_ptr<Listener> listener;
    std::string failure;
    int accepted = 0;
};

Awaitable<std::string> read_to_end(Stream& stream) {
    std::string all;
    std::vector<char> chunk(4096);
    for (;;) {
        const std::size_t n = co_await stream.read_some(chunk);
        if (n == 0) co_return all;
        all.append(chunk.data(), n);
    }
}

/// Reads until the client closes, and says nothing.
Awaitable<void> listen_only(Stream& stream) {
    (void)co_await read_to_end(stream);
}

}  // namespace

TEST_CASE("a client believes the one it asked for, if somebody it trusts says so, and nobody else") {
    Authority ours, others;
    Authority intermediate(&ours);
    struct Row {
        const char* name;
        Identity server;
        ClientContext client;
        std::string host;
        const char* failure;  ///< empty: it succeeds
    };
    const ClientContext trusts_ours = trusting(ours);
    const Row rows[] = {
        {"by name", ours.issue(), trusts_ours, kName, ""},
        {"by address", ours.issue(), trusts_ours, kAddress, ""},
        {"by wildcard", ours.issue("DNS:*.example.org"), trusts_ours, "a.example.org", ""},
        {"through its chain", intermediate.issue(), trusts_ours, kName, ""},
        {"another name", ours.issue(), trusts_ours, "example.org", "hostname mismatch"},
        {"another address", ours.issue(), trusts_ours, "127.0.0.2", "IP address mismatch"},
        {"an address as a name", ours.issue("DNS:127.0.0.1"), trusts_ours, kAddress, "IP address mismatch"},
        {"expired", ours.issue("DNS:localhost", -1), trusts_ours, kName, "has expired"},
        {"an unknown authority", ours.issue(), trusting(others), kName, "unable to get local issuer certificate"},
        {"unknown to the system", ours.issue(), TlsClientContext::system(), kName,
         "unable to get local issuer certificate"},
        {"nobody is asked", ours.issue("DNS:x", -1), *TlsClientContext::make({.verify = false}), kName, ""},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        Site site(row.server);
        std::unique_ptr<Stream> stream;
        site.run(listen_only, [&]() -> Awaitable<void> {
            stream = co_await site.open(row.client, row.host);
            if (stream) co_await site.until([&] { return site.accepted == 1; });
            stream.reset();
        });
        CAPTURE(site.failure);
        CHECK(site.failure.empty() == (*row.failure == '\0'));
        CHECK(site.failure.find(row.failure) != std::string::npos);
        CHECK(site.accepted == (*row.failure == '\0' ? 1 : 0));
    }
}

TEST_CASE("bytes go both ways, also more than the other side takes at once") {
    Authority authority;
    Site site(authority.issue());
    std::string sent(20'000'000, 'z');
    for (std::size_t i = 0; i < sent.size(); i += 1000) sent[i] = static_cast<char>('a' + i / 1000 % 26);
    std::string received, answer;
    bool blocked = false;
    site.run(
        [&](Stream& stream) -> Awaitable<void> {
            // Reads nothing until the client could write no more.
            co_await site.until([&] { return blocked; });
            std::vector<char> chunk(1000);
            while (received.size() < sent.size()) {
                const std::size_t n = co_await stream.read_some(chunk);
                if (n == 0) break;
                received.append(chunk.data(), n);
            }
            const Pieces thanks{"got ", "it"};
            co_await stream.write(thanks);
            stream.shutdown_send();
            co_await listen_only(stream);
        },
        [&]() -> Awaitable<void> {
            const auto stream = co_await site.open(trusting(authority), kName);
            Pieces pieces{std::string_view(sent).substr(0, 7), std::string_view(sent).substr(7, 30'000),
                          std::string_view(sent).substr(30'007)};
            blocked = stream->try_write(pieces) == Stream::Written::blocked;
            CHECK(blocked);
            const bool written = co_await stream->write(pieces);
            CHECK(written);
            answer = co_await read_to_end(*stream);
            CHECK(stream->error() == boost::asio::error::eof);
        });
    CHECK((received == sent));
    CHECK(answer == "got it");
}

TEST_CASE("small pieces go out as one record") {
    Authority authority;
    Site site(authority.issue());
    std::string first;
    site.run(
        [&](Stream& stream) -> Awaitable<void> {
            std::vector<char> chunk(1000);
            const std::size_t n = co_await stream.read_some(chunk);  // a read brings a record
            first.assign(chunk.data(), n);
        },
        [&]() -> Awaitable<void> {
            const auto stream = co_await site.open(trusting(authority), kName);
            const Pieces pieces{"5\r\n", "hello", "\r\n"};
            const bool written = co_await stream->write(pieces);
            CHECK(written);
            co_await site.until([&] { return !first.empty(); });
        });
    CHECK(first == "5\r\nhello\r\n");
}

TEST_CASE("an end that was not announced is no end of file") {
    Authority authority;
    for (const bool announced : {true, false}) {
        CAPTURE(announced);
        Site site(authority.issue());
        site.run(
            [&](Stream& stream) -> Awaitable<void> {
                const Pieces pieces{"hello"};
                co_await stream.write(pieces);
                if (announced) stream.shutdown_send();
                stream.close();
            },
            [&]() -> Awaitable<void> {
                const auto stream = co_await site.open(trusting(authority), kName);
                const std::string got = co_await read_to_end(*stream);
                CHECK(got == "hello");
                CHECK((stream->error() == boost::asio::error::eof) == announced);
                CHECK(stream->error());
            });
    }
}

TEST_CASE("the second connection to a host goes on from the first one's session, within one context") {
    Authority authority;
    Site site(authority.issue());
    const auto one_byte = [](Stream& stream) -> Awaitable<void> {
        const Pieces pieces{"x"};
        co_await stream.write(pieces);
        co_await listen_only(stream);
    };
    std::vector<bool> resumed;
    site.run(one_byte, [&]() -> Awaitable<void> {
        const ClientContext first = trusting(authority), second = trusting(authority);
        CHECK(first->id() != second->id());
        std::vector<char> chunk(10);
        for (const auto& [context, host] : std::vector<std::pair<ClientContext, std::string>>{
                 {first, kName}, {first, kName}, {first, kName}, {first, kAddress}, {second, kName}}) {
            const auto stream = co_await site.open(context, host);
            resumed.push_back(stream->tls_resumed());
            (void)co_await stream->read_some(chunk);  // tickets come before the first bytes
        }
    });
    CHECK(resumed == std::vector<bool>{false, true, true, false, false});
}

TEST_CASE("a kept connection is stale when its server left or spoke, not when it sent tickets") {
    Authority authority;
    Site site(authority.issue());
    bool speak = false, leave = false, done = false;
    site.run(
        [&](Stream& stream) -> Awaitable<void> {
            co_await site.until([&] { return speak || leave; });
            const Pieces pieces{"x"};
            if (speak) co_await stream.write(pieces);
            if (leave) stream.shutdown_send();
            done = true;
            co_await listen_only(stream);
        },
        [&]() -> Awaitable<void> {
            for (const bool speaks : {true, false}) {
                CAPTURE(speaks);
                speak = leave = done = false;
                const auto stream = co_await site.open(trusting(authority), kName);
                const int so_far = site.accepted;
                co_await site.until([&] { return site.accepted > so_far || so_far == (speaks ? 1 : 2); });
                CHECK_FALSE(stream->is_stale());  // the tickets have arrived, and nobody read them
                (speaks ? speak : leave) = true;
                co_await site.until([&] { return done; });
                CHECK(stream->is_stale());
            }
        });
}

TEST_CASE("a client that leaves while nobody reads takes the dependent stream with it") {
    Authority authority;
    Site site(authority.issue());
    // The dependent: a plain connection to somebody who says nothing.
    const auto silent = *Listener::open(site.worker, ListenAddress{kAddress, 0}, false);
    std::vector<std::unique_ptr<Stream>> quiet;
    silent->start([&](Socket s) { quiet.push_back(std::make_unique<Stream>(site.worker, std::move(s))); });
    bool speaks_first = false, watched = false, gone = false;
    site.run(
        [&](Stream& stream) -> Awaitable<void> {
            auto dependent = co_await connect(site.worker, kAddress, silent->port(), Stream::kNever);
            const PeerWatch watch(stream, **dependent);
            watched = true;
            std::vector<char> chunk(10);
            (void)co_await (*dependent)->read_some(chunk);
            gone = stream.peer_gone();
        },
        [&]() -> Awaitable<void> {
            auto stream = co_await site.open(trusting(authority), kName);
            co_await site.until([&] { return watched; });
            speaks_first = !gone;
            stream->shutdown_send();
            co_await site.until([&] { return gone; });
            silent->close();
            quiet.clear();
        });
    CHECK(speaks_first);
    CHECK(gone);
}

TEST_CASE("files that cannot be used are named, with the reason") {
    Authority authority, other;
    const Identity good = authority.issue(), stranger = other.issue();
    const std::string folder = authority.folder().string(), text = folder + "/text", none = folder + "/none";
    std::ofstream(text) << "hello\n";
    struct Row {
        const char* name;
        std::string certificate, key, want;
    };
    const Row rows[] = {
        {"good", good.certificate, good.key, ""},
        {"no certificate file", none, good.key, none + ": No such file or directory"},
        {"no key file", good.certificate, none, none + ": No such file or directory"},
        {"a certificate that is none", text, good.key, text + ": holds no certificate in PEM"},
        {"a key that is none", good.certificate, text, text + ": holds no key in PEM"},
        {"the files exchanged", good.key, good.certificate, good.key + ": holds no certificate in PEM"},
        {"the key of another", good.certificate, stranger.key,
         stranger.key + ": this is not the key of the certificate in " + good.certificate},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const auto context = TlsServerContext::make(row.certificate, row.key);
        REQUIRE(context.has_value() == row.want.empty());
        if (!context) CHECK(context.error().detail.starts_with(row.want));
    }
    CHECK(TlsClientContext::make({.ca_file = none}).error().detail == none + ": No such file or directory");
    CHECK(TlsClientContext::make({.ca_file = text}).error().detail.starts_with(text + ": holds no certificates"));
}
