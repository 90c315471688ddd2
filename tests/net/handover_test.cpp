#include "net/handover.hpp"

#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "net/loop.hpp"
#include "net/stream.hpp"

using namespace oai;
using namespace oai::net;
using namespace std::chrono_literals;
using oai::test::contains;
using oai::test::in;
using oai::test::Loop;

namespace {

struct TempDir {
    TempDir() {
        std::string pattern = (std::filesystem::temp_directory_path() / "oai-handover-XXXXXX").string();
        path = ::mkdtemp(pattern.data());
    }
    ~TempDir() { std::filesystem::remove_all(path); }
    std::string file(const char* name) const { return (path / name).string(); }
    std::filesystem::path path;
};

struct Pair {
    Pair() {
        int fds[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0);
        a = Descriptor(fds[0]);
        b = Descriptor(fds[1]);
    }
    Descriptor a, b;
};

/// Connected as far as the kernel is concerned; nobody has accepted it.
Descriptor waiting_client(std::uint16_t port) {
    Descriptor client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const TcpEndpoint to(boost::asio::ip::address_v4::loopback(), port);
    REQUIRE(::connect(client.get(), to.data(), static_cast<socklen_t>(to.size())) == 0);
    return client;
}

/// What is said to a client until its connection ends; "reset" when it was reset.
std::string all_of(const Descriptor& client) {
    const timeval patience{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    std::string all;
    std::array<char, 16> bytes{};
    for (;;) {
        const ssize_t n = ::recv(client.get(), bytes.data(), bytes.size(), 0);
        if (n < 0) return "reset";
        if (n == 0) return all;
        all.append(bytes.data(), static_cast<std::size_t>(n));
    }
}

/// Whether any epoll set of this process still holds what descriptor `fd` was when it was added.
bool watched(int fd) {
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fdinfo")) {
        std::ifstream info(entry.path());
        for (std::string line; std::getline(info, line);) {
            if (line.starts_with("tfd:") && std::atoi(line.c_str() + 4) == fd) return true;
        }
    }
    return false;
}

Awaitable<void> greet(Worker& worker, Socket socket) {
    Stream stream(worker, std::move(socket));
    const Pieces pieces{"served"};
    co_await stream.write(pieces);
}

}  // namespace

TEST_CASE("connections that wait in handed-over listeners are served by the receiver, and none is reset") {
    constexpr std::size_t kClients = 200;
    const TempDir dir;
    const auto control = listen_control(dir.file("control"));
    REQUIRE(control);
    const auto receiver = connect_control(dir.file("control"));
    REQUIRE(receiver);
    const auto sender = accept_control(*control, 5s);
    REQUIRE(sender);

    std::vector<Descriptor> clients;
    {
        Loop old_process;
        const auto first = old_process.listen(true);
        const auto second = old_process.listen(true, first->port());
        for (std::size_t i = 0; i < kClients; ++i) clients.push_back(waiting_client(first->port()));
        const std::array sockets{first->native_handle(), second->native_handle()};
        REQUIRE(send_handover(*sender, sockets, "two sockets"));
        first->close();
        second->close();
    }
    auto got = receive_handover(*receiver, 5s);
    REQUIRE(got);
    CHECK(got->message == "two sockets");
    REQUIRE(got->sockets.size() == 2);

    Worker new_process("new");
    Worker* const workers[] = {&new_process};
    auto dealt = adopt_all(workers, std::move(got->sockets));
    REQUIRE(dealt);
    REQUIRE(dealt->front().size() == 2);
    for (const auto& listener : dealt->front()) {
        CHECK(listener->address().host == "127.0.0.1");
        listener->start([&](Socket socket) { new_process.spawn(greet(new_process, std::move(socket))); });
    }
    new_process.start();
    for (const Descriptor& client : clients) CHECK(all_of(client) == "served");
    new_process.post([&] {
        for (const auto& listener : dealt->front()) listener->close();
    });
    new_process.stop();
    new_process.join();
}

