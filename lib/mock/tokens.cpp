#include "mock/tokens.hpp"

#include <algorithm>

namespace oai::mock {
namespace {

/// A mock that runs for weeks must not grow: what is older than the latest so many is forgotten.
constexpr std::size_t kMost = 10'000;

}  // namespace

std::optional<Tokens::Issued> Tokens::refresh(std::string_view refresh_token, const OAuthRules& rules,
                                              std::string_view fresh, core::TimePoint now) {
    const std::lock_guard lock(mutex_);
    const std::vector<std::string>& first = rules.refresh_tokens;
    const bool known = issued_.contains(refresh_token) || first.empty() ||
                       std::find(first.begin(), first.end(), refresh_token) != first.end();
    if (refresh_token.empty() || !known || used_.contains(refresh_token)) return {};

    for (auto* tokens : {&issued_, &used_}) {
        if (tokens->size() >= kMost) tokens->clear();
    }
    if (access_.size() >= kMost) std::erase_if(access_, [&](const auto& row) { return row.second <= now; });
    if (access_.size() >= kMost) access_.clear();

    Issued issued{.access = "mock-at-" + std::string(fresh), .refresh = std::string(refresh_token)};
    access_[issued.access] = now + rules.expires_in;
    if (rules.rotate) {
        used_.insert(issued.refresh);
        issued_.erase(issued.refresh);
        issued.refresh = "mock-rt-" + std::string(fresh);
        issued_.insert(issued.refresh);
    }
    return issued;
}

bool Tokens::is_good(std::string_view access_token, core::TimePoint now) {
    const std::lock_guard lock(mutex_);
    const auto at = access_.find(access_token);
    return at != access_.end() && now < at->second;
}

}  // namespace oai::mock
