#pragma once

#include <chrono>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "net/awaitable.hpp"

namespace oai::net {

/// The io_context's own executor instead of any_io_executor: no type erasure, no reference counts on the request path.
using Executor = boost::asio::io_context::executor_type;
using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;
using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, Executor>;
using IpAddress = boost::asio::ip::address;
using TcpEndpoint = boost::asio::ip::tcp::endpoint;
using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

/// Reads, writes and waits go to the kernel together, once per turn of the worker's loop, instead of by a system call
/// each: the io_uring build.
#if defined(BOOST_ASIO_HAS_IO_URING_AS_DEFAULT)
inline constexpr bool kBatchesCalls = true;
#else
inline constexpr bool kBatchesCalls = false;
#endif

}  // namespace oai::net
