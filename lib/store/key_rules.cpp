#include "store/key_rules.hpp"

#include <array>
#include <string>
#include <utility>

namespace oai::store {
namespace {

using core::Code;
using core::Error;

// These words are in databases: a name may be added, never changed.
constexpr std::array<std::pair<KeyStatus, std::string_view>, 3> kStatusNames{
    {{KeyStatus::active, "active"}, {KeyStatus::disabled, "disabled"}, {KeyStatus::revoked, "revoked"}}};

}  // namespace

std::string_view to_string(KeyStatus status) noexcept {
    for (const auto& [value, name] : kStatusNames) {
        if (value == status) return name;
    }
    return "?";
}

std::optional<KeyStatus> parse_key_status(std::string_view text) noexcept {
    for (const auto& [value, name] : kStatusNames) {
        if (name == text) return value;
    }
    return std::nullopt;
}

core::Result<void> check_new_key(const ClientKey& key) {
    if (key.id.empty()) return Error{.code = Code::invalid_argument, .detail = "a key needs an id"};
    if (key.name.empty()) return Error{.code = Code::invalid_argument, .detail = "a key needs a name"};
    return {};
}

Error key_taken(std::string_view what, const ClientKey& key) {
    std::string detail = "key \"" + key.name + "\": ";
    detail +=
        what == "value" ? "another key has the same value" : "there is one of that " + std::string(what) + " already";
    return Error{.code = Code::invalid_argument, .detail = std::move(detail)};
}

Error key_unknown(std::string_view id) {
    return Error{.code = Code::not_found, .detail = "there is no key of id " + std::string(id)};
}

Error key_revoked(std::string_view id) {
    return Error{.code = Code::invalid_argument,
                 .detail = "key " + std::string(id) + " is revoked, and that is for good; create a new one"};
}

}  // namespace oai::store
