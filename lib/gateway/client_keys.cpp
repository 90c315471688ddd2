#include "gateway/client_keys.hpp"

#include <cstring>

namespace oai::gateway {

std::size_t ClientKeys::Prefix::operator()(const crypto::Digest& digest) const noexcept {
    std::size_t value = 0;
    std::memcpy(&value, digest.data(), sizeof value);
    return value;
}

const ClientKey* ClientKeys::find(std::string_view presented) const noexcept {
    const auto found = keys_.find(hash_.digest(presented));
    return found == keys_.end() ? nullptr : &found->second;
}

}  // namespace oai::gateway
