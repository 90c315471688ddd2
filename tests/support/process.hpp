#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace oai::test {

/// What a program is started with. Its environment is PATH, what the sanitizers are told, and `environment`: nothing of
/// the person who runs the tests. Its stdin is empty, its stdout and stderr are no terminals.
struct Command {
    std::string program;
    std::vector<std::string> arguments;
    std::vector<std::pair<std::string, std::string>> environment;
    std::filesystem::path folder;  ///< where it runs; empty: here
};

/// A program that runs. It never outlives the test: the destructor kills it, and the kernel does when the test dies.
class Process {
public:
    explicit Process(const Command& command);
    ~Process();
    Process(Process&& other) noexcept;
    Process& operator=(Process&& other) noexcept;

    pid_t pid() const noexcept { return pid_; }
    bool running();
    void signal(int number) const;

    /// The first line of stdout without its end; what there is of it when the program ends or time runs out.
    std::string first_line(std::chrono::milliseconds patience = kPatience);
    /// The port at the end of the first line, as in "listening on http://127.0.0.1:5231"; 0 when there is none.
    std::uint16_t port(std::chrono::milliseconds patience = kPatience);

    /// Waits for the end. The exit code, or 128 + the signal's number; nothing while it runs on.
    std::optional<int> wait(std::chrono::milliseconds patience = kPatience);

    /// What it wrote so far.
    std::string out() const;
    std::string err() const;

    /// Generous: sanitizers are slow, and a busy machine too.
    static constexpr std::chrono::milliseconds kPatience{20'000};

private:
    void end() noexcept;

    pid_t pid_ = -1;
    int alive_ = -1;           ///< readable when the program has ended (pidfd)
    int out_ = -1, err_ = -1;  ///< files in memory: no pipe that fills, no thread that reads
    std::optional<int> code_;
};

/// A program that ran to its end.
struct Finished {
    int code = -1;  ///< -1: it had to be killed, it took too long
    std::string out, err;

    /// The last line of stdout, where programs say their verdict.
    std::string last_line() const;
};

Finished run(const Command& command, std::chrono::milliseconds patience = Process::kPatience);

/// Lines of a text, without their ends.
std::vector<std::string> lines_of(std::string_view text);

}  // namespace oai::test
