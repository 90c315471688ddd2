#include "net/buffer.hpp"

#include <bit>
#include <cstring>
#include <utility>

namespace oai::net {
namespace {

std::size_t class_of(std::size_t size) {
    return static_cast<std::size_t>(std::countr_zero(size) - std::countr_zero(BufferPool::kSmallest));
}

}  // namespace

BufferPool::Block BufferPool::take(std::size_t bytes) {
    const std::size_t size = std::bit_ceil(bytes < kSmallest ? kSmallest : bytes);
    const std::size_t which = class_of(size);
    if (which < kClasses && !kept_[which].empty()) {
        Block block = std::move(kept_[which].back());
        kept_[which].pop_back();
        return block;
    }
    return Block{std::make_unique_for_overwrite<char[]>(size), size};
}

void BufferPool::give(Block block) noexcept {
    const std::size_t which = class_of(block.size);
    if (which >= kClasses || kept_[which].size() >= kKeptBytesPerClass / block.size) return;
    if (kept_[which].capacity() == 0) kept_[which].reserve(kKeptBytesPerClass / block.size);
    kept_[which].push_back(std::move(block));
}

Buffer::Buffer(Buffer&& other) noexcept
    : pool_(other.pool_),
      block_(std::exchange(other.block_, {})),
      begin_(std::exchange(other.begin_, 0)),
      end_(std::exchange(other.end_, 0)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
    if (this != &other) {
        release();
        pool_ = other.pool_;
        block_ = std::exchange(other.block_, {});
        begin_ = std::exchange(other.begin_, 0);
        end_ = std::exchange(other.end_, 0);
    }
    return *this;
}

std::span<char> Buffer::writable() noexcept {
    return {block_.bytes.get() + end_, usable() - end_};
}

void Buffer::consume(std::size_t n) noexcept {
    begin_ += n;
    if (begin_ == end_) clear();
}

void Buffer::append(std::string_view bytes) {
    if (bytes.empty()) return;
    reserve(bytes.size());
    std::memcpy(block_.bytes.get() + end_, bytes.data(), bytes.size());
    end_ += bytes.size();
}

void Buffer::reserve(std::size_t n) {
    if (usable() - end_ >= n && block_.size != 0) return;
    const std::size_t held = size();
    if (block_.size != 0 && usable() >= held + n) {
        std::memmove(block_.bytes.get(), block_.bytes.get() + begin_, held);
    } else {
        BufferPool::Block larger = pool_->take(held + n + kPadding);
        if (held != 0) std::memcpy(larger.bytes.get(), block_.bytes.get() + begin_, held);
        if (block_.size != 0) pool_->give(std::move(block_));
        block_ = std::move(larger);
    }
    begin_ = 0;
    end_ = held;
}

void Buffer::release() noexcept {
    if (block_.size != 0) pool_->give(std::exchange(block_, {}));
    clear();
}

}  // namespace oai::net
