#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <variant>

/// What the three programs of this folder share: options, sockets of the loopback interface, and waiting for them.
namespace oai::bench {

/// Ends the program. A benchmark in which something went wrong has no figure.
[[noreturn]] void fail(std::string_view what);
/// The same, with what errno says.
[[noreturn]] void fail_errno(std::string_view what);

struct Option {
    std::string_view name;  ///< such as "--port"
    std::variant<long*, std::string*> value;
};
/// Reads `--name value` pairs. An unknown name or a broken number ends the program.
void read_options(int argc, char** argv, std::initializer_list<Option> options);

/// Of the monotonic clock.
std::int64_t now_ns() noexcept;

/// Sockets are non-blocking and send at once (TCP_NODELAY).
int listen_on_loopback();
/// Prints the one line that tells who started the program where it listens.
void announce(int listener);
/// Empty when nobody waits.
std::optional<int> accept_from(int listener);
/// Empty when the port does not answer.
std::optional<int> connect_to_loopback(long port);

/// Edge-triggered epoll: sockets are added once, for reading and writing, and leave by being closed. Whoever is woken
/// reads or writes until there is no more.
class Poller {
public:
    Poller();
    void add(int socket, void* owner);
    /// Owners are in `data.ptr`. Waits for ever without a timeout.
    std::span<epoll_event> wait(std::optional<std::int64_t> timeout_ns = std::nullopt);

private:
    int epoll_;
    std::array<epoll_event, 256> events_;
};

}  // namespace oai::bench
