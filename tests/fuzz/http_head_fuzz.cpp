// Heads of requests and responses: however they arrive, and against a plain look at the lines of a head that was taken.

#include <optional>

#include "fuzz/fuzz.hpp"
#include "fuzz/text.hpp"
#include "http/head.hpp"

using namespace oai;
using namespace oai::fuzz;
using http::BodyFraming;
using http::HeadStatus;

namespace {

struct Settings {
    bool response = false;
    std::string_view method = "GET";  ///< that the response answers
    http::HeadLimits limits;
};

template <class H>
HeadStatus read_some(http::HeadReader& reader, std::string_view text, const Settings& settings, H& head) {
    if constexpr (std::is_same_v<H, http::ResponseHead>) {
        return reader.read_response(text, settings.method, head);
    } else {
        static_cast<void>(settings);
        return reader.read_request(text, head);
    }
}

std::string show(const http::Head& head) {
    std::string out = std::to_string(head.minor_version) + " body " + std::to_string(static_cast<int>(head.body)) +
                      " " + std::to_string(head.content_length) + (head.keep_alive ? " keep" : " close") +
                      (head.upgrade ? " upgrade" : "") + "\n";
    for (const http::Field& field : head.fields) out.append(field.name).append("=").append(field.value).append("\n");
    return out;
}

std::string show_start(const http::RequestHead& head) {
    return std::string(head.method) + " " + std::string(head.path) + "?" + std::string(head.query) + " @" +
           std::string(head.host) + (head.expect_continue ? " expects " : " ");
}

std::string show_start(const http::ResponseHead& head) {
    return std::to_string(head.status) + " " + std::string(head.reason) + " ";
}

/// Everything that must hold of a head that was taken, from its own text.
void check_lines(std::string_view text, const http::Head& head) {
    require(text.substr(text.size() - 4) == "\r\n\r\n", "a head ends with an empty line");
    std::vector<std::string> lines = split(text.substr(0, text.size() - 4), "\r\n");
    while (!lines.empty() && lines[0].empty()) lines.erase(lines.begin());
    require(lines.size() == head.fields.size() + 1, "each line is one field");
    std::vector<std::string> lengths, encodings, connection;
    for (std::size_t i = 0; i < head.fields.size(); ++i) {
        const std::string& line = lines[i + 1];
        const std::size_t colon = line.find(':');
        require(colon != std::string::npos && is_token(line.substr(0, colon)), "a field's name is a token");
        require(!holds_control(line), "no control character is in a field");
        require(head.fields[i].name == line.substr(0, colon), "a field has its line's name");
        require(head.fields[i].value == trimmed(line.substr(colon + 1)), "a field has its line's value");
        const std::string name = lower(line.substr(0, colon)), value = lower(trimmed(line.substr(colon + 1)));
        if (name == "content-length") lengths.push_back(value);
        if (name == "transfer-encoding") encodings.push_back(value);
        if (name == "connection") {
            for (std::string& member : members(value)) connection.push_back(std::move(member));
        }
    }
    require(encodings.empty() || encodings == std::vector<std::string>{"chunked"}, "chunked is the only coding");
    require(encodings.empty() || (lengths.empty() && head.minor_version == 1), "a body has one framing");
    if (!lengths.empty()) {
        for (const std::string& digits : split(lengths[0], ","))
            require(trimmed(digits) != "" && all_of(trimmed(digits), kDigits) &&
                        std::stoull(trimmed(digits)) == head.content_length && head.content_length >> 63 == 0,
                    "the content length is the field's");
    }
    if (holds(connection, "close")) require(!head.keep_alive, "close is heard");
    if (head.minor_version == 0 && !holds(connection, "keep-alive"))
        require(!head.keep_alive, "HTTP/1.0 closes unless asked otherwise");
}

void check(std::string_view text, const http::RequestHead& head) {
    check_lines(text, head);
    const bool chunked = head.fields.find("transfer-encoding") != nullptr;
    const bool length = head.fields.find("content-length") != nullptr;
    require(head.body == (chunked  ? BodyFraming::chunked
                          : length ? BodyFraming::length
                                   : BodyFraming::none),
            "a request's framing follows from its fields");
    require(head.fields.count("content-length") <= 1, "a request has one content length");
    require(head.fields.count("host") == 1 || (head.minor_version == 0 && head.fields.count("host") == 0),
            "HTTP/1.1 has one host");
    require(is_token(head.method), "a method is a token");
    require(head.path == "*" || head.path.substr(0, 1) == "/", "a path begins with a slash");
    require(head.target.find(' ') == std::string_view::npos && !holds_control(head.target), "a target is one word");
}

void check(std::string_view text, const http::ResponseHead& head) {
    check_lines(text, head);
    require(head.status >= 100 && head.status <= 599, "a status is one");
    const bool chunked = head.fields.find("transfer-encoding") != nullptr;
    const bool length = head.fields.find("content-length") != nullptr;
    if (head.status < 200 || head.status == 204 || head.status == 304) {
        require(head.body == BodyFraming::none, "some answers have no body");
    } else if (head.body != BodyFraming::none) {
        require(head.body == (chunked  ? BodyFraming::chunked
                              : length ? BodyFraming::length
                                       : BodyFraming::until_close),
                "an answer's framing follows from its fields");
    }
    if (head.body == BodyFraming::until_close) require(!head.keep_alive, "until close means close");
}

template <class H>
std::string read_whole(std::string_view input, const Settings& settings) {
    const Block block(input);
    http::HeadReader reader(settings.limits);
    H head;
    const HeadStatus status = read_some(reader, block.view(), settings, head);
    if (status == HeadStatus::incomplete) return "incomplete";
    if (status == HeadStatus::malformed) return reader.error().detail;
    require(reader.consumed() <= input.size() && reader.consumed() <= settings.limits.max_bytes, "a head has its size");
    for (const http::Field& field : head.fields)
        require(lies_in(field.name, block.view()) && lies_in(field.value, block.view()), "views lie in the input");
    check(block.view().substr(0, reader.consumed()), head);
    return show_start(head) + show(head) + std::to_string(reader.consumed());
}

/// Grows in one place; from time to time it moves, as a buffer does.
template <class H>
std::string read_growing(std::string_view input, const Settings& settings, std::uint8_t seed) {
    http::HeadReader reader(settings.limits);
    H head;
    std::optional<Block> block(std::in_place, input);
    std::size_t size = 0, count = 0;
    for (const std::string_view piece : pieces_of(input, seed)) {
        size += piece.size();
        if (++count % 5 == 0) {
            Block moved(input);
            block.emplace(std::move(moved));
        }
        const HeadStatus status = read_some(reader, block->view().substr(0, size), settings, head);
        if (status == HeadStatus::malformed) return reader.error().detail;
        if (status == HeadStatus::complete) return show_start(head) + show(head) + std::to_string(reader.consumed());
    }
    return "incomplete";
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(data, size);
    const std::uint8_t bits = input.byte();
    const std::uint8_t seed = input.byte();
    Settings settings{.response = (bits & 1) != 0, .method = (bits & 2) != 0 ? "HEAD" : "GET", .limits = {}};
    if ((bits & 4) != 0) settings.limits = {.max_bytes = 64, .max_fields = 3};
    if (input.rest().empty()) return 0;
    if (settings.response) {
        require_same(read_growing<http::ResponseHead>(input.rest(), settings, seed),
                     read_whole<http::ResponseHead>(input.rest(), settings), "how a head arrives changes nothing");
    } else {
        require_same(read_growing<http::RequestHead>(input.rest(), settings, seed),
                     read_whole<http::RequestHead>(input.rest(), settings), "how a head arrives changes nothing");
    }
    return 0;
}
