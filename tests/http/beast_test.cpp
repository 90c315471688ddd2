// Our head reader against another that was written by others: Boost.Beast's parser reads the same bytes. Where both
// take a head, they must read the same in it; where only one takes it, the reason must be one of those written down
// here.

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <doctest/doctest.h>

#include "core/units.hpp"
#include "http/head.hpp"
#include "http/splits.hpp"

using namespace oai::http;
using namespace std::literals;

namespace {

namespace beast = boost::beast;

/// What a reader made of a head. `complaint` is empty when it took it.
struct Reading {
    std::string complaint;
    std::string start;
    std::string framing;
    std::vector<std::string> fields;
    bool keep_alive = false;
};

std::string request_text(std::string_view method, std::string_view target, int minor_version) {
    return std::string(method).append(" ").append(target).append(minor_version == 1 ? " 1.1" : " 1.0");
}

std::string response_text(int status, std::string_view reason, int minor_version) {
    return std::to_string(status).append(" ").append(reason).append(minor_version == 1 ? " 1.1" : " 1.0");
}

std::string field_text(std::string_view name, std::string_view value) {
    return std::string(name).append("=").append(value);
}

template <bool asks>
class BeastReader : public beast::http::basic_parser<asks> {
public:
    BeastReader() {
        this->body_limit(boost::none);
        this->header_limit(1 << 20);
    }

    Reading read(std::string_view text) {
        beast::error_code ec;
        this->put(boost::asio::buffer(text), ec);
        if (ec && ec != beast::http::error::need_buffer) {
            reading.complaint = ec.message();
        } else if (!this->is_header_done()) {
            reading.complaint = "incomplete";
        }
        if (!reading.complaint.empty()) return reading;
        reading.keep_alive = this->keep_alive();
        if (this->chunked()) {
            reading.framing = "chunked";
        } else if (const auto length = this->content_length()) {
            reading.framing = std::to_string(*length);
        }
        return reading;
    }

private:
    using string_view = beast::string_view;
    static std::string_view std_view(string_view text) { return {text.data(), text.size()}; }

    void on_request_impl(beast::http::verb, string_view method, string_view target, int version,
                         beast::error_code&) override {
        reading.start = request_text(std_view(method), std_view(target), version - 10);
    }
    void on_response_impl(int status, string_view reason, int version, beast::error_code&) override {
        reading.start = response_text(status, std_view(reason), version - 10);
    }
    void on_field_impl(beast::http::field, string_view name, string_view value, beast::error_code&) override {
        reading.fields.push_back(field_text(std_view(name), std_view(value)));
    }
    void on_header_impl(beast::error_code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, beast::error_code&) override {}
    std::size_t on_body_impl(string_view body, beast::error_code&) override { return body.size(); }
    void on_chunk_header_impl(std::uint64_t, string_view, beast::error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, string_view body, beast::error_code&) override { return body.size(); }
    void on_finish_impl(beast::error_code&) override {}

