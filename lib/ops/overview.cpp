#include "ops/overview.hpp"

#include "core/units.hpp"
#include "metrics/block.hpp"

namespace oai::ops {

using metrics::Duration;
using metrics::Rate;

namespace {

/// num/den with four decimals, rounded half up in integers: the ancestor's precision. Only shown, never compared.
void write_scaled(json::Writer& out, std::string_view name, const std::optional<metrics::Ratio>& rate,
                  std::int64_t scale) {
    out.key(name);
    if (!rate) {
        out.value(nullptr);
        return;
    }
    const auto num = static_cast<std::int64_t>(rate->num), den = static_cast<std::int64_t>(rate->den);
    out.decimal((num * scale * 10'000 + den / 2) / den, 4);
}

void write_rate(json::Writer& out, std::string_view name, const std::optional<metrics::Ratio>& rate) {
    write_scaled(out, name, rate, 1);
    write_scaled(out, std::string(name) + "_percent", rate, 100);
}

void write_ms(json::Writer& out, std::string_view name, const std::optional<std::chrono::microseconds>& us) {
    out.key(name);
    if (us) {
        out.decimal(us->count(), 3);
    } else {
        out.value(nullptr);
    }
}

void write_duration(json::Writer& out, std::string_view name, const metrics::Histogram& histogram) {
    out.key(name).begin_object();
    write_ms(out, "p50_ms", histogram.percentile(metrics::p50));
    write_ms(out, "p90_ms", histogram.percentile(metrics::p90));
    write_ms(out, "p95_ms", histogram.percentile(metrics::p95));
    write_ms(out, "p99_ms", histogram.percentile(metrics::p99));
    write_ms(out, "max_ms", histogram.max());
    out.member("n", histogram.count()).end_object();
}

}  // namespace

void write_overview(json::Writer& out, const Filter& filter, const Collector::Answer& answer,
                    const SystemSample& system) {
    const metrics::Tally& tally = *answer.tally;
    const metrics::Counts counts = tally.counts();
    const std::uint64_t successes = counts.counted - counts.failed;
    out.begin_object();
    out.member("start_time", core::format_rfc3339(answer.start)).member("end_time", core::format_rfc3339(answer.end));
    out.key("window").begin_object();
    out.member("start", core::format_rfc3339(answer.start)).member("end", core::format_rfc3339(answer.end));
    out.member("slot_seconds", answer.slot.count()).member("open_requests", answer.open_requests).end_object();
    out.member("platform", filter.platform).member("provider", filter.provider).member("version", filter.version);
    out.member("model", filter.model).member("endpoint", filter.endpoint).member("group_id", filter.group);
    out.member("success_count", successes);
    out.member("error_count_total", counts.failed + counts.business_limited + counts.client_errors);
    out.member("business_limited_count", counts.business_limited);
    out.member("client_error_count", counts.client_errors);
    out.member("error_count_sla", counts.failed);
    out.member("request_count_total", counts.sent);
    out.member("request_count_sla", counts.counted);
    out.member("token_consumed", counts.input_tokens + counts.output_tokens);
    write_rate(out, "sla", tally.rate(Rate::sla));
    write_rate(out, "error_rate", tally.rate(Rate::error_rate));
    write_rate(out, "upstream_error_rate", tally.rate(Rate::upstream_error_rate));
    out.member("upstream_error_count_excl_429_529", counts.upstream_failed);
    out.member("upstream_throttled_count", counts.upstream_throttled);
    out.member("upstream_attempt_count", counts.attempts);
    out.member("upstream_attempt_failure_count", counts.attempt_failures);
    write_duration(out, "duration", tally.histogram(Duration::response));
    write_duration(out, "ttft", tally.histogram(Duration::ttft));
    write_duration(out, "queue", tally.histogram(Duration::queue));
    write_duration(out, "overhead", tally.histogram(Duration::overhead));
    out.key("system_metrics").begin_object();
    out.member("process_cpu_us_total", system.cpu_us).member("process_rss_bytes", system.rss_bytes).end_object();
    out.key("metrics");
    metrics::write_block(out, tally);
    out.end_object();
}

}  // namespace oai::ops
