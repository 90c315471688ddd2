#pragma once

#include <string_view>

#include "core/result.hpp"
#include "gateway/exchange.hpp"
#include "net/types.hpp"

/// Things that live at one account: files, batches, responses, threads. What was made through an account is found there
/// again, by whoever made it.
namespace oai::gateway {

/// Remembers what an answer made. Nothing when there is only one account, or nothing was made.
void remember_resource(Exchange& x, std::string_view id);
/// Remembers what else an answer tells of that lives where it does: the file of an upload, the thread of a run, the
/// output of a batch. `text`: JSON, or whole events. True when it told of anything.
bool remember_told(Exchange& x, std::string_view text);
/// Whether an answer is worth reading for that. `content_type`: of the answer.
bool may_tell(const Exchange& x, std::string_view content_type) noexcept;
/// A resource was deleted.
void forget_resource(Exchange& x);

/// Binds a request to the account where the thing lives that it names: in its path, as previous_response_id, or within
/// its body (`file_id`, `file_ids`, `assistant_id` ...). A body is searched only when it can hold one. True: bound, or
/// it names nothing. False: memory does not know the thing, ask `load_resource`.
bool find_resource(Exchange& x);
/// Asks the store too. A thing that nobody knows binds nothing: the request takes its chance.
net::Awaitable<void> load_resource(Exchange& x);

}  // namespace oai::gateway
