#include "http/url.hpp"

#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "http/splits.hpp"

using namespace oai::http;
using namespace std::literals;
using oai::core::Code;

namespace {

std::string text_of(std::string_view input) {
    const auto url = parse_url(input);
    if (!url) {
        CHECK(url.error().code == Code::invalid_argument);
        const std::string& detail = url.error().detail;
        CHECK(detail.find("; write it like ") != std::string::npos);
        return detail.substr(0, detail.find("; write it like "));
    }
    CHECK(parse_url(url->text())->text() == url->text());
    return url->scheme + " " + url->host + " " + std::to_string(url->port) + " " + url->base_path + " " +
           url->authority();
}

}  // namespace

TEST_CASE("base URLs are read strictly, and errors say what would be right") {
    struct Row {
        std::string_view input;
        std::string_view want;
    };
    constexpr std::string_view path =
        "this URL has a path with . or .. or empty segments, wrong escapes or characters that must be escaped";
    constexpr std::string_view scheme = "this URL does not begin with http:// or https://";
    constexpr std::string_view user =
        "this URL holds a user or a password, which would end in logs; give the credential in its own setting";
    constexpr std::string_view odd = "this URL holds a blank, a control character or a letter beyond ASCII";
    constexpr std::string_view ipv6 = "this URL holds in brackets what is no IPv6 address, without a zone";
    const Row rows[] = {
        {"https://api.openai.com", "https api.openai.com 443  api.openai.com"},
        {"http://127.0.0.1:9180", "http 127.0.0.1 9180  127.0.0.1:9180"},
        {"HTTP://LocalHost/", "http localhost 80  localhost"},
        {"https://h:80/v1/", "https h 80 /v1 h:80"},
        {"http://h:80/a/b_c.d~e%20f", "http h 80 /a/b_c.d~e%20f h"},
        {"http://a_b-c.d", "http a_b-c.d 80  a_b-c.d"},
        {"http://[::1]:8080/x", "http ::1 8080 /x [::1]:8080"},
        {"https://[2001:DB8:0::1]", "https 2001:db8::1 443  [2001:db8::1]"},
        {"http://1.2.3.4.com", "http 1.2.3.4.com 80  1.2.3.4.com"},
        {"", "this URL is empty"},
        {"api.openai.com", scheme},
        {"ftp://h", scheme},
        {"//h", scheme},
        {"http:/h", scheme},
        {" http://h", odd},
        {"http://h\r\nx: y", odd},
        {"http://h\0"sv, odd},
        {"http://\xC3\xA4.de", odd},
        {"http://", "this URL has no host"},
        {"http:///a", "this URL has no host"},
        {"http://:80", "this URL has no host"},
        {"http://user:secret@h", user},
        {"http://user@h", user},
        {"http://h?a=b", "this URL has a query, which a base URL cannot have"},
        {"http://h/a#b", "this URL has a fragment, which a base URL cannot have"},
        {"http://h:", "this URL has the port \"\", which is not a number from 1 to 65535"},
        {"http://h:0", "this URL has the port \"0\", which is not a number from 1 to 65535"},
        {"http://h:65536", "this URL has the port \"65536\", which is not a number from 1 to 65535"},
        {"http://h:000080", "this URL has the port \"000080\", which is not a number from 1 to 65535"},
        {"http://h:+80", "this URL has the port \"+80\", which is not a number from 1 to 65535"},
        {"http://::1", "this URL needs brackets around an IPv6 address"},
        {"http://[::1", "this URL has a [ without its ]"},
        {"http://[::1]80", "this URL has something between ] and its port"},
        {"http://[::1%25eth0]", ipv6},
        {"http://[1.2.3.4]", ipv6},
        {"http://[]", ipv6},
        {"http://2130706433",
         "this URL has the host \"2130706433\", which is a number but no IPv4 address of four parts"},
        {"http://127.1", "this URL has the host \"127.1\", which is a number but no IPv4 address of four parts"},
        {"http://0x7f.1", "this URL has the host \"0x7f.1\", which is a number but no IPv4 address of four parts"},
        {"http://0X7F000001",
         "this URL has the host \"0x7f000001\", which is a number but no IPv4 address of four parts"},
        {"http://0177.0.0.1",
         "this URL has the host \"0177.0.0.1\", which is a number but no IPv4 address of four parts"},
        {"http://256.0.0.1",
         "this URL has the host \"256.0.0.1\", which is a number but no IPv4 address of four parts"},
        {"http://a..b", "this URL has the host \"a..b\", which is neither a DNS name nor an address"},
        {"http://a.", "this URL has the host \"a.\", which is neither a DNS name nor an address"},
        {"http://-a", "this URL has the host \"-a\", which is neither a DNS name nor an address"},
        {"http://a-.b", "this URL has the host \"a-.b\", which is neither a DNS name nor an address"},
        {"http://a%41", "this URL has the host \"a%41\", which is neither a DNS name nor an address"},
        {"http://a\\b", "this URL has the host \"a\\b\", which is neither a DNS name nor an address"},
        {"http://h/a/../b", path},
        {"http://h//a", path},
        {"http://h/a//", path},
        {"http://h/%zz", path},
        {"http://h/a\\b", path},
    };
    for (const Row& row : rows) {
        CAPTURE(row.input);
        CHECK(text_of(row.input) == row.want);
    }
    CHECK(parse_url("http://user:hunter2@h").error().detail.find("hunter2") == std::string::npos);
    CHECK_FALSE(parse_url("http://" + std::string(64, 'a')));
    CHECK(parse_url("http://" + std::string(63, 'a')));
    std::string name = "a";
    while (name.size() < 253) name += ".a";
    CHECK(parse_url("http://" + name));
    CHECK_FALSE(parse_url("http://" + name + "b"));
}

