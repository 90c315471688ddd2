#include "http/head.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "core/units.hpp"
#include "http/splits.hpp"

using namespace oai::http;
using namespace std::literals;
using oai::core::Code;
using oai::core::Source;
using oai::http::test::same_for_every_split;

namespace {

std::string refusal_of(const oai::core::Error& error) {
    switch (error.code) {
        case Code::head_too_large: return "too large: " + error.detail;
        case Code::target_too_long: return "too long: " + error.detail;
        default: return "bad: " + error.detail;
    }
}

std::string text_of(const Head& head) {
    std::string text = head.minor_version == 1 ? "1.1" : "1.0";
    switch (head.body) {
        case BodyFraming::none: text += " none"; break;
        case BodyFraming::length: text += " length " + std::to_string(head.content_length); break;
        case BodyFraming::chunked: text += " chunked"; break;
        case BodyFraming::until_close: text += " until_close"; break;
    }
    text += head.keep_alive ? " keep" : " close";
    if (head.upgrade) text += " upgrade";
    for (const Field& field : head.fields) text.append("|").append(field.name).append("=").append(field.value);
    return text;
}

std::string text_of(const RequestHead& head) {
    std::string text;
    text.append(head.method).append(" ").append(head.path);
    if (!head.query.empty()) text.append("?").append(head.query);
    text.append(" ").append(head.host).append(" ").append(text_of(static_cast<const Head&>(head)));
    if (head.expect_continue) text += " expects";
    return text;
}

std::string text_of(const ResponseHead& head) {
    return std::to_string(head.status) + " '" + std::string(head.reason) + "' " +
           text_of(static_cast<const Head&>(head));
}

template <class H, class Read>
std::string outcome(HeadReader& reader, const std::vector<std::string>& pieces, Read read) {
    H head;
    std::string input;
    HeadStatus status = HeadStatus::incomplete;
    // Each piece moves the input to a block of exactly its size: a read beyond it is caught, and the reader must begin
    // again.
    std::unique_ptr<char[]> block;
    for (const std::string& piece : pieces) {
        input += piece;
        std::unique_ptr<char[]> grown(new char[input.size()]);
        input.copy(grown.get(), input.size());
        block.swap(grown);
        status = read(std::string_view{block.get(), input.size()}, head);
        if (status != HeadStatus::incomplete) break;
    }
    if (status == HeadStatus::incomplete) return "incomplete";
    if (status == HeadStatus::malformed) {
        CHECK(read(std::string_view{block.get(), input.size()}, head) == HeadStatus::malformed);
        CHECK_FALSE(reader.error().retryable);
        return refusal_of(reader.error());
    }
    return text_of(head) + " @" + std::to_string(reader.consumed());
}

/// The same input in a buffer that does not move, which is how a connection feeds it.
template <class H, class Read>
std::string outcome_in_place(HeadReader& reader, const std::vector<std::string>& pieces, Read read) {
    H head;
    std::string all;
    for (const std::string& piece : pieces) all += piece;
    std::size_t size = 0;
    for (const std::string& piece : pieces) {
        size += piece.size();
        switch (read(std::string_view(all).substr(0, size), head)) {
            case HeadStatus::incomplete: break;
            case HeadStatus::complete: return text_of(head) + " @" + std::to_string(reader.consumed());
            case HeadStatus::malformed: return refusal_of(reader.error());
        }
    }
    return "incomplete";
}

std::string request(const std::vector<std::string>& pieces, HeadLimits limits = {}) {
    HeadReader moving(limits), still(limits);
    const std::string text = outcome<RequestHead>(
        moving, pieces, [&](std::string_view input, RequestHead& head) { return moving.read_request(input, head); });
    CHECK(outcome_in_place<RequestHead>(still, pieces, [&](std::string_view input, RequestHead& head) {
              return still.read_request(input, head);
          }) == text);
    return text;
}

std::string response(const std::vector<std::string>& pieces, std::string_view method = "POST") {
    HeadReader moving, still;
    const std::string text = outcome<ResponseHead>(moving, pieces, [&](std::string_view input, ResponseHead& head) {
        return moving.read_response(input, method, head);
    });
    CHECK(outcome_in_place<ResponseHead>(still, pieces, [&](std::string_view input, ResponseHead& head) {
              return still.read_response(input, method, head);
          }) == text);
    return text;
}

std::string request_of(std::string_view input, HeadLimits limits = {}) {
    return same_for_every_split(input, [&](const auto& pieces) { return request(pieces, limits); });
}

std::string response_of(std::string_view input, std::string_view method = "POST") {
    return same_for_every_split(input, [&](const auto& pieces) { return response(pieces, method); });
}

/// Everything up to " @", or the whole of a refusal.
std::string without_length(const std::string& text) {
    return text.substr(0, text.rfind(" @"));
}

struct Row {
    const char* name;
    std::string_view input;
    std::string_view want;
};

}  // namespace

