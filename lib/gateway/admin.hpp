#pragma once

#include <string_view>

#include "gateway/worker_state.hpp"
#include "http/connection.hpp"
#include "http/head.hpp"
#include "net/types.hpp"

/// What is not the API: health for machines, numbers and settings for people.
namespace oai::gateway {

bool is_public_path(std::string_view path) noexcept;
bool is_admin_path(std::string_view path) noexcept;

/// GET /healthz, /readyz. True when the connection may carry another request.
net::Awaitable<bool> answer_public(WorkerState& worker, http::Connection& connection, const http::RequestHead& head);

/// Everything under /api/v1/admin: credential, then the handler. Answers use the ancestor's envelope
/// `{"code":0,"message":"success","data":…}`; errors carry the HTTP status as `code`.
net::Awaitable<bool> answer_admin(WorkerState& worker, http::Connection& connection, const http::RequestHead& head);

}  // namespace oai::gateway
