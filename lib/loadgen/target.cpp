#include "loadgen/target.hpp"

#include <algorithm>
#include <utility>

namespace oai::loadgen {

using core::Code;
using core::Error;
using core::Result;

Result<Target> make_target(const std::string& base_url, std::string api_key,
                           std::shared_ptr<const net::TlsClientContext> tls) {
    Result<http::Url> url = http::parse_url(base_url);
    if (!url) return std::move(url.error());
    // The endpoints bring their own /v1.
    if (url->base_path.ends_with("/v1")) url->base_path.erase(url->base_path.size() - 3);
    const bool unusable = std::any_of(api_key.begin(), api_key.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte <= 0x20 || byte >= 0x7f;
    });
    if (unusable)
        return Error{.code = Code::invalid_argument,
                     .detail = "the API key holds a blank or a character that cannot stand in a header"};
    return Target{.place = http::Target(std::move(*url), std::move(tls)), .api_key = std::move(api_key)};
}

std::string request_bytes(const ArrivalStream& stream, const Target& target, const std::string& user_agent) {
    const std::string body = request_body(stream);
    std::string text = "POST " + target.place.url.base_path + stream.endpoint + " HTTP/1.1\r\n";
    text += "host: " + target.place.authority + "\r\n";
    text += "user-agent: " + user_agent + "\r\n";
    if (!target.api_key.empty()) text += "authorization: Bearer " + target.api_key + "\r\n";
    text += std::string("accept: ") + (stream.stream ? "text/event-stream" : "application/json") + "\r\n";
    text += "accept-encoding: identity\r\n";
    text += "content-type: application/json\r\n";
    text += "content-length: " + std::to_string(body.size()) + "\r\n\r\n";
    return text + body;
}

std::string presentable(std::string_view text, std::string_view api_key) {
    constexpr std::size_t kMostBytes = 200;
    std::string shown(text);
    if (!api_key.empty()) {
        for (std::size_t at = 0; (at = shown.find(api_key, at)) != std::string::npos; at += 3)
            shown.replace(at, api_key.size(), "***");
    }
    for (char& c : shown) {
        if (static_cast<unsigned char>(c) < 0x20) c = ' ';
    }
    if (shown.size() > kMostBytes) {
        std::size_t cut = kMostBytes;
        while (cut != 0 && (static_cast<unsigned char>(shown[cut]) & 0xC0) == 0x80) --cut;  // not within a character
        shown.erase(cut);
        shown += "...";
    }
    return shown;
}

}  // namespace oai::loadgen
