#pragma once

#include <compare>
#include <string>
#include <string_view>

namespace oai::ops {

/// What the ops numbers can be filtered by. One series = one combination that occurred.
struct SeriesKey {
    std::string platform;  ///< dialect of the version's type; empty when no version was chosen
    std::string provider;
    std::string version;
    std::string model;  ///< as the client says it
    std::string endpoint;
    std::string group;  ///< of the key

    friend auto operator<=>(const SeriesKey&, const SeriesKey&) = default;
};

/// Empty members match everything.
struct Filter {
    std::string platform = {}, provider = {}, version = {}, model = {}, endpoint = {}, group = {};

    bool matches(const SeriesKey& key) const noexcept {
        const auto fits = [](std::string_view wanted, std::string_view value) {
            return wanted.empty() || wanted == value;
        };
        return fits(platform, key.platform) && fits(provider, key.provider) && fits(version, key.version) &&
               fits(model, key.model) && fits(endpoint, key.endpoint) && fits(group, key.group);
    }
};

}  // namespace oai::ops