    Reading reading;
};

Reading read_ours(bool asks, std::string_view text) {
    HeadReader reader;
    RequestHead request;
    ResponseHead response;
    const HeadStatus status = asks ? reader.read_request(text, request) : reader.read_response(text, "GET", response);
    Reading reading;
    if (status != HeadStatus::complete) {
        reading.complaint = status == HeadStatus::incomplete ? "incomplete" : reader.error().detail;
        return reading;
    }
    const Head& head = asks ? static_cast<const Head&>(request) : response;
    reading.start = asks ? request_text(request.method, request.target, head.minor_version)
                         : response_text(response.status, response.reason, head.minor_version);
    for (const Field& field : head.fields) reading.fields.push_back(field_text(field.name, field.value));
    if (head.fields.has(KnownField::transfer_encoding)) {
        reading.framing = "chunked";
    } else if (head.fields.has(KnownField::content_length)) {
        reading.framing = std::to_string(head.content_length);
    }
    reading.keep_alive = head.keep_alive;
    return reading;
}

Reading read_beast(bool asks, std::string_view text) {
    return asks ? BeastReader<true>().read(text) : BeastReader<false>().read(text);
}

bool always(std::string_view) {
    return true;
}

/// A reason why one reader takes what the other refuses.
struct Reason {
    std::string_view complaint;  ///< a part of the refusing one's words
    std::string_view why;
    bool (*holds)(std::string_view head) = always;
    int seen = 0;
};

/// What Beast takes and we refuse: RFC 9112 allows or asks to refuse each.
std::vector<Reason> our_strictness() {
    return {
        {"folded lines are not accepted", "RFC 9112 5.2: refuse obs-fold"},
        {"is a second Host", "RFC 9112 3.2: refuse more than one"},
        {"has no Host", "RFC 9112 3.2: refuse HTTP/1.1 without"},
        {"holds a Host that is not", "RFC 9112 3.2: refuse an invalid value"},
        {"holds a Host that differs", "two names for one request: nothing honest sends them"},
        {"must be percent-encoded", "RFC 9112 3.2: refuse an invalid target"},
        {"only OPTIONS may have", "RFC 9112 3.2.4"},
        {"is a CONNECT", "no proxy"},
        {"does not begin with / or http://", "RFC 9112 3.2: the forms of a target"},
        {"has an absolute target whose host", "RFC 9112 3.2.2"},
        {"is a second Content-Length", "RFC 9112 6.3: one framing only"},
        {"is not a whole number below 2^63", "sums with it must not overflow in anybody's signed type"},
        {"is not just chunked", "a coding that is not undone here hides where the body ends"},
        {"HTTP/1.0 does not know", "RFC 9112 6.1: framing in doubt"},
        {"not between 100 and 599", "RFC 9110 15: there is no such class"},
    };
}

/// What we take and Beast refuses.
std::vector<Reason> our_leniency() {
    return {
        {"bad method", "RFC 9112 2.2: an empty line before a request line is to be ignored",
         [](std::string_view head) { return head.starts_with("\r\n"); }},
        {"bad status", "servers leave out the blank behind the status together with the reason",
         [](std::string_view head) { return head.substr(12, 2) == "\r\n"; }},
        {"bad value", "a Connection that is no list of tokens: what it lists is no field of this head",
         [](std::string_view head) { return oai::core::to_lower(head).find("\nconnection:") != std::string::npos; }},
    };
}

void count(std::vector<Reason>& reasons, const std::string& complaint, std::string_view head) {
    const auto found = std::find_if(reasons.begin(), reasons.end(), [&](const Reason& reason) {
        return complaint.find(reason.complaint) != std::string::npos && reason.holds(head);
    });
    CHECK_MESSAGE(found != reasons.end(), "one reader refuses without a reason that is written down: ", complaint);
    if (found != reasons.end()) ++found->seen;
}

/// The beginnings of a round: fields are drawn from kFields, then bytes are changed.
constexpr std::string_view kRequestLines[] = {
    "POST /v1/chat/completions HTTP/1.1",
    "GET /v1/models?limit=2 HTTP/1.1",
    "GET http://h:80/x HTTP/1.1",
    "OPTIONS * HTTP/1.1",
    "DELETE /v1/files/a HTTP/1.0",
    "M-SEARCH /[a] HTTP/1.1",
    "CONNECT h:443 HTTP/1.1",
    "GET * HTTP/1.1",
    "GET /\xC3\xA4 HTTP/1.1",
    "GET http://u@h/ HTTP/1.1",
};
constexpr std::string_view kStatusLines[] = {
    "HTTP/1.1 200 OK",      "HTTP/1.1 404 Not Found", "HTTP/1.0 503 Service Unavailable",
    "HTTP/1.1 204 ",        "HTTP/1.1 200",           "HTTP/1.1 304 Not Modified",
    "HTTP/1.1 700 Strange",
};
constexpr std::string_view kFields[] = {
    "Host: h:80",
    "host: [::1]:80",
    "Host: u@h",
    "Content-Length: 12",
    "content-length:0",
    "Content-Length: 12, 12",
    "Content-Length: 9223372036854775808",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: gzip, chunked",
    "Connection: keep-alive",
    "Connection: close, X-A",
    "Connection: a b",
    "Upgrade: websocket",
    "Expect: 100-continue",
    "Content-Type: application/json; charset=utf-8",
    "Authorization: Bearer sk-0123456789abcdef0123456789abcdef0123456789abcdef",
    "User-Agent:\tOpenAI/Python 1.51.0 \t ",
    "X-Stainless-Runtime-Version: 3.11.2",
    "Date: Thu, 12 Feb 2026 09:00:00 GMT",
    "Accept: */*\r\n folded",
    "X-Empty:",
    "a: \xC3\xA4 b\tc",
    "!#$%&'*+-.^_`|~09azAZ: x",
};

std::string made_head(bool asks, oai::http::test::Random& random) {
    std::string text(asks ? kRequestLines[random.below(std::size(kRequestLines))]
                          : kStatusLines[random.below(std::size(kStatusLines))]);
    text += "\r\n";
    if (asks && random.below(8) != 0) text += "Host: h:80\r\n";
    for (std::size_t fields = random.below(7); fields > 0; --fields)
        text.append(kFields[random.below(std::size(kFields))]).append("\r\n");
    return text + "\r\nhello";
}

}  // namespace

TEST_CASE("what Beast's parser and ours both take, they read alike; what only one takes has a reason") {
    std::vector<Reason> strictness = our_strictness(), leniency = our_leniency();
    oai::http::test::Random random(20260213);
    int both_took = 0;
    for (int round = 0; round < 40'000; ++round) {
        const bool asks = random.below(2) == 0;
        std::string text = made_head(asks, random);
        if (random.below(3) != 0) text = oai::http::test::mutate(text, random);
        if (asks && random.below(50) == 0) text.insert(0, "\r\n");
        CAPTURE(text);
        const Reading ours = read_ours(asks, text);
        const Reading theirs = read_beast(asks, text);
        if (ours.complaint.empty() && theirs.complaint.empty()) {
            ++both_took;
            CHECK(ours.start == theirs.start);
            CHECK(ours.fields == theirs.fields);
            CHECK(ours.framing == theirs.framing);
            CHECK((theirs.keep_alive || !ours.keep_alive));  // we close in more cases, never in fewer
        } else if (ours.complaint.empty()) {
            count(leniency, theirs.complaint, text);
        } else if (theirs.complaint.empty()) {
            count(strictness, ours.complaint, text);
        }
    }
    CHECK(both_took > 5000);
    for (const auto* reasons : {&strictness, &leniency}) {
        for (const Reason& reason : *reasons) {
            CAPTURE(reason.complaint);
            CHECK_MESSAGE(reason.seen > 0, "a reason that is never needed is none: ", reason.why);
        }
    }
}
