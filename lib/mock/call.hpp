#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/ids.hpp"
#include "http/head.hpp"
#include "mock/routes.hpp"
#include "mock/shared.hpp"
#include "mock/upload.hpp"

namespace oai::mock {

/// A request whose answer is not made up but comes from what the mock remembers, and where that answer goes.
struct Call {
    const http::RequestHead& head;
    const RouteMatch& match;
    std::string_view body;
    const Upload* upload;  ///< instead of `body`: a form
    const Behaviour& behaviour;
    Shared& shared;
    core::IdSource& ids;
    core::TimePoint now;
    std::int64_t created_at;  ///< the wall clock, in seconds
    Answer& answer;           ///< for those that render a remembered one
    std::string& out;
    std::string_view& type;
    int& status;

    /// `prefix` and 32 hex digits that no other mock knows.
    std::string new_id(std::string_view prefix) const;
};

/// The value of a query parameter, decoded; empty when it is not there.
std::string query_value(std::string_view query, std::string_view name);
std::string url_decoded(std::string_view text);

// What routes do; each writes its answer or refuses.
Verdict get_response(Call& call);
Verdict delete_response(Call& call);
Verdict cancel_response(Call& call);
Verdict list_input_items(Call& call);
Verdict list_chats(Call& call);
Verdict get_chat(Call& call);
Verdict get_chat_messages(Call& call);
Verdict delete_chat(Call& call);
Verdict create_object(Call& call);
Verdict create_thread_and_run(Call& call);
Verdict list_objects(Call& call);
Verdict get_object(Call& call);
Verdict update_object(Call& call);
Verdict delete_object(Call& call);
Verdict act_on_object(Call& call);
Verdict refresh_token(Call& call);
Verdict put_faults(Call& call);
Verdict get_faults(Call& call);
Verdict get_requests(Call& call);
Verdict clear_requests(Call& call);

}  // namespace oai::mock
