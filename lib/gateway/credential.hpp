#pragma once

#include <string_view>

#include "http/head.hpp"

namespace oai::gateway {

/// What a client shows us: `Authorization: Bearer`, `x-api-key` or `api-key`. Empty when there is none. Never from the
/// query.
inline std::string_view presented_credential(const http::Fields& fields) noexcept {
    constexpr std::string_view kBearer = "bearer ";
    if (const http::Field* field = fields.find(http::KnownField::authorization)) {
        const std::string_view value = field->value;
        if (value.size() > kBearer.size()) {
            bool bearer = true;
            for (std::size_t i = 0; i < kBearer.size(); ++i)
                bearer = bearer && (value[i] | 0x20) == (kBearer[i] | 0x20);
            if (bearer) return value.substr(kBearer.size());
        }
    }
    if (const http::Field* field = fields.find(http::KnownField::x_api_key)) return field->value;
    if (const http::Field* field = fields.find(http::KnownField::api_key)) return field->value;
    return {};
}

}  // namespace oai::gateway