TEST_CASE("a closed listener is forgotten by its worker, though a copy of its socket lives on") {
    Loop loop;
    auto listener = loop.listen();
    const int fd = listener->native_handle();
    const auto copy = Descriptor(::dup(fd));
    listener->start([](const Socket&) {});
    loop.worker.context().poll();
    CHECK(watched(fd));
    listener->close();
    CHECK_FALSE(watched(fd));
    loop.worker.stop();
    loop.worker.run();
}

TEST_CASE("sockets are dealt out so that each has a worker and each worker has one") {
    struct Row {
        std::size_t sockets, workers;
        std::vector<std::size_t> want;
    };
    const Row rows[] = {{1, 1, {1}}, {2, 2, {1, 1}}, {1, 3, {1, 1, 1}}, {2, 5, {1, 1, 1, 1, 1}}, {5, 2, {3, 2}}};
    for (const Row& row : rows) {
        CAPTURE(row.sockets);
        CAPTURE(row.workers);
        std::vector<std::unique_ptr<Worker>> workers;
        std::vector<Worker*> pointers;
        for (std::size_t i = 0; i < row.workers; ++i) {
            workers.push_back(std::make_unique<Worker>("test"));
            pointers.push_back(workers.back().get());
        }
        Loop old_process;
        std::vector<std::unique_ptr<Listener>> listeners;
        std::vector<Descriptor> sockets;
        std::vector<std::uint16_t> ports;
        for (std::size_t i = 0; i < row.sockets; ++i) {
            listeners.push_back(old_process.listen());
            sockets.emplace_back(::dup(listeners.back()->native_handle()));
            ports.push_back(listeners.back()->port());
        }
        const auto dealt = adopt_all(pointers, std::move(sockets));
        REQUIRE(dealt);
        std::vector<std::size_t> counts;
        std::set<std::uint16_t> reached;
        for (const auto& of_worker : *dealt) {
            counts.push_back(of_worker.size());
            for (const auto& listener : of_worker) reached.insert(listener->port());
        }
        CHECK(counts == row.want);
        CHECK(reached == std::set<std::uint16_t>(ports.begin(), ports.end()));
    }
}

