#include "counting.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <dlfcn.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

// The program's own definitions stand before those of the C library, for the library's callers too.

namespace oai::bench {
namespace {

// Per thread: a shared counter would be what the threads wait for.
thread_local constinit Counts counted;

template <class F>
F next(const char* name) {
    return reinterpret_cast<F>(::dlsym(RTLD_NEXT, name));
}

void count_allocation(std::size_t size) noexcept {
    ++counted.allocations;
    counted.bytes += size;
}

template <class... Arguments>
long counted_call(long number, Arguments... arguments) noexcept {
    ++counted.system_calls;
    return ::syscall(number, arguments...);
}

}  // namespace

Counts counts() noexcept {
    return counted;
}

Counting::~Counting() {
    const Counts after = counts();
    const auto per_iteration = [](std::uint64_t from, std::uint64_t to) {
        return benchmark::Counter(static_cast<double>(to - from), benchmark::Counter::kAvgIterations);
    };
    state_.counters["allocs"] = per_iteration(before_.allocations, after.allocations);
    state_.counters["bytes"] = per_iteration(before_.bytes, after.bytes);
    state_.counters["syscalls"] = per_iteration(before_.system_calls, after.system_calls);
    state_.counters["locks"] = per_iteration(before_.locks, after.locks);
}

}  // namespace oai::bench

using oai::bench::count_allocation;
using oai::bench::counted;
using oai::bench::counted_call;
using oai::bench::next;

extern "C" {

void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* block, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
    count_allocation(size);
    return __libc_malloc(size);
}

void* calloc(std::size_t count, std::size_t size) {
    count_allocation(count * size);
    return __libc_calloc(count, size);
}

void* realloc(void* block, std::size_t size) {
    count_allocation(size);
    return __libc_realloc(block, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) {
    count_allocation(size);
    return __libc_memalign(alignment, size);
}

void* memalign(std::size_t alignment, std::size_t size) {
    count_allocation(size);
    return __libc_memalign(alignment, size);
}

int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
    count_allocation(size);
    *out = __libc_memalign(alignment, size);
    return *out == nullptr ? ENOMEM : 0;
}

ssize_t send(int fd, const void* bytes, std::size_t size, int flags) {
    return counted_call(SYS_sendto, fd, bytes, size, flags, nullptr, 0);
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
    return counted_call(SYS_sendmsg, fd, message, flags);
}

ssize_t recv(int fd, void* bytes, std::size_t size, int flags) {
    return counted_call(SYS_recvfrom, fd, bytes, size, flags, nullptr, nullptr);
}

ssize_t recvmsg(int fd, msghdr* message, int flags) {
    return counted_call(SYS_recvmsg, fd, message, flags);
}

int epoll_wait(int fd, epoll_event* events, int most, int timeout) {
    return static_cast<int>(counted_call(SYS_epoll_wait, fd, events, most, timeout));
}

int timerfd_settime(int fd, int flags, const itimerspec* value, itimerspec* old) noexcept {
    return static_cast<int>(counted_call(SYS_timerfd_settime, fd, flags, value, old));
}

int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
    static const auto lock = next<int (*)(pthread_mutex_t*)>("pthread_mutex_lock");
    ++counted.locks;
    return lock(mutex);
}

int pthread_rwlock_rdlock(pthread_rwlock_t* mutex) noexcept {
    static const auto lock = next<int (*)(pthread_rwlock_t*)>("pthread_rwlock_rdlock");
    ++counted.locks;
    return lock(mutex);
}

int pthread_rwlock_wrlock(pthread_rwlock_t* mutex) noexcept {
    static const auto lock = next<int (*)(pthread_rwlock_t*)>("pthread_rwlock_wrlock");
    ++counted.locks;
    return lock(mutex);
}
}
