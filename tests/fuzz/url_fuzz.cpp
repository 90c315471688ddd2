// URLs, paths, percent escapes and query parameters, each against a plain reading.

#include "fuzz/fuzz.hpp"
#include "fuzz/text.hpp"
#include "http/url.hpp"

using namespace oai;
using namespace oai::fuzz;

namespace {

/// False when an escape is wrong; `hidden` tells whether one hides a control character.
bool plainly_decoded(std::string_view text, std::string& out, bool& hidden) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        const std::string digits(text.substr(i + 1, 2));
        if (digits.size() != 2 || !all_hex(digits)) return false;
        out += static_cast<char>(std::stoi(digits, nullptr, 16));
        hidden = hidden || holds_control(out.substr(out.size() - 1));
        i += 2;
    }
    return true;
}

bool plainly_plain(std::string_view path) {
    if (path.substr(0, 1) != "/") return false;
    for (const char c : path) {
        if (c < 0x21 || c > 0x7E || std::string_view("\"#<>\\`?").find(c) != std::string_view::npos) return false;
    }
    const std::vector<std::string> segments = split(path.substr(1), "/");
    for (std::size_t i = 0; i < segments.size(); ++i) {
        if (segments[i].empty() && i + 1 != segments.size()) return false;
        std::string escapes;
        for (std::size_t at = segments[i].find('%'); at != std::string::npos; at = segments[i].find('%', at + 1))
            escapes += segments[i].substr(at, 3);
        std::string decoded, escaped;
        bool hidden = false;
        if (!plainly_decoded(segments[i], decoded, hidden) || hidden) return false;
        if (!plainly_decoded(escapes, escaped, hidden) || escaped.find_first_of("/\\%\t") != std::string::npos)
            return false;
        const std::string name = decoded.substr(0, decoded.find(';'));
        if (name == "." || name == "..") return false;
    }
    return true;
}

void check_url(std::string_view text) {
    const core::Result<http::Url> url = http::parse_url(text);
    if (!url) {
        require(!url.error().detail.empty(), "a refusal says why");
        return;
    }
    require(url->scheme == "http" || url->scheme == "https", "a scheme is one of two");
    require(!url->host.empty() && url->host == lower(url->host), "a host is there, in lower case");
    require(all_of(url->host, "abcdefghijklmnopqrstuvwxyz0123456789-._:"), "a host holds no structure");
    require(url->port != 0, "a port is one");
    require(url->base_path.empty() || (plainly_plain(url->base_path) && url->base_path.back() != '/'),
            "a base path is plain");
    if (all_of(url->host, "0123456789.")) {
        const std::vector<std::string> parts = split(url->host, ".");
        require(parts.size() == 4, "a number is an address of four parts");
        for (const std::string& part : parts)
            require(part.size() <= 3 && std::stoi(part) <= 255 && (part.size() == 1 || part[0] != '0'),
                    "each part of an address is a byte");
    }
    const core::Result<http::Url> again = http::parse_url(url->text());
    require(again.has_value(), "the short form of a URL is one");
    require(again->text() == url->text() && again->host == url->host && again->port == url->port &&
                again->base_path == url->base_path && again->scheme == url->scheme,
            "the short form of a URL means the same");
}

void check_query(std::string_view query) {
    const std::string_view name = "model";
    std::vector<std::string> values;
    bool wrong = false;
    for (const std::string& pair : split(query, "&")) {
        std::string blanks = pair;
        for (char& c : blanks) {
            if (c == '+') c = ' ';
        }
        const std::size_t equals = std::min(blanks.find('='), blanks.size());
        std::string key, value;
        bool hidden = false;
        wrong = wrong || !plainly_decoded(blanks.substr(0, equals), key, hidden) || hidden;
        if (key != name) continue;
        wrong = wrong || !plainly_decoded(equals == blanks.size() ? "" : blanks.substr(equals + 1), value, hidden) ||
                hidden;
        values.push_back(value);
    }
    wrong = wrong || values.size() > 1;
    const core::Result<std::optional<std::string>> got = http::query_parameter(query, name);
    require(got.has_value() == !wrong, "a query is refused when it plainly is wrong");
    if (!got) return;
    require(got->has_value() == !values.empty(), "a parameter is there or not");
    if (*got) require_same(**got, values[0], "a parameter has its value");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(data, size);
    const std::uint8_t what = input.byte();
    const Block block(input.rest());
    const std::string_view text = block.view();
    switch (what % 4) {
        case 0: check_url(text); break;
        case 1: require(http::is_plain_path(text) == plainly_plain(text), "a path is plain when it plainly is"); break;
        case 2: {
            std::string want;
            bool hidden = false;
            const bool good = plainly_decoded(text, want, hidden) && !hidden;
            const core::Result<std::string> got = http::percent_decode(text);
            require(got.has_value() == good, "escapes are refused when they plainly are wrong");
            if (got) require_same(*got, want, "escapes are decoded");
            break;
        }
        default: check_query(text); break;
    }
    return 0;
}
