#include "rollout/ops_client.hpp"

#include <optional>
#include <utility>

#include "core/units.hpp"

namespace oai::rollout {
namespace {

using core::Code;
using core::Error;
using core::Result;
using json::Value;

Error answered(Code code, std::string detail) {
    return Error{.code = code, .source = core::Source::upstream, .detail = std::move(detail)};
}

bool is_html(const http::ClientResponse& response) {
    const std::string_view body = core::trim(response.body);
    return core::to_lower(response.header("content-type")).starts_with("text/html") || body.starts_with('<');
}

std::string advice(int status) {
    switch (status) {
        case 401: return "; check --admin-token (or OAIGUARD_ADMIN_TOKEN)";
        case 403: return "; the token must be an administrator's";
        case 404: return "; is --base-url the gateway's address, and is its ops monitoring on?";
        case 423: return "; an administrator must first accept the server's compliance notice";
        case 429: return "; the server limits its admin API, try again later";
        default: return {};
    }
}

Error refused(const http::ClientResponse& response) {
    const int status = response.status;
    std::string detail = "answered " + std::to_string(status);
    if (status == 401) detail += ": the admin token was refused";
    if (status >= 300 && status < 400) {
        detail += ": it redirects to " + excerpt(response.header("location"));
    } else if (is_html(response)) {
        detail += " with an HTML page";
    } else if (!core::trim(response.body).empty()) {
        detail += ": " + excerpt(core::trim(response.body));
    }
    const Code code = status == 404 ? Code::not_found : status == 401 ? Code::unauthorized : Code::upstream_error;
    return answered(code, detail + advice(status));
}

/// What a failed exchange looks like to the person who runs the check.
std::string failure(const Error& error, const OpsServer& server) {
    const std::string limit = core::format_duration(server.timeout);
    switch (error.code) {
        case Code::upstream_timeout:
            return "gave no whole answer within " + limit +
                   ": it hangs or is overloaded (--timeout sets how long to wait)";
        case Code::connect_failed: return error.detail + "; is --base-url right and the gateway running?";
        case Code::tls_failed:
            return error.detail + "; --ca-file names the authority to trust, if it is one of your own";
        case Code::upstream_truncated: return "the answer was cut off: " + error.detail;
        case Code::upstream_malformed: return "answered something that is not HTTP as expected: " + error.detail;
        default: return error.detail;
    }
}

/// fetch() puts the request before its message; here it is put before all of them.
void drop_prefix(std::string& text, std::string_view prefix) {
    if (text.starts_with(prefix)) text.erase(0, prefix.size());
}

void mask(std::string& text, const std::string& token) {
    if (token.empty()) return;
    for (std::size_t at = text.find(token); at != std::string::npos; at = text.find(token, at + 3))
        text.replace(at, token.size(), "***");
}

}  // namespace

std::string excerpt(std::string_view text, std::size_t most) {
    std::string out;
    for (const char c : text.substr(0, most)) {
        const auto byte = static_cast<unsigned char>(c);
        out += byte < 0x20 || byte == 0x7F ? ' ' : c;
    }
    // Not in the middle of a UTF-8 character.
    if (text.size() > most) {
        while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xC0) == 0x80) out.pop_back();
        if (!out.empty() && static_cast<unsigned char>(out.back()) >= 0xC0) out.pop_back();
        out += "...";
    }
    return out;
}

Result<Value> read_envelope(const http::ClientResponse& response) {
    if (response.status != 200) return refused(response);
    if (is_html(response))
        return answered(Code::parse_failed, "answered HTML, not JSON: is --base-url the gateway's address?");
    if (core::trim(response.body).empty()) return answered(Code::parse_failed, "answered 200 with nothing in it");
    Result<Value> document = Value::parse(response.body);
    if (!document)
        return answered(Code::parse_failed,
                        "answered text that is not JSON: " + excerpt(core::trim(response.body), 80));
    const Value* code = document->find("code");
    if (code == nullptr)
        return answered(Code::parse_failed,
                        "answered JSON without \"code\": " + excerpt(core::trim(response.body), 80) +
                            "; is --base-url the gateway's address?");
    if (code->as_int() != 0)
        return answered(Code::upstream_error, "answered an error: " + excerpt(core::trim(response.body)));
    const Value* data = document->find("data");
    if (data == nullptr || !data->is_object())
        return answered(Code::parse_failed,
                        "answered without a \"data\" object: " + excerpt(core::trim(response.body), 80));
    return *data;
}

Result<Value> get_ops(const OpsServer& server, std::string_view target) {
    http::ClientRequest request;
    request.url = server.url;
    request.tls = server.tls;
    request.target = "/api/v1/admin/ops" + std::string(target);
    request.timeout = server.timeout;
    request.headers = {{"accept", "application/json"}, {"accept-encoding", "identity"}, {"user-agent", "oaiguard"}};
    if (!server.token.empty()) request.headers.emplace_back("authorization", "Bearer " + server.token);
    const std::string what = "GET " + server.url.text() + request.target;
    const Result<http::ClientResponse> response = http::fetch_blocking(request);
    Result<Value> data = Error{};
    if (response) {
        data = read_envelope(*response);
    } else {
        Error error = response.error();
        drop_prefix(error.detail, what + ": ");
        error.detail = failure(error, server);
        data = std::move(error);
    }
    if (!data) {
        Error& error = data.error();
        if (error.code == Code::unauthorized && server.token.empty())
            error.detail =
                "answered 401: it needs an admin token and none was given; use --admin-token or "
                "OAIGUARD_ADMIN_TOKEN";
        // "GET http://gw/x answered 500", "GET http://gw/x: cannot connect"
        const bool verb = error.detail.starts_with("answered ") || error.detail.starts_with("gave ");
        error.detail = what + (verb ? " " : ": ") + error.detail;
        mask(error.detail, server.token);
    }
    return data;
}

}  // namespace oai::rollout
