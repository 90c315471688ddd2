// Counts heap allocations of a program: LD_PRELOAD=libcount_allocations.so; prints totals when it gets SIGUSR1 and at
// its end. Used by bench/gateway/allocations.
#include <atomic>
#include <cstddef>
#include <cstdio>
#include <dlfcn.h>
#include <signal.h>
#include <unistd.h>

namespace {

std::atomic<unsigned long> calls{0};
std::atomic<unsigned long> bytes{0};

void print(int) {
    char line[96];
    const int n = std::snprintf(line, sizeof line, "allocations=%lu bytes=%lu\n", calls.load(), bytes.load());
    if (n > 0) [[maybe_unused]]
        const ssize_t written = ::write(2, line, static_cast<std::size_t>(n));
}

struct AtStart {
    AtStart() { ::signal(SIGUSR1, print); }
} at_start;

template <class F>
F next(const char* name) {
    return reinterpret_cast<F>(::dlsym(RTLD_NEXT, name));
}

void count(std::size_t size) {
    calls.fetch_add(1, std::memory_order_relaxed);
    bytes.fetch_add(size, std::memory_order_relaxed);
}

}  // namespace

extern "C" {

void* __libc_malloc(std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
    count(size);
    return __libc_malloc(size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) {
    count(size);
    return __libc_memalign(alignment, size);
}

void* memalign(std::size_t alignment, std::size_t size) {
    count(size);
    return __libc_memalign(alignment, size);
}

int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
    count(size);
    *out = __libc_memalign(alignment, size);
    return *out == nullptr ? 12 : 0;
}
}
