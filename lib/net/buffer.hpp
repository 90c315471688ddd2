#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace oai::net {

/// Memory for buffers, kept by size class and handed out again: fresh 200 KB blocks per request cost as much as copying
/// them (each is an mmap and its page faults). One per worker, one thread.
class BufferPool {
public:
    /// A power of two of at least `bytes` and at least kSmallest.
    struct Block {
        std::unique_ptr<char[]> bytes;
        std::size_t size = 0;
    };

    Block take(std::size_t bytes);
    void give(Block block) noexcept;

    static constexpr std::size_t kSmallest = 8 * 1024;

private:
    static constexpr std::size_t kClasses = 9;  ///< 8 KiB to 2 MiB; larger blocks go back to the system at once
    static constexpr std::size_t kKeptBytesPerClass = 4 * 1024 * 1024;
    std::vector<Block> kept_[kClasses];
};

/// Bytes that arrived and are not used yet, in one piece. The block always ends in kPadding bytes that nobody writes to
/// on purpose, so that simdjson can read a body where it lies. Memory is taken at the first `reserve` and given back by
/// `release`.
class Buffer {
public:
    static constexpr std::size_t kPadding = 64;

    explicit Buffer(BufferPool& pool) noexcept : pool_(&pool) {}
    ~Buffer() { release(); }
    Buffer(Buffer&& other) noexcept;
    Buffer& operator=(Buffer&& other) noexcept;

    std::string_view readable() const noexcept { return {block_.bytes.get() + begin_, end_ - begin_}; }
    char* data() noexcept { return block_.bytes.get() + begin_; }
    std::size_t size() const noexcept { return end_ - begin_; }
    bool empty() const noexcept { return begin_ == end_; }

    /// Free space behind the bytes; empty before the first `reserve`.
    std::span<char> writable() noexcept;
    void commit(std::size_t n) noexcept { end_ += n; }
    void consume(std::size_t n) noexcept;
    void clear() noexcept { begin_ = end_ = 0; }
    /// Keeps the first `n` of the bytes.
    void truncate(std::size_t n) noexcept { end_ = begin_ + n; }
    void append(std::string_view bytes);

    /// Makes room for `n` bytes behind those that are there. May move them: views into the buffer are then gone.
    void reserve(std::size_t n);
    /// Gives the memory back, with what is in it.
    void release() noexcept;

private:
    std::size_t usable() const noexcept { return block_.size == 0 ? 0 : block_.size - kPadding; }

    BufferPool* pool_;
    BufferPool::Block block_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace oai::net
