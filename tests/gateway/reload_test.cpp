// What of the old configuration may not live on in the new one.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "gateway/site.hpp"

using namespace oai;
using namespace oai::gateway;
using namespace oai::gateway::test;

namespace {

upstream::Catalog only_version(const upstream::Catalog& old, const std::string& name) {
    std::vector<upstream::Provider> providers = old.providers();
    providers[0].versions[0].version = name;
    return {std::move(providers), {{.pattern = "*", .provider = 0, .map = {}}}};
}

}  // namespace

// Versions are remembered by their addresses, and a new catalog may get those of an old one. How soon is the
// allocator's affair: often enough within so many reloads, but with the address sanitizer, which keeps back what was
// freed. ctest runs this case once more and tells it not to (`gateway_reload`).
TEST_CASE("after a reload requests are counted under the versions of the new configuration, wherever these lie") {
    constexpr int reloads = 200;
    Site site(1);
    const auto name = [](int i) { return "version-" + std::to_string(i); };
    for (int i = 0; i < reloads; ++i) {
        site.config.catalog = only_version(site.config.catalog, name(i));
        FirstKeys made;
        REQUIRE(site.gateway->reload(site.config, made));
        REQUIRE(site.ask(false).status == 200);
    }
    for (int i = 0; i < reloads; ++i) {
        CAPTURE(i);
        const json::Value overview = site.admin("/dashboard/overview?time_range=5m&version=" + name(i));
        CHECK(number(overview, "data.request_count_total") == 1);
    }
}