TEST_CASE("a plain path means the same to everybody") {
    for (const char* path : {"/", "/v1", "/v1/", "/v1/files/file-abc_1.2~x", "/a%20b", "/%C3%A4", "/...",
                             "/.well-known/a", "/a..b", "/a;b=c", "/..a", "/ft:gpt-4o:org::id", "/.%2e%2e"}) {
        CAPTURE(path);
        CHECK(is_plain_path(path));
    }
    for (const std::string_view path :
         {""sv,          "v1"sv,    "*"sv,         "/."sv,      "/.."sv,    "/a/./b"sv,    "/a/../b"sv,   "/a/.."sv,
          "/%2e%2e/b"sv, "/.%2E"sv, "/a//b"sv,     "//"sv,      "/a%2fb"sv, "/a%5Cb"sv,    "/a\\b"sv,     "/a%00"sv,
          "/a%0d%0a"sv,  "/a%7f"sv, "/a%09"sv,     "/a%252e"sv, "/a%"sv,    "/a%4"sv,      "/a%4g"sv,     "/a b"sv,
          "/a?b"sv,      "/a#b"sv,  "/\xC3\xA4"sv, "/a\0"sv,    "/..;/b"sv, "/a/..;x=y"sv, "/%2e%2e;/b"sv}) {
        CAPTURE(path);
        CHECK_FALSE(is_plain_path(path));
    }
}

TEST_CASE("escapes are decoded, and wrong ones are errors") {
    CHECK(*percent_decode("") == "");
    CHECK(*percent_decode("a%20b%2Fc+%c3%A4") == "a b/c+\xC3\xA4");
    CHECK(*percent_decode("%25") == "%");
    for (const char* text : {"%", "a%", "%4", "a%4", "%zz", "%4g", "%%41", "%u0041"}) {
        CAPTURE(text);
        REQUIRE_FALSE(percent_decode(text));
        CHECK(percent_decode(text).error().code == Code::invalid_request);
        CHECK(percent_decode(text).error().detail ==
              "a % is not followed by two hex digits; write %25 for the character itself");
    }
    for (const char* text : {"%00", "a%0Ab", "%7F"}) {
        CAPTURE(text);
        REQUIRE_FALSE(percent_decode(text));
        CHECK(percent_decode(text).error().detail == "an escape hides a control character");
    }
}

TEST_CASE("a query parameter is found by its decoded name, once") {
    struct Row {
        std::string_view query;
        std::string_view want;
    };
    const Row rows[] = {
        {"", "none"},
        {"b=1", "none"},
        {"a=1", "1"},
        {"b=2&a=1&c", "1"},
        {"a", ""},
        {"a=", ""},
        {"a=b=c", "b=c"},
        {"a=x+y%2Bz%26", "x y+z&"},
        {"%61=1", "1"},
        {"&&a=1&", "1"},
        {"aa=1&ba=2", "none"},
        {"a=1&a=1", "the query parameter \"a\" is given twice"},
        {"a=1&%61=2", "the query parameter \"a\" is given twice"},
        {"a=%4",
         "the query parameter \"a\" is wrong: a % is not followed by two hex digits; write %25 for the character "
         "itself"},
        {"a=%00", "the query parameter \"a\" is wrong: an escape hides a control character"},
        {"%4=1",
         "the name of a query parameter is wrong: a % is not followed by two hex digits; write %25 for the character "
         "itself"},
        {"b=%4", "none"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.query);
        const auto value = query_parameter(row.query, "a");
        const std::string got = !value ? value.error().detail : *value ? **value : "none";
        CHECK(got == row.want);
    }
    CHECK(query_parameter("a=1&a=1", "a").error().param == "a");
}

TEST_CASE("no mutation of a URL crashes, and what is accepted reads back the same") {
    const std::string urls[] = {"https://user@api.example.com:8443/v1/a%20b/", "http://[2001:db8::1]:80/x?q#f",
                                "http://127.0.0.1:1/"};
    oai::http::test::Random random(20260215);
    for (int round = 0; round < 10'000; ++round) {
        const std::string input = mutate(urls[random.below(3)], random);
        CAPTURE(input);
        if (const auto url = parse_url(input); url) {
            CHECK(url->port != 0);
            CHECK((url->base_path.empty() || is_plain_path(url->base_path)));
            const auto again = parse_url(url->text());
            REQUIRE(again);
            CHECK(again->text() == url->text());
            CHECK(again->host == url->host);
        }
        if (const auto decoded = percent_decode(input); decoded) CHECK(decoded->size() <= input.size());
        if (const auto value = query_parameter(input, "a"); value && *value) CHECK((*value)->size() <= input.size());
    }
}
