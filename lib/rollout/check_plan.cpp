#include "rollout/check_plan.hpp"

#include <algorithm>
#include <utility>

#include "config/secret.hpp"
#include "core/units.hpp"
#include "http/url.hpp"
#include "rollout/gateway_source.hpp"
#include "rollout/report_source.hpp"

namespace oai::rollout {
namespace {

using core::Code;
using core::Error;
using core::Result;

Error usage(std::string detail) {
    return Error{.code = Code::invalid_argument, .detail = std::move(detail)};
}

Result<std::optional<int>> read_inconclusive(const std::string& text) {
    if (text.empty()) return std::optional<int>{};
    if (text == "pass") return std::optional{0};
    if (text == "breach") return std::optional{2};
    return usage("--inconclusive must be pass or breach, got \"" + text + "\"");
}

Result<RateScale> read_scale(const std::string& text) {
    if (text.empty()) return RateScale::unknown;
    if (text == "fraction") return RateScale::fraction;
    if (text == "percent") return RateScale::percent;
    return usage("--rates must be fraction or percent, got \"" + text + "\"");
}

/// An empty token is none, as in the script this replaces; the server says whether it wants one.
Result<std::string> read_token(const CheckOptions& options) {
    if (options.admin_token.empty()) return std::string{};
    Result<std::string> token = config::read_secret_option("--admin-token", options.admin_token, options.environment);
    if (!token) return token;
    const bool plain = std::all_of(token->begin(), token->end(), [](char c) { return c > ' ' && c < '\x7f'; });
    if (!plain) return usage("--admin-token: the token holds a blank, a line break or another character no token has");
    return token;
}

Result<OverviewQuery> read_query(const CheckOptions& options) {
    OverviewQuery query{.platform = options.platform,
                        .group_id = options.group_id,
                        .provider = options.provider,
                        .version = options.version,
                        .model = options.model,
                        .start_time = options.start_time,
                        .end_time = options.end_time};
    for (const auto& [flag, text] : {std::pair{"--start-time", &query.start_time}, {"--end-time", &query.end_time}}) {
        if (text->empty()) continue;
        const Result<core::WallTime> at = core::parse_rfc3339(*text);
        if (!at) return usage(std::string(flag) + ": " + at.error().detail);
    }
    if (!query.end_time.empty() && query.start_time.empty())
        return usage("--end-time needs --start-time: without it the server would choose how long the window is");
    if (!query.start_time.empty() && !query.end_time.empty() &&
        *core::parse_rfc3339(query.end_time) <= *core::parse_rfc3339(query.start_time))
        return usage("--end-time must be later than --start-time");
    if (!options.time_range.empty()) {
        if (!query.start_time.empty())
            return usage("--time-range and --start-time exclude each other: give one of them");
        if (!time_range_length(options.time_range))
            return usage("--time-range must be one of 5m 30m 1h 6h 24h 7d 30d, got \"" + options.time_range + "\"");
        query.time_range = options.time_range;
    }
    return query;
}

Result<void> plan_gateway(const CheckOptions& options, CheckPlan& plan) {
    const Result<http::Url> url = http::parse_url(options.base_url);
    if (!url) return usage("--base-url: " + url.error().detail);
    const auto tls = net::TlsClientContext::make({.ca_file = options.ca_file, .verify = !options.insecure});
    if (!tls) return usage("--ca-file: " + tls.error().detail);
    Result<std::string> token = read_token(options);
    if (!token) return token.error();
    const Result<OverviewQuery> query = read_query(options);
    if (!query) return query.error();
    const Result<RateScale> scale = read_scale(options.rates);
    if (!scale) return scale.error();
    if (options.timeout <= std::chrono::nanoseconds{0} || options.timeout > std::chrono::hours{1})
        return usage("--timeout must be above 0 and at most 1h: a check that waits for ever decides nothing");
    plan.source = std::make_unique<GatewaySource>(
        OpsServer{.url = *url, .tls = *tls, .token = std::move(*token), .timeout = options.timeout}, *query, *scale);
    plan.report.source = {report::SourceKind::gateway, url->text()};
    plan.report.window.asked = query->start_time.empty()
                                   ? query->time_range
                                   : query->start_time + " to " + (query->end_time.empty() ? "now" : query->end_time);
    const std::pair<std::string_view, const std::string*> filters[] = {{"platform", &query->platform},
                                                                       {"group_id", &query->group_id},
                                                                       {"provider", &query->provider},
                                                                       {"version", &query->version},
                                                                       {"model", &query->model}};
    for (const auto& [name, value] : filters) {
        if (!value->empty()) plan.report.filters.emplace_back(name, *value);
    }
    return {};
}

/// A filter on a file would be ignored, and the verdict would be about something else.
Result<void> plan_report(const CheckOptions& options, CheckPlan& plan) {
    const std::pair<std::string_view, const std::string*> for_servers[] = {
        {"--group-id", &options.group_id},     {"--provider", &options.provider},
        {"--version", &options.version},       {"--model", &options.model},
        {"--time-range", &options.time_range}, {"--start-time", &options.start_time},
        {"--end-time", &options.end_time},     {"--rates", &options.rates}};
    for (const auto& [flag, value] : for_servers) {
        if (!value->empty())
            return usage(std::string(flag) + " selects traffic of a server; a --report is judged as a whole");
    }
    plan.source = std::make_unique<ReportSource>(options.report_file);
    plan.report.source = {report::SourceKind::report, options.report_file};
    return {};
}

}  // namespace

Result<CheckPlan> plan_check(const CheckOptions& options) {
    CheckPlan plan;
    plan.report.tool_version = options.tool_version;
    plan.report.judged_at = core::system_clock().wall_now();
    if (options.base_url.empty() == options.report_file.empty())
        return usage(options.base_url.empty() ? "say what to judge: --base-url URL of a gateway, or --report FILE"
                                              : "--base-url and --report exclude each other: give one of them");
    if (options.json && options.metrics) return usage("--json and --metrics exclude each other: give one of them");
    const Result<std::optional<int>> inconclusive = read_inconclusive(options.inconclusive);
    if (!inconclusive) return inconclusive.error();
    plan.inconclusive_exit = *inconclusive;
    Result<LimitChoice> limits = choose_limits(options.limits_file, options.set, options.limits);
    if (!limits) return limits.error();
    plan.limits = std::move(*limits);
    const Result<void> planned = options.base_url.empty() ? plan_report(options, plan) : plan_gateway(options, plan);
    if (!planned) return planned.error();
    return plan;
}

}  // namespace oai::rollout
