#include "gateway/max_forwards.hpp"

#include <algorithm>

namespace oai::gateway {

using core::Error;
using core::Result;

Result<std::optional<std::uint32_t>> max_forwards(const http::RequestHead& request) {
    constexpr std::uint32_t most = 1'000'000'000;
    if (request.method != "OPTIONS") return std::optional<std::uint32_t>();
    const http::Field* const field = request.fields.find("max-forwards");
    if (field == nullptr) return std::optional<std::uint32_t>();
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (field->value.empty() || !std::ranges::all_of(field->value, is_digit) ||
        request.fields.count("max-forwards") != 1)
        return Error{.code = core::Code::invalid_request,
                     .source = core::Source::downstream,
                     .detail = "Max-Forwards must be there once and be a whole number"};
    std::uint32_t hops = 0;
    for (const char c : field->value)
        hops = std::min<std::uint32_t>(most, std::min(hops, most / 10) * 10 + static_cast<std::uint32_t>(c - '0'));
    return std::optional(hops);
}

}  // namespace oai::gateway
