// Counts a program's allocations, for LD_PRELOAD. The totals of the program and its children are two 64-bit numbers in
// the file that OAI_ALLOCATIONS names: calls, then bytes asked for. Whoever started the program reads them there, while
// it runs: signals mean something to every proxy.
//
// Both operator new and Asio's frames end in one of these functions (Asio takes aligned_alloc, and not operator new).
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

namespace {

struct Totals {
    std::atomic<std::uint64_t> calls = 0;
    std::atomic<std::uint64_t> bytes = 0;
};

Totals before_start;  // what runs before the constructor below, and everything when there is no file
Totals* totals = &before_start;

void count(std::size_t size) noexcept {
    totals->calls.fetch_add(1, std::memory_order_relaxed);
    totals->bytes.fetch_add(size, std::memory_order_relaxed);
}

void* map(void* where, std::size_t size, int protection, int flags, int file, off_t offset) noexcept {
    return reinterpret_cast<void*>(::syscall(SYS_mmap, where, size, protection, flags, file, offset));
}

[[gnu::constructor]] void open_totals() {
    const char* const path = std::getenv("OAI_ALLOCATIONS");
    const int file = path == nullptr ? -1 : ::open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) return;
    // Shared, and in a file: a child that is forked later counts into it as well.
    void* const shared = map(nullptr, sizeof(Totals), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    if (shared != MAP_FAILED) totals = static_cast<Totals*>(shared);
}

}  // namespace

extern "C" {

// glibc's own functions behind the names that are taken here. dlsym would allocate while it looks for them.
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t number, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
    count(size);
    return __libc_malloc(size);
}

void* calloc(std::size_t number, std::size_t size) {
    count(number * size);
    return __libc_calloc(number, size);
}

void* realloc(void* old, std::size_t size) {
    count(size);
    return __libc_realloc(old, size);
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
    return *out == nullptr ? ENOMEM : 0;
}

// malloc's own mappings do not come by here: they are counted as the malloc that they serve.
void* mmap(void* where, std::size_t size, int protection, int flags, int file, off_t offset) noexcept {
    count(size);
    return map(where, size, protection, flags, file, offset);
}

void* mmap64(void* where, std::size_t size, int protection, int flags, int file, off_t offset) noexcept {
    return mmap(where, size, protection, flags, file, offset);
}
}
