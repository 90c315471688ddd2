#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"

namespace oai::mock {

/// What POST /oauth/token does.
struct OAuthRules {
    std::chrono::seconds expires_in{3600};
    bool rotate = false;                      ///< each use of a refresh token ends it and brings the next one
    std::vector<std::string> refresh_tokens;  ///< those to begin with; empty: any
};

/// Who holds which token. From any thread.
class Tokens {
public:
    struct Issued {
        std::string access;
        std::string refresh;
    };

    /// The refresh-token grant. `fresh`: random text for the new tokens. Empty: that refresh token is not, or no
    /// longer, good.
    std::optional<Issued> refresh(std::string_view refresh_token, const OAuthRules& rules, std::string_view fresh,
                                  core::TimePoint now);
    /// Whether an access token was issued here and has not expired.
    bool is_good(std::string_view access_token, core::TimePoint now);

private:
    std::mutex mutex_;
    std::map<std::string, core::TimePoint, std::less<>> access_;  ///< until when
    std::set<std::string, std::less<>> issued_;                   ///< refresh tokens of ours that are good
    std::set<std::string, std::less<>> used_;                     ///< refresh tokens that are no longer
};

}  // namespace oai::mock
