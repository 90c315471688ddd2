#include "upstream/oauth_grant.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include "core/units.hpp"
#include "json/value.hpp"
#include "json/writer.hpp"

namespace oai::upstream {
namespace {

using core::Code;
using core::Error;
using core::Result;

/// When the endpoint names no time (RFC 6749 only recommends it): the usual one. A token that ends earlier is refused
/// with a 401, and then renewed.
constexpr std::int64_t kUsualLife_s = 3600;
constexpr std::int64_t kLongestLife_s = std::int64_t{366} * 24 * 3600;

/// The errors of RFC 6749, section 5.2. Only these are repeated in a message: anything else is the endpoint's own text.
constexpr std::array<std::string_view, 6> kRefusals{"invalid_grant", "invalid_client",      "invalid_request",
                                                    "invalid_scope", "unauthorized_client", "unsupported_grant_type"};

bool is_unreserved(char c) noexcept {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

void add_field(std::string& form, std::string_view name, std::string_view value) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    if (!form.empty()) form += '&';
    form += name;
    form += '=';
    for (const char c : value) {
        if (is_unreserved(c)) {
            form += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            form += '%';
            form += kHex[byte >> 4];
            form += kHex[byte & 15];
        }
    }
}

std::string_view text_of(const json::Value& answer, std::string_view name) {
    const json::Value* value = answer.find(name);
    return value == nullptr ? std::string_view{} : value->as_string().value_or("");
}

/// What a token may be made of (RFC 6749, appendix A, less the blank): it goes into a header as it is.
bool is_token(std::string_view text) noexcept {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7F'; });
}

std::optional<std::chrono::seconds> retry_after(const http::ClientResponse& response) {
    const std::string_view text = response.header("retry-after");
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc{} || end != text.data() + text.size() || seconds < 0) return std::nullopt;
    return std::chrono::seconds{std::min(seconds, std::int64_t{3600})};
}

Error malformed(const std::string& what) {
    return Error{.code = Code::upstream_malformed,
                 .source = core::Source::upstream,
                 .detail = "the token endpoint answered 200 " + what};
}

Error refused(const http::ClientResponse& response) {
    const Result<json::Value> answer = json::Value::parse(response.body);
    const std::string_view error = answer ? text_of(*answer, "error") : std::string_view{};
    const bool final_word = (response.status == 400 || response.status == 401) &&
                            std::find(kRefusals.begin(), kRefusals.end(), error) != kRefusals.end();
    const std::string status = std::to_string(response.status);
    if (final_word)
        return Error{.code = Code::unauthorized,
                     .source = core::Source::upstream,
                     .detail = error == "invalid_grant"
                                   ? "the token endpoint does not take the refresh token any more (invalid_grant); log "
                                     "in again and configure the new one"
                                   : "the token endpoint refuses this client (" + std::string(error) +
                                         "); check its client_id, client_secret and scope"};
    return Error{
        .code = response.status == 429 ? Code::upstream_throttled : Code::upstream_error,
        .source = core::Source::upstream,
        .detail = "the token endpoint answered " + status + (response.status < 429 ? "; is its URL right?" : ""),
        .retry_after = retry_after(response)};
}

core::WallTime time_of(const json::Value& document, std::string_view name) {
    const json::Value* value = document.find(name);
    return core::WallTime(core::microseconds(value == nullptr ? 0 : value->as_int().value_or(0)));
}

std::int64_t to_us(core::WallTime at) {
    return std::chrono::floor<core::microseconds>(at).time_since_epoch().count();
}

}  // namespace

core::nanoseconds renewed_ahead(const TokenSet& tokens) noexcept {
    return std::min<core::nanoseconds>((tokens.expires_at - tokens.issued_at) / 10, std::chrono::minutes{5});
}

bool is_fresh(const TokenSet& tokens, core::WallTime now) noexcept {
    return tokens.expires_at - now > renewed_ahead(tokens);
}

http::ClientRequest refresh_request(const OAuthSettings& settings, std::string_view refresh_token,
                                    core::nanoseconds timeout) {
    http::ClientRequest request;
    request.method = "POST";
    request.url = settings.token_url;
    request.target = settings.token_url.base_path.empty() ? "/" : "";
    request.headers = {{"content-type", "application/x-www-form-urlencoded"}, {"accept", "application/json"}};
    add_field(request.body, "grant_type", "refresh_token");
    add_field(request.body, "refresh_token", refresh_token);
    add_field(request.body, "client_id", settings.client_id);
    if (!settings.client_secret.empty()) add_field(request.body, "client_secret", settings.client_secret);
    if (!settings.scope.empty()) add_field(request.body, "scope", settings.scope);
    request.timeout = timeout;
    request.max_response_bytes = std::size_t{1} << 20;
    return request;
}

Result<TokenSet> read_grant(const http::ClientResponse& response, std::string_view refresh_token,
                            core::WallTime sent_at) {
    if (response.status != 200) return refused(response);
    const Result<json::Value> answer = json::Value::parse(response.body);
    if (!answer || !answer->is_object()) return malformed("with something that is not a JSON object");
    const std::string_view type = text_of(*answer, "token_type");
    if (!type.empty() && !core::equals_ignore_case(type, "bearer"))
        return malformed("with a token that is no bearer token");
    const std::string_view access = text_of(*answer, "access_token");
    if (!is_token(access)) return malformed("without an access token that a header can carry");
    const json::Value* rotated = answer->find("refresh_token");
    const std::string_view next =
        rotated == nullptr || rotated->is_null() ? refresh_token : rotated->as_string().value_or("");
    if (next.empty()) return malformed("with an empty refresh token");
    const json::Value* expires_in = answer->find("expires_in");
    const std::int64_t life_s = expires_in == nullptr ? kUsualLife_s : expires_in->as_int().value_or(kUsualLife_s);
    if (life_s <= 0) return malformed("with a token that has expired already");
    const auto issued_at = core::WallTime(std::chrono::floor<core::microseconds>(sent_at));  // as it can be stored
    return TokenSet{.access_token = std::string(access),
                    .refresh_token = std::string(next),
                    .issued_at = issued_at,
                    .expires_at = issued_at + std::chrono::seconds{std::min(life_s, kLongestLife_s)}};
}

std::string to_json(const TokenSet& tokens) {
    json::Writer writer;
    writer.begin_object()
        .member("access_token", tokens.access_token)
        .member("refresh_token", tokens.refresh_token)
        .member("issued_at_us", to_us(tokens.issued_at))
        .member("expires_at_us", to_us(tokens.expires_at))
        .end_object();
    return writer.take();
}

std::optional<TokenSet> parse_token_set(std::string_view json) {
    const Result<json::Value> document = json::Value::parse(json);
    if (!document) return std::nullopt;
    TokenSet tokens{.access_token = std::string(text_of(*document, "access_token")),
                    .refresh_token = std::string(text_of(*document, "refresh_token")),
                    .issued_at = time_of(*document, "issued_at_us"),
                    .expires_at = time_of(*document, "expires_at_us")};
    if (!is_token(tokens.access_token) || tokens.refresh_token.empty()) return std::nullopt;
    return tokens;
}

}  // namespace oai::upstream
