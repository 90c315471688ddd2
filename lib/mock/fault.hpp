#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace oai::mock {

/// One thing that goes wrong with one answer.
struct Fault {
    enum class Kind : std::uint8_t {
        none,
        error,            ///< an error answer with `status`
        hang,             ///< the request is read and never answered
        stall,            ///< the answer begins and then rests, the connection open
        cut,              ///< the connection closes in the middle of the answer
        cut_before_head,  ///< ... before its first byte
        failed_event,     ///< stream: an error event instead of the rest. Whole answer: 200 with an error inside
        slow,             ///< the answer is right and comes `delay` later
    };
    Kind kind = Kind::none;
    int status = 0;  ///< with `error`
    /// stall, cut, failed_event: after that many output events (streams; whole answers: 0 = right after the head, else
    /// in the middle). Empty = drawn.
    std::optional<unsigned> after;
    std::chrono::nanoseconds delay{0};  ///< with `slow`

    bool operator==(const Fault&) const = default;
};

/// Names, as in `x-mock-fault: cut-after-3` or in the model "gpt-5-mock-cut-after-3":
/// none, error-<400..599>, hang, stall, cut, failed-event (each of these three also with -before-output or
/// -after-<events>), cut-before-head, slow-<duration>. Anything else is an error that lists them.
core::Result<Fault> parse_fault(std::string_view name);
std::string fault_name(const Fault& fault);

/// The fault that a model name asks for: what follows its last "mock-", when that stands at the start or after one of
/// "-/:.". Empty when the name asks for none.
std::string_view fault_in_model(std::string_view model) noexcept;

}  // namespace oai::mock
