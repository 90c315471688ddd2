#include "mock/send_log.hpp"

#include <cstdio>
#include <fstream>
#include <string>
#include <unistd.h>

#include <doctest/doctest.h>

#include "json/value.hpp"

using namespace oai;
using namespace oai::mock;

TEST_CASE("a record is one line of JSON, with null for what never happened") {
    SendRecord record;
    record.wall = core::WallTime{} + std::chrono::seconds{1'770'886'800} + std::chrono::microseconds{42};
    record.number = 7;
    record.model = "gpt \"5\"";
    record.stream = true;
    record.fault = "hang";
    record.received_us = 123;
    record.end_us = 456;
    CHECK(to_json_line(record) ==
          "{\"wall\":\"2026-02-12T09:00:00.000042Z\",\"number\":7,\"model\":\"gpt "
          "\\\"5\\\"\",\"stream\":true,\"status\":0,"
          "\"fault\":\"hang\",\"received_us\":123,\"first_byte_us\":null,\"first_output_us\":null,\"end_us\":456,"
          "\"complete\":false,\"events\":0,\"output_events\":0,\"bytes\":0}\n");
}

TEST_CASE("the file holds every record once the log is closed") {
    const std::string path = "/tmp/oai_send_log_test_" + std::to_string(::getpid()) + ".jsonl";
    {
        auto log = SendLog::open(path, true);
        REQUIRE(log);
        for (std::uint64_t n = 1; n <= 1'000; ++n) {
            SendRecord record;
            record.number = n;
            (*log)->append(std::move(record));
        }
        (*log)->close();
        CHECK((*log)->records().size() == 1'000);
    }
    std::ifstream file(path);
    std::string line;
    std::int64_t want = 0;
    while (std::getline(file, line)) {
        const auto parsed = json::Value::parse(line);
        REQUIRE(parsed);
        CHECK(parsed->find("number")->as_int() == ++want);
    }
    CHECK(want == 1'000);
    std::remove(path.c_str());
}

TEST_CASE("a log that cannot be written is an error that names the file") {
    const auto log = SendLog::open("/nonexistent/dir/log", false);
    REQUIRE_FALSE(log);
    CHECK(log.error().detail.find("/nonexistent/dir/log") != std::string::npos);
}