TEST_CASE("request lines are exactly method, target and version") {
    const Row rows[] = {
        {"origin form", "GET /v1/models?limit=2&x=? HTTP/1.1", "GET /v1/models?limit=2&x=? h 1.1 none keep|Host=h"},
        {"an empty query is none", "GET /a? HTTP/1.1", "GET /a h 1.1 none keep|Host=h"},
        {"any token is a method", "M-SEARCH /a HTTP/1.1", "M-SEARCH /a h 1.1 none keep|Host=h"},
        {"brackets come from SDKs", "GET /a?include[]=b HTTP/1.1", "GET /a?include[]=b h 1.1 none keep|Host=h"},
        {"HTTP/1.0 closes", "GET / HTTP/1.0", "GET / h 1.0 none close|Host=h"},
        {"absolute form", "GET http://H/a?b HTTP/1.1", "GET /a?b H 1.1 none keep|Host=h"},
        {"absolute form without a path", "GET HTTPS://h HTTP/1.1", "GET / h 1.1 none keep|Host=h"},
        {"absolute form, only a query", "GET http://h?b HTTP/1.1", "GET /?b h 1.1 none keep|Host=h"},
        {"asterisk form", "OPTIONS * HTTP/1.1", "OPTIONS * h 1.1 none keep|Host=h"},
        {"asterisk with another method", "GET * HTTP/1.1",
         "bad: the request line has the target *, which only OPTIONS may have"},
        {"absolute form with a user", "GET http://u@h/ HTTP/1.1",
         "bad: the request line has an absolute target whose host is not name, name:port or [IPv6]:port"},
        {"absolute form without a host", "GET http:///a HTTP/1.1",
         "bad: the request line has an absolute target whose host is not name, name:port or [IPv6]:port"},
        {"another name than Host", "GET http://g/ HTTP/1.1",
         "bad: header line 1 holds a Host that differs from the one in the target"},
        {"another scheme", "GET ftp://h/ HTTP/1.1",
         "bad: the request line has a target that does not begin with / or http://"},
        {"no slash", "GET a HTTP/1.1", "bad: the request line has a target that does not begin with / or http://"},
        {"authority form", "CONNECT h:443 HTTP/1.1", "bad: the request line is a CONNECT, and this server is no proxy"},
        {"HTTP/0.9", "GET /", "bad: the request line has no version; HTTP/0.9 is not spoken here"},
        {"only a method", "GET", "bad: the request line has no target and no version"},
        {"HTTP/2 preface", "PRI * HTTP/2.0",
         "bad: the request line asks for a version that is not spoken here; use HTTP/1.1"},
        {"HTTP/1.2", "GET / HTTP/1.2", "bad: the request line must end with HTTP/1.1 or HTTP/1.0 after one blank"},
        {"lower-case version", "GET / http/1.1",
         "bad: the request line must end with HTTP/1.1 or HTTP/1.0 after one blank"},
        {"a version with more digits", "GET / HTTP/1.10",
         "bad: the request line must end with HTTP/1.1 or HTTP/1.0 after one blank"},
        {"a blank at the end", "GET / HTTP/1.1 ",
         "bad: the request line must end with HTTP/1.1 or HTTP/1.0 after one blank"},
        {"two blanks before the version", "GET /  HTTP/1.1",
         "bad: the request line must end with HTTP/1.1 or HTTP/1.0 after one blank"},
        {"two blanks before the target", "GET  / HTTP/1.1",
         "bad: the request line has more than one blank after its method"},
        {"a blank in the target", "GET /a b HTTP/1.1",
         "bad: the request line must end with HTTP/1.1 or HTTP/1.0 after one blank"},
        {"a tab for a blank", "GET\t/ HTTP/1.1", "bad: the request line does not begin with a method and one blank"},
        {"a blank first", " GET / HTTP/1.1", "bad: the request line does not begin with a method"},
        {"no method", "/ HTTP/1.1", "bad: the request line does not begin with a method"},
        {"a method that is no token", "GE(T / HTTP/1.1",
         "bad: the request line does not begin with a method and one blank"},
        {"a fragment", "GET /a#b HTTP/1.1",
         "bad: the request line has a character in its target that must be percent-encoded"},
        {"a backslash", "GET /a\\..\\b HTTP/1.1",
         "bad: the request line has a character in its target that must be percent-encoded"},
        {"a NUL", "GET /a\0b HTTP/1.1"sv,
         "bad: the request line has a character in its target that must be percent-encoded"},
        {"raw UTF-8", "GET /\xC3\xA4 HTTP/1.1",
         "bad: the request line has a character in its target that must be percent-encoded"},
        {"a bare CR in the target", "GET /a\rb HTTP/1.1",
         "bad: the request line has a character in its target that must be percent-encoded"},
        {"a bare CR in the version", "GET / HTTP/1.1\r",
         "bad: the request line must end with HTTP/1.1 or HTTP/1.0 after one blank"},
        {"TLS on a plain port", "\x16\x03\x01\x02",
         "bad: the request line begins like a TLS handshake; this port speaks plain HTTP"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        CHECK(without_length(request_of(std::string(row.input) + "\r\nHost: h\r\n\r\n")) == row.want);
    }
}

TEST_CASE("the framing of requests cannot be read in two ways") {
    const Row rows[] = {
        {"no length, no body", "", "none keep"},
        {"a length", "Content-Length: 12", "length 12 keep"},
        {"a length in any case", "cONTENT-lENGTH:0", "length 0 keep"},
        {"the longest length", "Content-Length: 9223372036854775807", "length 9223372036854775807 keep"},
        {"2^63", "Content-Length: 9223372036854775808",
         "bad: header line 2 holds a Content-Length that is not a whole number below 2^63"},
        {"2^64 + 5", "Content-Length: 18446744073709551621",
         "bad: header line 2 holds a Content-Length that is not a whole number below 2^63"},
        {"a sign", "Content-Length: +5",
         "bad: header line 2 holds a Content-Length that is not a whole number below 2^63"},
        {"a negative length", "Content-Length: -5",
         "bad: header line 2 holds a Content-Length that is not a whole number below 2^63"},
        {"a hex length", "Content-Length: 0x5",
         "bad: header line 2 holds a Content-Length that is not a whole number below 2^63"},
        {"a blank inside", "Content-Length: 1 2",
         "bad: header line 2 holds a Content-Length that is not a whole number below 2^63"},
        {"no digits",
         "Content-Length:", "bad: header line 2 holds a Content-Length that is not a whole number below 2^63"},
        {"a list", "Content-Length: 5, 5",
         "bad: header line 2 holds a Content-Length that is not a whole number below 2^63"},
        {"two equal lengths", "Content-Length: 5\r\nContent-Length: 5",
         "bad: header line 3 is a second Content-Length"},
        {"two lengths", "Content-Length: 5\r\nContent-Length: 6", "bad: header line 3 is a second Content-Length"},
        {"chunked", "Transfer-Encoding: Chunked", "chunked keep"},
        {"chunked and a length", "Transfer-Encoding: chunked\r\nContent-Length: 5",
         "bad: the head has both Content-Length and Transfer-Encoding"},
        {"a length and chunked", "Content-Length: 5\r\nTransfer-Encoding: chunked",
         "bad: the head has both Content-Length and Transfer-Encoding"},
        {"chunked twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
         "bad: header line 3 is a second Transfer-Encoding"},
        {"another coding", "Transfer-Encoding: gzip, chunked",
         "bad: header line 2 holds a Transfer-Encoding that is not just chunked"},
        {"identity", "Transfer-Encoding: identity",
         "bad: header line 2 holds a Transfer-Encoding that is not just chunked"},
        {"almost chunked", "Transfer-Encoding: xchunked",
         "bad: header line 2 holds a Transfer-Encoding that is not just chunked"},
        {"a parameter", "Transfer-Encoding: chunked;q=1",
         "bad: header line 2 holds a Transfer-Encoding that is not just chunked"},
        {"empty coding", "Transfer-Encoding:", "bad: header line 2 holds a Transfer-Encoding that is not just chunked"},
        {"hidden by a tab in the value", "Transfer-Encoding:\tchunked", "chunked keep"},
        {"hidden by a vertical tab", "Transfer-Encoding:\vchunked",
         "bad: header line 2 holds a bare CR, a NUL or another control character"},
        {"a blank before the colon", "Transfer-Encoding : chunked",
         "bad: header line 2 has a name that is not a token: letters, digits and -, and no blank before the colon"},
        {"a folded coding", "Transfer-Encoding:\r\n chunked",
         "bad: header line 2 holds a Transfer-Encoding that is not just chunked"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const std::string fields = row.input.empty() ? "" : std::string(row.input) + "\r\n";
        std::string got = without_length(request_of("POST /a HTTP/1.1\r\nHost: h\r\n" + fields + "\r\nbody"));
        const std::string begin = "POST /a h 1.1 ";
        if (got.substr(0, begin.size()) == begin) got = got.substr(begin.size(), got.find('|') - begin.size());
        CHECK(got == row.want);
    }
    CHECK(request_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") ==
          "bad: the head has a Transfer-Encoding, which HTTP/1.0 does not know");
}

TEST_CASE("header lines are judged one by one") {
    const Row rows[] = {
        {"blanks around a value", "a: \t b c \t", "|a=b c"},
        {"an empty value", "a:", "|a="},
        {"only blanks", "a: \t ", "|a="},
        {"colons in a value", "a:b:c", "|a=b:c"},
        {"bytes beyond ASCII", "a: \xC3\xA4\xFF", "|a=\xC3\xA4\xFF"},
        {"a long value with a tab", "a: 0123456789abcdef\t0123456789abcdef", "|a=0123456789abcdef\t0123456789abcdef"},
        {"every character of a token", "!#$%&'*+-.^_`|~09azAZ: x", "|!#$%&'*+-.^_`|~09azAZ=x"},
        {"no colon", "abc", "bad: header line 2 has no colon"},
        {"no name", ": b", "bad: header line 2 has no name before its colon"},
        {"a blank in the name", "a b: c",
         "bad: header line 2 has a name that is not a token: letters, digits and -, and no blank before the colon"},
        {"a NUL in the name", "a\0: c"sv,
         "bad: header line 2 has a name that is not a token: letters, digits and -, and no blank before the colon"},
        {"UTF-8 in the name", "\xC3\xA4: c",
         "bad: header line 2 has a name that is not a token: letters, digits and -, and no blank before the colon"},
        {"a NUL early in a value", "a: b\0c"sv,
         "bad: header line 2 holds a bare CR, a NUL or another control character"},
        {"a NUL late in a value", "a: 0123456789abcdef0123\0"sv,
         "bad: header line 2 holds a bare CR, a NUL or another control character"},
        {"DEL behind a tab",
         "a: \t0123\x7f"
         "456789",
         "bad: header line 2 holds a bare CR, a NUL or another control character"},
        {"an escape sequence", "a: \x1b[31m", "bad: header line 2 holds a bare CR, a NUL or another control character"},
        {"a bare CR", "a: b\rc: d", "bad: header line 2 holds a bare CR, a NUL or another control character"},
        {"a CR before CRLF", "a: b\r", "bad: header line 2 holds a bare CR, a NUL or another control character"},
        {"a bare LF", "a: b\nc: d", "bad: header line 2 ends with a bare LF; lines end with CRLF"},
        {"LF CR", "a: b\n\rc: d", "bad: header line 2 ends with a bare LF; lines end with CRLF"},
        {"folding with a tab", "a: b\r\n\tc",
         "bad: header line 3 begins with a blank: folded lines are not accepted, join it with the line before"},
        {"a blank line that is not empty", " \r\nContent-Length: 5",
         "bad: header line 2 begins with a blank: folded lines are not accepted, join it with the line before"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        std::string got =
            without_length(request_of("GET / HTTP/1.1\r\nHost: h\r\n" + std::string(row.input) + "\r\n\r\n"));
        const std::string begin = "GET / h 1.1 none keep|Host=h";
        if (got.substr(0, begin.size()) == begin) got = got.substr(begin.size());
        CHECK(got == row.want);
    }
    CHECK(request_of("GET / HTTP/1.1\nHost: h\n\n") ==
          "bad: the request line ends with a bare LF; lines end with CRLF");
    CHECK(request_of("GET / HTTP/1.1\r\nHost: h\r\n\n") ==
          "bad: header line 2 ends with a bare LF; lines end with CRLF");
    CHECK(request_of("GET / HTTP/1.1\r\n Host: h\r\n\r\n") ==
          "bad: header line 1 begins with a blank: folded lines are not accepted, join it with the line before");
}

TEST_CASE("every byte of a value is allowed or refused by the table of RFC 9110") {
    for (unsigned byte = 0; byte < 256; ++byte) {
        if (byte == '\n') continue;  // ends the line
        CAPTURE(byte);
        for (const std::size_t at : {0U, 3U, 7U, 8U, 15U, 17U}) {
            std::string value = "0123456789abcdef01";
            value[at] = static_cast<char>(byte);
            const bool want = byte == '\t' || (byte >= 0x20 && byte != 0x7F);
            CHECK((request({"GET / HTTP/1.0\r\na:" + value + "\r\n\r\n"}).substr(0, 3) == "GET") == want);
        }
    }
}

TEST_CASE("HTTP/1.1 has exactly one Host, and it is a host") {
    constexpr std::string_view wrong = "bad: header line 1 holds a Host that is not name, name:port or [IPv6]:port";
    const Row rows[] = {
        {"name", "Host: api.Example-1_x.com", "api.Example-1_x.com"},
        {"name and port", "Host: h:5231", "h:5231"},
        {"IPv6", "Host: [::1]:80", "[::1]:80"},
        {"IPv6 without a port", "Host: [fe80::1.2.3.4]", "[fe80::1.2.3.4]"},
        {"empty, as health checks send it", "Host:", ""},
        {"none", "a: b", "bad: the head has no Host, which HTTP/1.1 demands"},
        {"two", "Host: h\r\nhost: h", "bad: header line 2 is a second Host"},
        {"a list", "Host: h, g", wrong},
        {"a comma", "Host: h,g", wrong},
        {"a user", "Host: u@h", wrong},
        {"a path", "Host: h/a", wrong},
        {"an empty port", "Host: h:", wrong},
        {"a port that is none", "Host: h:8o", wrong},
        {"a port too long", "Host: h:123456", wrong},
        {"only a port", "Host: :80", wrong},
        {"two ports", "Host: h:80:80", wrong},
        {"brackets not closed", "Host: [::1", wrong},
        {"empty brackets", "Host: []", wrong},
        {"after the brackets", "Host: [::1]x", wrong},
        {"a name in brackets", "Host: [host]", wrong},
        {"beyond ASCII", "Host: \xC3\xA4", wrong},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        std::string got = without_length(request_of("GET / HTTP/1.1\r\n" + std::string(row.input) + "\r\n\r\n"));
        const std::string begin = "GET / ";
        if (got.substr(0, begin.size()) == begin) got = got.substr(begin.size(), got.find(" 1.1 ") - begin.size());
        CHECK(got == row.want);
    }
    CHECK(request_of("GET / HTTP/1.0\r\n\r\n") == "GET /  1.0 none close @18");
    CHECK(request_of("GET / HTTP/1.0\r\nHost: h\r\nHost: h\r\n\r\n") == "bad: header line 2 is a second Host");
    CHECK(request_of("GET http://h/ HTTP/1.1\r\nHost:\r\n\r\n") ==
          "bad: header line 1 holds a Host that differs from the one in the target");
    CHECK(request_of("GET http://h/ HTTP/1.1\r\n\r\n") == "bad: the head has no Host, which HTTP/1.1 demands");
}

TEST_CASE("Connection, Upgrade and Expect are read without regard to case") {
    const Row rows[] = {
        {"1.1 stays", "1.1|", "1.1 none keep"},
        {"1.1 close", "1.1|Connection: CLOSE", "1.1 none close"},
        {"close in a list", "1.1|Connection: foo ,\tClose", "1.1 none close"},
        {"close in a second field", "1.1|Connection: keep-alive\r\nconnection: close", "1.1 none close"},
        {"a word that only begins so", "1.1|Connection: close-not", "1.1 none keep"},
        {"1.0 closes", "1.0|", "1.0 none close"},
        {"1.0 keep-alive", "1.0|Connection: Keep-Alive", "1.0 none keep"},
        {"close wins", "1.0|Connection: keep-alive, close", "1.0 none close"},
        {"an upgrade", "1.1|Connection: keep-alive, Upgrade\r\nUpgrade: websocket", "1.1 none keep upgrade"},
        {"listed but not named", "1.1|Connection: upgrade", "1.1 none keep"},
        {"named but not listed", "1.1|Upgrade: websocket", "1.1 none keep"},
        {"no upgrade from 1.0", "1.0|Connection: upgrade\r\nUpgrade: websocket", "1.0 none close"},
        {"expect", "1.1|Expect: 100-Continue", "1.1 none keep expects"},
        {"expect something else", "1.1|Expect: tea", "1.1 none keep"},
        {"1.0 cannot expect", "1.0|Expect: 100-continue", "1.0 none close"},
        {"empty members", "1.1|Connection: ,, ,close,", "1.1 none close"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const std::string fields = row.input.size() == 4 ? "" : std::string(row.input.substr(4)) + "\r\n";
        const std::string version(row.input.substr(0, 3));
        const std::string got =
            without_length(request_of("GET / HTTP/" + version + "\r\nHost: h\r\n" + fields + "\r\n"));
        const std::size_t from = got.find(version), bar = got.find('|');
        CHECK(got.substr(from, bar - from) + (got.find(" expects") == std::string::npos ? "" : " expects") == row.want);
    }
}

TEST_CASE("one empty line before a request is skipped, and no more") {
    CHECK(request_of("\r\nGET / HTTP/1.0\r\n\r\n") == "GET /  1.0 none close @20");
    CHECK(request_of("\r\n\r\nGET / HTTP/1.0\r\n\r\n") == "bad: the request line follows more than one empty line");
    CHECK(request_of("\nGET / HTTP/1.0\r\n\r\n") == "bad: the request line ends with a bare LF; lines end with CRLF");
    CHECK(request_of("\r\n") == "incomplete");
    CHECK(request_of("\rGET / HTTP/1.0\r\n\r\n") == "bad: the request line does not begin with a method and one blank");
}

TEST_CASE("a head that is not over is incomplete, and what follows one is left alone") {
    const std::string head = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n";
    for (std::size_t size = 0; size < head.size(); ++size) {
        CAPTURE(size);
        CHECK(request({head.substr(0, size)}) == "incomplete");
    }
    const std::string two = head + "bodyGET /b HTTP/1.1\r\nHost: g\r\n\r\n";
    CHECK(request_of(two) == "POST /a h 1.1 length 4 keep|Host=h|Content-Length=4 @" + std::to_string(head.size()));

    HeadReader reader;
    RequestHead out;
    REQUIRE(reader.read_request(two, out) == HeadStatus::complete);
    const std::string_view rest = std::string_view(two).substr(reader.consumed() + 4);
    REQUIRE(reader.read_request(rest, out) == HeadStatus::complete);
    CHECK(text_of(out) == "GET /b g 1.1 none keep|Host=g");
    CHECK(out.content_length == 0);
    CHECK(reader.consumed() == rest.size());
}

TEST_CASE("nothing of one head is seen in the next") {
    HeadReader reader;
    RequestHead out;
    const std::string first =
        "GET http://h/a?q HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nConnection: close, upgrade\r\n"
        "Upgrade: x\r\nContent-Length: 3\r\n\r\n";
    const std::string second = "POST /b HTTP/1.1\r\nHost: g\r\n\r\n";
    REQUIRE(reader.read_request(first, out) == HeadStatus::complete);
    CHECK(out.upgrade);
    REQUIRE(reader.read_request(second, out) == HeadStatus::complete);
    CHECK(text_of(out) == "POST /b g 1.1 none keep|Host=g");
    REQUIRE(reader.read_request("nonsense\r\n", out) == HeadStatus::malformed);
    CHECK(reader.read_request(second, out) == HeadStatus::malformed);
    CHECK(reader.error().source == Source::downstream);
    CHECK(reader.error().code == Code::malformed_http);
    reader.reset();
    CHECK(reader.read_request(second, out) == HeadStatus::complete);
}

TEST_CASE("a head is bounded in bytes and in fields") {
    const std::string head = "GET / HTTP/1.1\r\nHost: h\r\na: b\r\n\r\n";
    CHECK(without_length(request_of(head, {.max_bytes = head.size()})) == "GET / h 1.1 none keep|Host=h|a=b");
    const std::string bytes = "too large: the head has more than " + std::to_string(head.size() - 1) + " bytes";
    CHECK(request_of(head, {.max_bytes = head.size() - 1}) == bytes);
    CHECK(request_of(head.substr(0, head.size() - 1), {.max_bytes = head.size() - 1}) == bytes);
    CHECK(request_of(head, {.max_fields = 2}).substr(0, 5) == "GET /");
    CHECK(request_of(head, {.max_fields = 1}) == "too large: the head has more than 1 fields");
    // Who sends so long a line can do something about its target, whatever fields would have come.
    const std::string target = "too long: the request line has more than ";
    CHECK(request({"GET /" + std::string(40'000, 'a')}) == target + "32768 bytes");
    CHECK(request_of(head, {.max_bytes = 15}) == target + "15 bytes");
    CHECK(request_of(head, {.max_bytes = 16}) == "too large: the head has more than 16 bytes");

    std::string many = "GET / HTTP/1.0\r\n";
    for (int i = 0; i < 100; ++i) many += "a: b\r\n";
    CHECK(request({many + "\r\n"}).substr(0, 5) == "GET /");
    CHECK(request({many + "a: b\r\n\r\n"}) == "too large: the head has more than 100 fields");
    for (int i = 100; i < 128; ++i) many += "a: b\r\n";
    CHECK(request({many + "\r\n"}, {.max_fields = 1000}).substr(0, 5) == "GET /");
    CHECK(request({many + "a: b\r\n\r\n"}, {.max_fields = 1000}) == "too large: the head has more than 128 fields");
}

TEST_CASE("bytes that come one by one are looked at once") {
    std::string head = "GET / HTTP/1.1\r\nHost: h\r\na: " + std::string(20'000, 'x') + "\r\n";
    for (int i = 0; i < 90; ++i) head += "name-" + std::to_string(i) + ": value\r\n";
    head += "\r\n";
    HeadReader reader;
    RequestHead out;
    for (std::size_t size = 1; size < head.size(); ++size)
        REQUIRE(reader.read_request(std::string_view(head).substr(0, size), out) == HeadStatus::incomplete);
    REQUIRE(reader.read_request(head, out) == HeadStatus::complete);
    CHECK(reader.scanned_for_test() == head.size());
}

TEST_CASE("responses are read with the leniency that providers need") {
    const std::string mismatch = "bad: header line 2 holds a Content-Length that contradicts another";
    const Row rows[] = {
        {"usual", "HTTP/1.1 200 OK\r\nContent-Length: 5", "200 'OK' 1.1 length 5 keep"},
        {"no reason", "HTTP/1.1 200 \r\nContent-Length: 5", "200 '' 1.1 length 5 keep"},
        {"no blank either", "HTTP/1.1 200\r\nContent-Length: 5", "200 '' 1.1 length 5 keep"},
        {"a reason with blanks", "HTTP/1.1 404 Not Found \xFF\r\nContent-Length: 5",
         "404 'Not Found \xFF' 1.1 length 5 keep"},
        {"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", "200 'OK' 1.1 chunked keep"},
        {"until the close", "HTTP/1.1 200 OK\r\nConnection: keep-alive", "200 'OK' 1.1 until_close close"},
        {"1.0 with keep-alive", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive",
         "200 'OK' 1.0 length 5 keep"},
        {"1.0 without", "HTTP/1.0 200 OK\r\nContent-Length: 5", "200 'OK' 1.0 length 5 close"},
        {"equal lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5", "200 'OK' 1.1 length 5 keep"},
        {"equal lengths in a list", "HTTP/1.1 200 OK\r\nContent-Length: 5 , 5", "200 'OK' 1.1 length 5 keep"},
        {"other lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6", mismatch},
        {"other lengths in a list", "HTTP/1.1 200 OK\r\na: b\r\nContent-Length: 5,6", mismatch},
        {"a list with a hole", "HTTP/1.1 200 OK\r\nContent-Length: 5,",
         "bad: header line 1 holds a Content-Length that is not a whole number below 2^63"},
        {"an empty length", "HTTP/1.1 200 OK\r\nContent-Length:",
         "bad: header line 1 holds a Content-Length that is not a whole number below 2^63"},
        {"both", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked",
         "bad: the head has both Content-Length and Transfer-Encoding"},
        {"chunked in 1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked",
         "bad: the head has a Transfer-Encoding, which HTTP/1.0 does not know"},
        {"204", "HTTP/1.1 204 No Content", "204 'No Content' 1.1 none keep"},
        {"204 with a length of 0", "HTTP/1.1 204 x\r\nContent-Length: 0", "204 'x' 1.1 none keep"},
        {"204 with a length", "HTTP/1.1 204 x\r\nContent-Length: 5", "204 'x' 1.1 none close"},
        {"204 chunked", "HTTP/1.1 204 x\r\nTransfer-Encoding: chunked", "204 'x' 1.1 none close"},
        {"304 with a length", "HTTP/1.1 304 x\r\nContent-Length: 5", "304 'x' 1.1 none keep"},
        {"interim", "HTTP/1.1 100 Continue", "100 'Continue' 1.1 none keep"},
        {"switching", "HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: websocket", "101 'x' 1.1 none keep upgrade"},
        {"four digits", "HTTP/1.1 2000 OK",
         "bad: the status line does not hold a status of three digits after one blank"},
        {"two digits", "HTTP/1.1 20", "bad: the status line does not hold a status of three digits after one blank"},
        {"two blanks", "HTTP/1.1  200", "bad: the status line does not hold a status of three digits after one blank"},
        {"status 099", "HTTP/1.1 099 x", "bad: the status line holds a status that is not between 100 and 599"},
        {"status 600", "HTTP/1.1 600 x", "bad: the status line holds a status that is not between 100 and 599"},
        {"a NUL in the reason", "HTTP/1.1 200 a\0"sv,
         "bad: the status line holds a bare CR, a NUL or another control character"},
        {"HTTP/2", "HTTP/2 200", "bad: the status line does not begin with HTTP/1.1 or HTTP/1.0"},
        {"not HTTP", "ICY 200 OK", "bad: the status line does not begin with HTTP/1.1 or HTTP/1.0"},
        {"an empty line first", "\r\nHTTP/1.1 200 OK", "bad: the status line does not begin with HTTP/1.1 or HTTP/1.0"},
        {"a folded line", "HTTP/1.1 200 OK\r\na: b\r\n c",
         "bad: header line 2 begins with a blank: folded lines are not accepted, join it with the line before"},
        {"no colon", "HTTP/1.1 200 OK\r\nabc", "bad: header line 1 has no colon"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const std::string got = without_length(response_of(std::string(row.input) + "\r\n\r\n"));
        CHECK(got.substr(0, got.find('|')) == row.want);
    }
    HeadReader reader(HeadLimits{.max_bytes = 20});
    ResponseHead out;
    CHECK(reader.read_response("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "GET", out) == HeadStatus::malformed);
    CHECK(reader.error().code == Code::upstream_malformed);
    CHECK(reader.error().source == Source::upstream);
}

TEST_CASE("an answer to HEAD has no body and says how long it would be") {
    CHECK(without_length(response_of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD")) ==
          "200 'OK' 1.1 none keep|Content-Length=5");
    CHECK(without_length(response_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HEAD")) ==
          "200 'OK' 1.1 none keep|Transfer-Encoding=chunked");
    CHECK(without_length(response_of("HTTP/1.1 200 OK\r\n\r\n", "HEAD")) == "200 'OK' 1.1 none keep");
    HeadReader reader;
    ResponseHead out;
    REQUIRE(reader.read_response("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD", out) == HeadStatus::complete);
    CHECK(out.content_length == 5);
}

TEST_CASE("fields are found by name in any case, first one first") {
    HeadReader reader;
    RequestHead out;
    const std::string head = "GET / HTTP/1.0\r\nAccept: a\r\naCCEPT: b\r\nAccess: c\r\nX: \r\n\r\n";
    REQUIRE(reader.read_request(head, out) == HeadStatus::complete);
    const Fields& fields = out.fields;
    CHECK(fields.size() == 4);
    CHECK(fields.value("ACCEPT") == "a");
    CHECK(fields.count("accept") == 2);
    CHECK(fields.value("access") == "c");
    CHECK(fields.find("accep") == nullptr);
    CHECK(fields.find("") == nullptr);
    CHECK(fields.value("y", "none") == "none");
    CHECK(fields.value("x", "none") == "");
    CHECK(fields.find("accept")->value.data() == head.data() + head.find("a\r\n"));  // a view, no copy
    const RequestHead copy = out;
    CHECK(copy.fields[3].name == "X");
}

TEST_CASE("known fields are told by their names, exactly and in any case, and found at once") {
    const struct {
        std::string_view name;
        KnownField field;
    } names[] = {
#define OAI_FIELD(id, name) {name, KnownField::id},
#include "http/known_fields.def"
    };
    CHECK(std::size(names) == kKnownFields);
    for (const auto& [name, field] : names) {
        CAPTURE(name);
        CHECK(known_field(name) == field);
        CHECK(known_field(oai::core::to_upper(name)) == field);
        CHECK(known_field(std::string(name) + "s") != field);
        CHECK(known_field(name.substr(1)) != field);
        // Any other byte than the same letter makes another name; setting bit 5 alone would take a CR for a dash.
        for (std::size_t at = 0; at < name.size(); ++at) {
            for (int byte = 0; byte < 256; ++byte) {
                std::string other(name);
                other[at] = static_cast<char>(byte);
                CHECK((known_field(other) == field) == (oai::core::to_lower(other) == name));
            }
        }
    }
    CHECK(known_field("") == KnownField::other);

    HeadReader reader;
    RequestHead out;
    const std::string head = "GET / HTTP/1.0\r\nx: y\r\nAccept: a\r\nte:\r\nACCEPT: b\r\n\r\n";
    REQUIRE(reader.read_request(head, out) == HeadStatus::complete);
    CHECK(out.fields.value(KnownField::accept) == "a");
    CHECK(out.fields.find(KnownField::accept) == &out.fields[1]);
    CHECK(out.fields.has(KnownField::te));
    CHECK(out.fields.find(KnownField::cookie) == nullptr);
    CHECK(out.fields.value(KnownField::cookie) == "");
    const FieldSet some = FieldSet{KnownField::te} | FieldSet{KnownField::other};
    CHECK(some.has(KnownField::te));
    CHECK(some.has(out.fields[0].known));
    CHECK_FALSE(some.has(KnownField::accept));
    REQUIRE(reader.read_request("GET / HTTP/1.0\r\n\r\n", out) == HeadStatus::complete);
    CHECK_FALSE(out.fields.has(KnownField::accept));
}

TEST_CASE("lines are there as they came, one behind the other") {
    HeadReader reader;
    RequestHead out;
    const std::string lines = "a:b\r\nLonger-Name: \tvalue with:colon \t\r\nHost:h\r\nx-empty: \r\n";
    const std::string head = "GET / HTTP/1.1\r\n" + lines + "\r\nbody";
    REQUIRE(reader.read_request(head, out) == HeadStatus::complete);
    std::string joined;
    for (const Field& field : out.fields) joined += field.line();
    CHECK(joined == lines);
    CHECK(out.fields[1].value == "value with:colon");
}

TEST_CASE("hop-by-hop fields are known, and Connection can name more") {
    for (const char* name : {"Connection", "keep-alive", "PROXY-CONNECTION", "te", "Trailer", "transfer-encoding",
                             "Upgrade", "proxy-authorization", "Proxy-Authenticate", "http2-settings"}) {
        CAPTURE(name);
        CHECK(kHopByHop.has(known_field(name)));
    }
    for (const char* name : {"", "content-length", "host", "authorization", "accept", "tes", "x-upgrade", "etag"}) {
        CAPTURE(name);
        CHECK_FALSE(kHopByHop.has(known_field(name)));
    }
    CHECK(list_has("a, B ,c", "b"));
    CHECK_FALSE(list_has("a, b c", "b"));
    CHECK_FALSE(list_has("", "b"));
    CHECK_FALSE(list_has(",", ""));

    HeadReader reader;
    RequestHead out;
    REQUIRE(reader.read_request("GET / HTTP/1.0\r\nConnection: x-a\r\nX-B: x-c\r\nconnection: close , X-D\r\n\r\n",
                                out) == HeadStatus::complete);
    CHECK(connection_lists(out.fields, "X-A"));
    CHECK(connection_lists(out.fields, "x-d"));
    CHECK_FALSE(connection_lists(out.fields, "x-c"));
    CHECK_FALSE(connection_lists(out.fields, "x-"));
    CHECK(out.lists_fields);
    REQUIRE(reader.read_request("GET / HTTP/1.0\r\nConnection: Close, ,Keep-Alive,upgrade\r\n\r\n", out) ==
            HeadStatus::complete);
    CHECK_FALSE(out.lists_fields);
}

TEST_CASE("no mutation crashes the reader, and how it arrives changes nothing") {
    const std::string requests[] = {
        "POST /v1/responses?a=b HTTP/1.1\r\nHost: api.example.com\r\nContent-Length: 12\r\nConnection: "
        "keep-alive\r\n\r\nhello",
        "GET http://h:80/x HTTP/1.1\r\nHost: h:80\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\nA: "
        "b\r\n\r\n"};
    const std::string answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\nConnection: close\r\nX: y\r\n\r\nhello",
        "HTTP/1.0 404 Not Found\r\nTransfer-Encoding: chunked\r\nX-Long: 0123456789abcdef\t\r\n\r\n"};
    oai::http::test::Random random(20260212);
    for (int round = 0; round < 4000; ++round) {
        const bool asks = round % 2 == 0;
        const std::string input = mutate((asks ? requests : answers)[random.below(2)], random);
        const auto pieces = random_pieces(input, random);
        const HeadLimits limits{.max_bytes = 60 + random.below(200), .max_fields = 1 + random.below(8)};
        CAPTURE(input);
        if (asks) {
            CHECK(request(pieces, limits) == request({input}, limits));
        } else {
            CHECK(response(pieces) == response({input}));
        }
    }
}