TEST_CASE("only a listening TCP socket can be adopted") {
    Worker worker("test");
    struct Row {
        const char* name;
        int fd;
        const char* want;
    };
    const Row rows[] = {
        {"UDP", ::socket(AF_INET, SOCK_DGRAM, 0), "no TCP socket"},
        {"unix", ::socket(AF_UNIX, SOCK_STREAM, 0), "no TCP socket"},
        {"a file", ::open("/dev/null", O_RDONLY), "no TCP socket"},
        {"nothing", -1, "no TCP socket"},
        {"does not listen", ::socket(AF_INET, SOCK_STREAM, 0), "does not listen"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const auto listener = Listener::adopt(worker, Descriptor(row.fd));
        REQUIRE_FALSE(listener);
        CHECK(contains(listener.error().detail, row.want));
    }
}

TEST_CASE("a handover goes whole or not at all") {
    const Pair control;
    const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    const Descriptor owner(null);
    const std::string longest(Handover::kMostBytes, 'm');
    const std::vector<int> most(Handover::kMostSockets, null);
    CHECK_FALSE(send_handover(control.a, {}, ""));
    CHECK_FALSE(send_handover(control.a, {}, longest + "m"));
    const std::vector<int> too_many(Handover::kMostSockets + 1, null);
    CHECK_FALSE(send_handover(control.a, too_many, "x"));

    REQUIRE(send_handover(control.a, most, longest));
    REQUIRE(send_handover(control.a, {}, "ready"));
    const auto first = receive_handover(control.b, 5s);
    REQUIRE(first);
    CHECK(first->sockets.size() == Handover::kMostSockets);
    CHECK(first->message == longest);
    CHECK((::fcntl(first->sockets.back().get(), F_GETFD) & FD_CLOEXEC) != 0);
    const auto second = receive_handover(control.b, 5s);
    REQUIRE(second);
    CHECK(second->sockets.empty());
    CHECK(second->message == "ready");

    const auto nothing = receive_handover(control.b, 1ms);
    REQUIRE_FALSE(nothing);
    CHECK(nothing.error().code == core::Code::timed_out);
    // Longer than any of ours: what cannot be read whole is refused.
    const std::string stranger(Handover::kMostBytes + 1, 's');
    REQUIRE(::send(control.a.get(), stranger.data(), stranger.size(), 0) > 0);
    const auto cut = receive_handover(control.b, 5s);
    REQUIRE_FALSE(cut);
    CHECK(contains(cut.error().detail, "incomplete"));
}

TEST_CASE("a peer that goes is a failure on both sides") {
    Pair control;
    control.a.reset();
    const auto received = receive_handover(control.b, 5s);
    REQUIRE_FALSE(received);
    CHECK(contains(received.error().detail, "closed the control socket"));
    CHECK_FALSE(send_handover(control.b, {}, "x"));
}

TEST_CASE("the control socket is this user's, takes the place of an old one, and says when nobody is there") {
    const TempDir dir;
    const std::string path = dir.file("control");
    CHECK_FALSE(connect_control(path));
    {
        const auto old = listen_control(path);
        REQUIRE(old);
    }
    CHECK_FALSE(connect_control(path));  // left behind: the file is there, and nobody behind it
    const auto next = listen_control(path);
    REQUIRE(next);
    struct stat info {};
    REQUIRE(::stat(path.c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
    const auto entries = std::filesystem::directory_iterator(dir.path);
    CHECK(std::distance(begin(entries), end(entries)) == 1);
    const auto peer = connect_control(path);
    CHECK(peer);
    CHECK(accept_control(*next, 5s));
    const auto nobody = accept_control(*next, 1ms);
    REQUIRE_FALSE(nobody);
    CHECK(nobody.error().code == core::Code::timed_out);
    CHECK_FALSE(listen_control(dir.file("missing/control")));
    const auto too_long = listen_control("/tmp/" + std::string(200, 'x'));
    REQUIRE_FALSE(too_long);
    CHECK(contains(too_long.error().detail, "1 to 107 characters"));
}

TEST_CASE("listeners are inherited when they are meant for this process, and no child inherits them again") {
    constexpr int kFirst = 200;  // the real ones begin with 3, which is somebody else's in a test
    struct Row {
        const char* name;
        std::string pid;
        const char* count;
        int want;  ///< -1: an error
    };
    const std::string own = std::to_string(::getpid());
    const Row rows[] = {
        {"two", own, "2", 2},          {"none", own, "0", 0},       {"another's", "1", "2", 0},
        {"three said", own, "3", -1},  {"no number", own, "x", -1}, {"no process", "x", "2", -1},
        {"absurd", own, "100000", -1},
    };
    Loop loop;
    const auto listener = loop.listen();
    for (const Row& row : rows) {
        CAPTURE(row.name);
        ::dup2(listener->native_handle(), kFirst);
        ::dup2(listener->native_handle(), kFirst + 1);
        ::setenv("LISTEN_PID", row.pid.c_str(), 1);
        ::setenv("LISTEN_FDS", row.count, 1);
        ::setenv("LISTEN_FDNAMES", "a:b", 1);
        auto sockets = inherited_listeners(kFirst);
        CHECK(bool(sockets) == (row.want >= 0));
        for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) CHECK(std::getenv(name) == nullptr);
        if (!sockets) continue;
        CHECK(static_cast<int>(sockets->size()) == row.want);
        for (Descriptor& socket : *sockets) {
            CHECK((::fcntl(socket.get(), F_GETFD) & FD_CLOEXEC) != 0);
            const auto adopted = Listener::adopt(loop.worker, std::move(socket));
            REQUIRE(adopted);
            CHECK((*adopted)->port() == listener->port());
        }
    }
    ::close(kFirst);
    ::close(kFirst + 1);
    const auto without = inherited_listeners(kFirst);
    REQUIRE(without);
    CHECK(without->empty());
}
