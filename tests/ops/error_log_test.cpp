#include "ops/error_log.hpp"

#include <doctest/doctest.h>

#include "json/value.hpp"

using namespace oai;
using namespace oai::ops;

namespace {

ErrorRecord record(std::string id, std::string owner, bool upstream_failed) {
    ErrorRecord r;
    r.request_id = std::move(id);
    r.owner = std::move(owner);
    r.upstream_failed = upstream_failed;
    r.attempts.push_back({"a1", 503, 12, "overloaded"});
    return r;
}

json::Value page(const ErrorLog& log, ErrorLog::View view, ErrorLog::Page which) {
    json::Writer out;
    log.write_page(out, view, which);
    return *json::Value::parse(out.take());
}

std::string ids(const json::Value& page) {
    std::string all;
    for (const json::Value& item : page.find("items")->items()) all += *item.find("request_id")->as_string();
    return all;
}

}  // namespace

TEST_CASE("each view has its own failures, newest first, in pages") {
    ErrorLog log;
    log.add(record("a", "client", false));
    log.add(record("b", "upstream", true));
    log.add(record("c", "none", true));
    ErrorRecord limited = record("d", "client", false);
    limited.business_limited = true;
    log.add(limited);
    CHECK(ids(page(log, ErrorLog::View::request, {})) == "ba");
    const json::Value upstream = page(log, ErrorLog::View::upstream, {});
    CHECK(ids(upstream) == "cb");
    CHECK(upstream.find("items")->items()[0].find("recovered")->as_bool() == true);
    CHECK(upstream.find("items")->items()[0].find("attempts")->items()[0].find("reason")->as_string() == "overloaded");
    const json::Value second = page(log, ErrorLog::View::request, {.number = 2, .size = 1});
    CHECK(ids(second) == "a");
    CHECK(second.find("total")->as_int() == 2);
    CHECK(second.find("pages")->as_int() == 2);
}

TEST_CASE("the oldest go when there are too many") {
    ErrorLog log;
    for (std::size_t i = 0; i < ErrorLog::kKept + 10; ++i) log.add(record("x", "client", false));
    CHECK(page(log, ErrorLog::View::request, {}).find("total")->as_int() == static_cast<std::int64_t>(ErrorLog::kKept));
}
