#include "mock/options.hpp"

#include <chrono>

#include "core/units.hpp"
#include "net/address.hpp"
#include "net/tls.hpp"

namespace oai::mock {

using core::Code;
using core::Error;
using core::Result;

namespace {

constexpr std::string_view kFaultRate = "--fault-rate", kFaultAt = "--fault-at", kFaultForKey = "--fault-for-key";

Error named(std::string_view option, Error error) {
    error.detail = std::string(option) + ": " + error.detail;
    return error;
}

/// "what=fault", cut at its last "=": a credential may hold one.
Result<void> read_row(const std::string& text, FaultRates& faults, Behaviour& behaviour, std::string_view option) {
    const std::size_t equals = text.rfind('=');
    if (equals == std::string::npos || equals == 0)
        return Error{.code = Code::invalid_argument, .detail = "must be like <what>=<fault>, got \"" + text + "\""};
    const std::string_view what = std::string_view(text).substr(0, equals);
    const std::string_view fault = std::string_view(text).substr(equals + 1);
    if (option == kFaultRate) {
        const Result<FaultRates::Share> share = read_share(fault, what);
        if (!share) return share.error();
        faults.more.push_back(*share);
    } else if (option == kFaultAt) {
        const Result<ScheduledFault> scheduled = read_schedule(what, fault);
        if (!scheduled) return scheduled.error();
        behaviour.schedule.push_back(*scheduled);
    } else {
        const Result<Fault> named = parse_fault(fault);
        if (!named) return named.error();
        behaviour.key_faults.push_back({std::string(what), *named});
    }
    return {};
}

}  // namespace

Result<ServerOptions> read_options(const OptionTexts& texts) {
    ServerOptions options;
    options.listen = texts.listen;
    options.workers = texts.workers;
    options.seed = texts.seed;
    options.log_file = texts.log_file;
    Behaviour& behaviour = options.behaviour;
    FaultRates& faults = behaviour.faults;
    faults.error_status = texts.error_status;
    if (!texts.models.empty()) behaviour.models = texts.models;

    if (const auto address = net::parse_listen_address(texts.listen); !address)
        return named("--listen", address.error());
    if (texts.tls_certificate.empty() != texts.tls_key.empty())
        return Error{.code = Code::invalid_argument, .detail = "--tls-cert and --tls-key go together"};
    if (!texts.tls_certificate.empty()) {
        Result<std::shared_ptr<const net::TlsServerContext>> tls =
            net::TlsServerContext::make(texts.tls_certificate, texts.tls_key);
        if (!tls) return named("--tls-cert, --tls-key", std::move(tls.error()));
        options.tls = *std::move(tls);
    }
    if (texts.workers < 1 || texts.workers > 256)
        return Error{.code = Code::invalid_argument, .detail = "--workers must be from 1 to 256"};

    struct Law {
        const char* option;
        const std::string& text;
        Distribution& into;
        Result<Distribution> (*parse)(std::string_view);
    };
    const Law laws[] = {{"--first-byte", texts.first_byte, behaviour.first_byte, parse_duration_distribution},
                        {"--ttft", texts.ttft, behaviour.ttft, parse_duration_distribution},
                        {"--gap", texts.gap, behaviour.gap, parse_duration_distribution},
                        {"--latency", texts.latency, behaviour.latency, parse_duration_distribution},
                        {"--tokens", texts.tokens, behaviour.tokens, parse_count_distribution},
                        {"--slow", texts.slow, faults.slow, parse_duration_distribution}};
    for (const Law& law : laws) {
        Result<Distribution> parsed = law.parse(law.text);
        if (!parsed) return named(law.option, parsed.error());
        law.into = *parsed;
    }

    struct Share {
        const char* option;
        const std::string& text;
        std::int64_t& into;
    };
    const Share shares[] = {{"--error-rate", texts.error_rate, faults.error_bp},
                            {"--hang-rate", texts.hang_rate, faults.hang_bp},
                            {"--stall-rate", texts.stall_rate, faults.stall_bp},
                            {"--cut-rate", texts.cut_rate, faults.cut_bp},
                            {"--error-event-rate", texts.error_event_rate, faults.error_event_bp},
                            {"--slow-rate", texts.slow_rate, faults.slow_bp}};
    for (const Share& share : shares) {
        Result<std::int64_t> parsed = core::parse_percent(share.text);
        if (!parsed) return named(share.option, parsed.error());
        share.into = *parsed;
    }

    const Result<core::nanoseconds> retry_after = core::parse_duration(texts.retry_after);
    if (!retry_after) return named("--retry-after", retry_after.error());
    behaviour.retry_after = *retry_after;

    const struct {
        std::string_view option;
        const std::vector<std::string>& rows;
    } lists[] = {{kFaultRate, texts.fault_rates}, {kFaultAt, texts.fault_at}, {kFaultForKey, texts.fault_for_key}};
    for (const auto& [option, rows] : lists) {
        for (const std::string& row : rows) {
            const Result<void> read = read_row(row, faults, behaviour, option);
            if (!read) return named(option, read.error());
        }
    }
    behaviour.gzip = texts.gzip;
    behaviour.api_keys = texts.api_keys;
    behaviour.oauth.rotate = texts.oauth_rotate;
    behaviour.oauth.refresh_tokens = texts.refresh_tokens;
    const Result<core::nanoseconds> expires_in = core::parse_duration(texts.oauth_expires_in);
    if (!expires_in) return named("--oauth-expires-in", expires_in.error());
    behaviour.oauth.expires_in = std::chrono::ceil<std::chrono::seconds>(*expires_in);
    options.control = texts.control;
    const Result<std::uint64_t> control_body = core::parse_size(texts.control_body);
    if (!control_body) return named("--control-body", control_body.error());
    options.control_body_bytes = static_cast<std::size_t>(*control_body);
    if (const Result<void> possible = validate(faults); !possible) return possible.error();
    return options;
}

}  // namespace oai::mock
