#include "support/process.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace oai::test {
namespace {

std::vector<std::string> environment_of(const Command& command) {
    std::vector<std::string> lines;
    for (const char* name :
         {"PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS", "LLVM_PROFILE_FILE"}) {
        if (const char* value = std::getenv(name)) lines.push_back(std::string(name) + "=" + value);
    }
    for (const auto& [name, value] : command.environment) lines.push_back(name + "=" + value);
    return lines;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (std::string& text : texts) result.push_back(text.data());
    result.push_back(nullptr);
    return result;
}

/// In the child of a process with threads: system calls only.
[[noreturn]] void become(char* const* arguments, char* const* environment, const char* folder, pid_t parent, int out,
                         int err) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(126);  // it died before the line above
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    const int in = ::open("/dev/null", O_RDONLY);
    if (in < 0 || ::dup2(in, 0) < 0 || ::dup2(out, 1) < 0 || ::dup2(err, 2) < 0) ::_exit(126);
    if (*folder != '\0' && ::chdir(folder) != 0) ::_exit(126);
    ::execve(arguments[0], arguments, environment);
    ::_exit(127);
}

std::string content(int file) {
    std::string text;
    char buffer[8192];
    for (;;) {
        const ssize_t n = ::pread(file, buffer, sizeof buffer, static_cast<off_t>(text.size()));
        if (n <= 0) return text;
        text.append(buffer, static_cast<std::size_t>(n));
    }
}

}  // namespace

Process::Process(const Command& command) {
    std::vector<std::string> texts{command.program};
    texts.insert(texts.end(), command.arguments.begin(), command.arguments.end());
    std::vector<std::string> variables = environment_of(command);
    const std::vector<char*> arguments = pointers(texts), environment = pointers(variables);
    const std::string folder = command.folder.string();
    out_ = ::memfd_create("stdout", MFD_CLOEXEC);
    err_ = ::memfd_create("stderr", MFD_CLOEXEC);
    const bool good = out_ >= 0 && err_ >= 0;
    const pid_t parent = ::getpid();
    pid_ = good ? ::fork() : -1;
    if (pid_ == 0) become(arguments.data(), environment.data(), folder.c_str(), parent, out_, err_);
    // glibc 2.36 declares pidfd_open() for C only.
    if (pid_ > 0) alive_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    if (alive_ >= 0) return;
    const std::string why = std::strerror(errno);
    end();
    throw std::runtime_error("cannot start " + command.program + ": " + why);
}

Process::~Process() {
    end();
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      alive_(std::exchange(other.alive_, -1)),
      out_(std::exchange(other.out_, -1)),
      err_(std::exchange(other.err_, -1)),
      code_(std::exchange(other.code_, std::nullopt)) {}

Process& Process::operator=(Process&& other) noexcept {
    if (this == &other) return *this;
    end();
    pid_ = std::exchange(other.pid_, -1);
    alive_ = std::exchange(other.alive_, -1);
    out_ = std::exchange(other.out_, -1);
    err_ = std::exchange(other.err_, -1);
    code_ = std::exchange(other.code_, std::nullopt);
    return *this;
}

void Process::end() noexcept {
    if (pid_ > 0 && !code_) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    for (const int file : {alive_, out_, err_}) {
        if (file >= 0) ::close(file);
    }
    pid_ = alive_ = out_ = err_ = -1;
}

void Process::signal(int number) const {
    // Not waited for yet, or its number could be another process's by now.
    if (pid_ > 0 && !code_) ::kill(pid_, number);
}

bool Process::running() {
    return !wait(std::chrono::milliseconds{0});
}

std::optional<int> Process::wait(std::chrono::milliseconds patience) {
    if (code_) return code_;
    pollfd ended{alive_, POLLIN, 0};
    if (::poll(&ended, 1, static_cast<int>(patience.count())) != 1) return std::nullopt;
    int status = 0;
    if (::waitpid(pid_, &status, 0) != pid_) return std::nullopt;
    code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return code_;
}

std::string Process::first_line(std::chrono::milliseconds patience) {
    const auto until = std::chrono::steady_clock::now() + patience;
    for (;;) {
        const bool on = running() && std::chrono::steady_clock::now() < until;
        const std::string text = out();
        const std::size_t end = text.find('\n');
        if (end != std::string::npos || !on) return text.substr(0, end);
        std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
}

std::uint16_t Process::port(std::chrono::milliseconds patience) {
    const std::string line = first_line(patience);
    const std::size_t colon = line.rfind(':');
    return colon == std::string::npos ? std::uint16_t{0}
                                      : static_cast<std::uint16_t>(std::strtoul(line.c_str() + colon + 1, nullptr, 10));
}

std::string Process::out() const {
    return content(out_);
}

std::string Process::err() const {
    return content(err_);
}

std::string Finished::last_line() const {
    const std::vector<std::string> lines = lines_of(out);
    return lines.empty() ? std::string() : lines.back();
}

Finished run(const Command& command, std::chrono::milliseconds patience) {
    Process process(command);
    const int code = process.wait(patience).value_or(-1);
    return {.code = code, .out = process.out(), .err = process.err()};
}

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        lines.emplace_back(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return lines;
}

}  // namespace oai::test
