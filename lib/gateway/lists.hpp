#pragma once

#include "core/result.hpp"
#include "gateway/exchange.hpp"
#include "net/types.hpp"

/// Lists of things that live at accounts (GET /v1/files ...), merged over all of them.
namespace oai::gateway {

/// Whether the answer to this request has to be put together from several accounts: those of all versions of the
/// provider, since what was made through any of them is found there again.
bool lists_several(const Exchange& x);

/// Asks all of them side by side and answers with one page. An account that fails is left out, and the field
/// `x-oaigw-left-out` says how many were; when all fail, the answer is a refusal of one of them.
net::Awaitable<core::Result<void>> answer_list(Exchange& x);

}  // namespace oai::gateway
