#pragma once

#include <cstdint>

#include "gateway/client_keys.hpp"
#include "gateway/config.hpp"
#include "gateway/first_keys.hpp"

namespace oai::gateway {

/// What a request decides by: immutable, replaced as a whole by a reload, one per request.
struct Tables : Rules {
    std::uint64_t generation = 0;  ///< from 1, never used twice
    Credentials credentials;
    bool has_choice = false;  ///< more than one account: resources are remembered
};

}  // namespace oai::gateway
