#include "json/writer.hpp"
#include "mock/call.hpp"

// POST /oauth/token: the refresh-token grant (RFC 6749, section 6), its errors in the shape of section 5.2.

namespace oai::mock {
namespace {

Verdict refuse_grant(Call& call, std::string_view error, std::string_view description) {
    call.status = 400;
    json::Writer out;
    out.begin_object().member("error", error).member("error_description", description).end_object();
    call.out += out.text();
    return {};
}

/// A form as RFC 6749 says, or JSON as some clients send.
std::string field(const Call& call, std::string_view name) {
    if (!call.body.starts_with('{')) return query_value(call.body, name);
    const core::Result<Members> members = Members::parse(call.body);
    return members ? members->text(name) : std::string{};
}

}  // namespace

Verdict refresh_token(Call& call) {
    if (field(call, "grant_type") != "refresh_token")
        return refuse_grant(call, "unsupported_grant_type", "Only refresh_token is supported.");
    const OAuthRules& rules = call.behaviour.oauth;
    const std::optional<Tokens::Issued> issued =
        call.shared.tokens.refresh(field(call, "refresh_token"), rules, call.new_id({}), call.now);
    if (!issued) return refuse_grant(call, "invalid_grant", "The refresh token is not, or no longer, good.");
    json::Writer out;
    out.begin_object().member("access_token", issued->access).member("refresh_token", issued->refresh);
    out.member("token_type", "Bearer").member("expires_in", rules.expires_in.count()).end_object();
    call.out += out.text();
    return {};
}

}  // namespace oai::mock
