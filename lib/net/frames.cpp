#include "net/frames.hpp"

#include <array>
#include <new>
#include <utility>

namespace oai::net {

#if defined(__SANITIZE_ADDRESS__)

// The address sanitizer has to see each frame's end.

void* take_frame(std::size_t size) {
    return ::operator new(size);
}

void give_frame(void* frame, std::size_t) noexcept {
    ::operator delete(frame);
}

#else

namespace {

constexpr std::size_t kStep = 64;
constexpr std::size_t kLargest = 4096;
/// Per list: sessions that end together after a burst leave their frames to the next one, and the heap gets back what
/// is beyond that.
constexpr std::size_t kKeptBytes = std::size_t{512} << 10;

struct Free {
    Free* next;
};

struct List {
    Free* first = nullptr;
    std::size_t count = 0;
};

struct Lists {
    ~Lists();
    std::array<List, kLargest / kStep> lists{};
};

/// Null until a thread gives its first frame, and when it ends. Not the lists themselves: a variable with a destructor
/// is asked for its state at every use.
constinit thread_local Lists* kept = nullptr;
/// A thread that ends may still destroy frames after its lists.
constinit thread_local bool ended = false;

Lists::~Lists() {
    kept = nullptr;
    ended = true;
    for (const List& list : lists) {
        for (Free* at = list.first; at != nullptr;) ::operator delete(std::exchange(at, at->next));
    }
}

List* list_of(std::size_t size) noexcept {
    return kept == nullptr || size > kLargest ? nullptr : &kept->lists[(size - 1) / kStep];
}

constexpr std::size_t rounded(std::size_t size) noexcept {
    return (size + kStep - 1) / kStep * kStep;
}

}  // namespace

void* take_frame(std::size_t size) {
    List* const list = list_of(size);
    if (list == nullptr || list->first == nullptr) return ::operator new(rounded(size));
    Free* const taken = list->first;
    list->first = taken->next;
    --list->count;
    return taken;
}

void give_frame(void* frame, std::size_t size) noexcept {
    if (kept == nullptr && !ended) {
        thread_local Lists lists;
        kept = &lists;
    }
    List* const list = list_of(size);
    if (list == nullptr || (list->count + 1) * rounded(size) > kKeptBytes) return ::operator delete(frame);
    list->first = new (frame) Free{list->first};
    ++list->count;
}

#endif

}  // namespace oai::net
