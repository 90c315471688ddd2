#include "report/format.hpp"

#include <doctest/doctest.h>

#include "report/labels.hpp"

namespace oai::report {
namespace {

using std::chrono::microseconds;

TEST_CASE("numbers are shown by integer arithmetic, and nothing is not zero") {
    CHECK(ms_text(microseconds{1'244'000}) == "1244.000");
    CHECK(ms_text(std::nullopt) == "-");
    CHECK(percent_text({3, 2160}) == "0.139 %");
    CHECK(percent_text({1, 1}) == "100.000 %");
    CHECK(percent_text({1, 200'000}) == "0.001 %");  // half up
    CHECK(percent_text({~std::uint64_t{0}, ~std::uint64_t{0}}) == "100.000 %");
    CHECK(rate_text(metrics::Ratio{3, 2160}) == "0.139 % (3 of 2160)");
    CHECK(rate_text(metrics::Ratio{0, 0}) == "-");
    CHECK(rate_text(std::nullopt) == "-");
    CHECK(per_second_text(metrics::Ratio{8, 1}) == "8/s");
    CHECK(per_second_text(metrics::Ratio{1, 3}) == "0.333/s");
    CHECK(per_second_text(2160, microseconds{180'012'345}) == "11.999/s");
    CHECK(per_second_text(1, microseconds{0}) == "-");
    CHECK(time_text(microseconds{180'000'000}) == "3m");
    CHECK(time_text(microseconds{180'012'345}) == "180.012 s");
    CHECK(mib_text(25'690'112) == "24.5 MiB");
}

TEST_CASE("fill puts values in the places of a pattern, and leaves braces of values alone") {
    CHECK(fill("{} of {}", {"1", "2"}) == "1 of 2");
    CHECK(fill("{}{}", {"{}", "x"}) == "{}x");
    CHECK(fill("{} and {}", {"1"}) == "1 and {}");
    CHECK(fill("none", {"1"}) == "none");
}

}  // namespace
}  // namespace oai::report
