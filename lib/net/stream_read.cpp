#include "net/stream_read.hpp"

#if OAI_OWN_READ

#include <cerrno>
#include <memory>
#include <sys/socket.h>

#include <boost/asio/error.hpp>

#include "net/worker.hpp"

namespace oai::net {

namespace asio = boost::asio;

namespace {

/// What the reactor knows the socket by. Protected in Asio's socket: named through a class that inherits it.
struct Inside : Socket {
    static auto& of(Socket& socket) { return (socket.*&Inside::impl_).get_implementation(); }
};

}  // namespace

ReadOperation::ReadOperation(Stream& stream)
    : reactor_op({}, &ReadOperation::perform, &ReadOperation::complete),
      stream_(&stream),
      reactor_(asio::use_service<reactor>(stream.worker_.context())) {
    cancellation_key_ = this;
}

void ReadOperation::start(Stream::Read& read, Suspension& reader) {
    read_ = &read;
    reader_.emplace(reader);
    enqueue();
}

void ReadOperation::enqueue() {
    ec_ = {};
    bytes_transferred_ = 0;
    auto& socket = Inside::of(stream_->socket_);
    reactor_.start_op(reactor::read_op, socket.socket_, socket.reactor_data_, this, false, true);
}

void ReadOperation::abandon() noexcept {
    if (!reader_) {
        delete this;
    } else {
        stream_ = nullptr;
    }
}

void ReadOperation::look_for_end() noexcept {
    auto& socket = Inside::of(stream_->socket_);
    char byte = 0;
    const ssize_t n = ::recv(socket.socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    again_ = true;
    found_ = n < 0 ? boost::system::error_code(errno, boost::system::system_category()) : boost::system::error_code();
    reactor_.cancel_ops_by_key(socket.socket_, socket.reactor_data_, reactor::read_op, this);
}

ReadOperation::status ReadOperation::perform(asio::detail::reactor_op* base) {
    ReadOperation& self = *static_cast<ReadOperation*>(base);
    const std::span<char> into = self.read_->memory();
    ssize_t n = 0;
    do n = ::recv(Inside::of(self.stream_->socket_).socket_, into.data(), into.size(), 0);
    while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        if (Buffer* const buffer = self.read_->buffer_; buffer != nullptr && buffer->empty()) buffer->release();
        return not_done;
    }
    Stream& stream = *self.stream_;
    stream.silent_ = false;
    stream.short_read_ = n > 0 && static_cast<std::size_t>(n) < into.size() && !stream.expects_end_;
    if (n < 0) self.ec_ = boost::system::error_code(errno, boost::system::system_category());
    if (n == 0) self.ec_ = asio::error::eof;
    self.bytes_transferred_ = n > 0 ? static_cast<std::size_t>(n) : 0;
    return n <= 0 || stream.short_read_ ? done_and_exhausted : done;
}

void ReadOperation::complete(void* owner, asio::detail::operation* base, const boost::system::error_code&,
                             std::size_t) {
    ReadOperation& self = *static_cast<ReadOperation*>(base);
    const bool again = std::exchange(self.again_, false) && self.ec_ == asio::error::operation_aborted;
    if (owner != nullptr && again && self.stream_ != nullptr && self.stream_->is_open()) {
        self.ec_ = std::exchange(self.found_, {});
        if (!self.ec_ && perform(&self) == not_done) return self.enqueue();
    }
    Resumption reader = std::move(*self.reader_);
    self.reader_.reset();
    if (self.stream_ == nullptr) {
        // Its session is gone with it, or goes now.
        delete &self;
        return;
    }
    // The context ends, and takes the session along.
    if (owner == nullptr) return;
    self.stream_->error_ = self.ec_;
    self.stream_->read_ended_ = self.ec_ && self.ec_ != asio::error::operation_aborted;
    self.read_->bytes_ = self.bytes_transferred_;
    reader();
}

}  // namespace oai::net

#endif
