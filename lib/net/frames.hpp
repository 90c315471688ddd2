#pragma once

#include <cstddef>

namespace oai::net {

/// Memory for coroutine frames and pending operations: lists of free blocks by size, one set per thread, so that a
/// request in steady state allocates nothing. What was freed by this thread is used again by this thread, whoever
/// allocated it. Larger frames, and those beyond what a list may keep, come from the heap.
void* take_frame(std::size_t size);
void give_frame(void* frame, std::size_t size) noexcept;

}  // namespace oai::net
