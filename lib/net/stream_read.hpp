#pragma once

#include <cstddef>
#include <optional>

#include <boost/version.hpp>

#include "net/stream.hpp"

// Where the reading operation below fits: the reactor's own interface is no public one, and another release may have
// another. Elsewhere, and with io_uring, Asio's public operation is used, at the price of a read too many.
#if BOOST_VERSION == 108100 && defined(BOOST_ASIO_HAS_EPOLL) && !defined(BOOST_ASIO_HAS_IO_URING_AS_DEFAULT)
#define OAI_OWN_READ 1
#else
#define OAI_OWN_READ 0
#endif

#if OAI_OWN_READ

#include <boost/asio/detail/reactor.hpp>
#include <boost/asio/detail/reactor_op.hpp>

namespace oai::net {

/// A read of a plain socket that knows when nothing is left: one that brought less than there was room for has taken
/// all. Asio tries the next read at once all the same (it takes only an end for exhaustion), which is a system call
/// per message that can only say EAGAIN.
///
/// The price: an end that came together with the last bytes makes no event of its own. The worker's sweep asks for it,
/// once, when a stream stays silent.
///
/// One per stream, for its one pending read. While it is pending it belongs to the reactor: a stream that dies leaves
/// it behind, and it ends itself.
class ReadOperation final : public boost::asio::detail::reactor_op {
public:
    explicit ReadOperation(Stream& stream);

    void start(Stream::Read& read, Suspension& reader);
    bool pending() const noexcept { return reader_.has_value(); }
    /// The stream dies.
    void abandon() noexcept;
    /// Tries the read that is pending once more when there is something after all.
    void look_for_end() noexcept;

private:
    using reactor = boost::asio::detail::reactor;
    static status perform(boost::asio::detail::reactor_op* base);
    static void complete(void* owner, boost::asio::detail::operation* base, const boost::system::error_code&,
                         std::size_t);
    void enqueue();

    Stream* stream_;
    reactor& reactor_;
    Stream::Read* read_ = nullptr;
    std::optional<Resumption> reader_;  ///< set while it is pending
    bool again_ = false;                ///< cancelled by `look_for_end`: to be tried again
    boost::system::error_code found_;   ///< what that found: a socket tells of an error once
};

}  // namespace oai::net

#endif
