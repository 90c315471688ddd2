#include <algorithm>
#include <charconv>

#include "core/units.hpp"
#include "json/value.hpp"
#include "json/writer.hpp"
#include "mock/call.hpp"

// /mock/...: what a test asks of the mock while it runs.

namespace oai::mock {
namespace {

using core::Result;
using std::chrono::nanoseconds;

/// {"rates":{"<fault>":"5%"},"at":{"10s-20s":"<fault>"},"for_key":{"<credential>":"<fault>"}}. What is not there is
/// off. Times count from `since_start`.
Result<Behaviour> with_faults(Behaviour behaviour, const json::Value& wanted, nanoseconds since_start) {
    behaviour.faults = {};
    behaviour.schedule.clear();
    behaviour.key_faults.clear();
    for (const auto& [section, rows] : wanted.members()) {
        for (const auto& [name, value] : rows.members()) {
            const std::string text(value.as_string().value_or(""));
            if (section == "rates") {
                Result<FaultRates::Share> share = read_share(name, text);
                if (!share) return share.error();
                behaviour.faults.more.push_back(*share);
            } else if (section == "at") {
                Result<ScheduledFault> scheduled = read_schedule(name, text);
                if (!scheduled) return scheduled.error();
                scheduled->from += since_start;
                scheduled->to += since_start;
                behaviour.schedule.push_back(*scheduled);
            } else if (section == "for_key") {
                Result<Fault> fault = parse_fault(text);
                if (!fault) return fault.error();
                behaviour.key_faults.push_back({name, *fault});
            } else {
                return core::Error{.code = core::Code::invalid_request,
                                   .detail = "unknown member \"" + section + "\"; known are rates, at and for_key"};
            }
        }
    }
    if (const Result<void> possible = validate(behaviour.faults); !possible) return possible.error();
    return behaviour;
}

}  // namespace

Verdict put_faults(Call& call) {
    const Result<json::Value> wanted = json::Value::parse(call.body);
    if (!wanted || !wanted->is_object()) return Refusal{.status = 400, .message = "The body must be a JSON object."};
    Verdict refusal;
    call.shared.change_behaviour([&](Behaviour& behaviour) {
        Result<Behaviour> changed = with_faults(behaviour, *wanted, call.now - call.shared.started);
        if (changed) {
            behaviour = std::move(*changed);
        } else {
            refusal = Refusal{.status = 400, .message = changed.error().detail};
        }
    });
    return refusal ? refusal : get_faults(call);
}

Verdict get_faults(Call& call) {
    const std::shared_ptr<const Behaviour> behaviour = call.shared.behaviour.load();
    const nanoseconds since_start = call.now - call.shared.started;
    json::Writer out;
    out.begin_object().key("rates").begin_object();
    for (const FaultRates::Share& share : all_shares(behaviour->faults))
        out.member(fault_name(share.fault), core::format_basis_points(share.share_bp) + "%");
    out.end_object().key("at").begin_object();
    for (const ScheduledFault& row : behaviour->schedule) {
        if (row.to <= since_start) continue;
        const auto left = [&](nanoseconds at) {
            return core::format_duration(std::max(at - since_start, nanoseconds{0}));
        };
        out.member(left(row.from) + "-" + left(row.to), fault_name(row.fault));
    }
    out.end_object().key("for_key").begin_object();
    for (const KeyFault& row : behaviour->key_faults) out.member(row.key, fault_name(row.fault));
    out.end_object().end_object();
    call.out += out.text();
    return {};
}

Verdict get_requests(Call& call) {
    std::vector<ReceivedRequest> requests = call.shared.received->all();
    const std::string limit_text = query_value(call.head.query, "limit");
    std::size_t limit = requests.size();
    std::from_chars(limit_text.data(), limit_text.data() + limit_text.size(), limit);
    if (limit < requests.size()) requests.erase(requests.begin(), requests.end() - static_cast<std::ptrdiff_t>(limit));
    append_requests(call.out, requests);
    return {};
}

Verdict clear_requests(Call& call) {
    call.shared.received->clear();
    call.out += "{}";
    return {};
}

}  // namespace oai::mock
