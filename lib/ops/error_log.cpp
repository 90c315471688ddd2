#include "ops/error_log.hpp"

#include <algorithm>

#include "core/units.hpp"

namespace oai::ops {
namespace {

bool belongs(const ErrorRecord& record, ErrorLog::View view) noexcept {
    if (view == ErrorLog::View::upstream) return record.upstream_failed;
    return record.owner != "none" && !record.business_limited;
}

void write_record(json::Writer& out, const ErrorRecord& record) {
    out.begin_object().member("id", record.id).member("created_at", core::format_rfc3339(record.at));
    out.member("request_id", record.request_id).member("request_path", record.path);
    out.member("platform", record.platform).member("provider", record.provider).member("version", record.version);
    out.member("model", record.model).member("endpoint", record.endpoint);
    out.member("error_owner", record.owner).member("type", record.code).member("message", record.message);
    out.member("status_code", record.status).member("stream", record.stream);
    out.member("recovered", record.owner == "none");
    out.key("attempts").begin_array();
    for (const AttemptRecord& attempt : record.attempts) {
        out.begin_object().member("account", attempt.account).member("status_code", attempt.status);
        out.member("ms", attempt.ms).member("reason", attempt.reason).end_object();
    }
    out.end_array().end_object();
}

}  // namespace

void ErrorLog::add(ErrorRecord record) {
    const std::lock_guard lock(mutex_);
    record.id = ++last_id_;
    records_.push_front(std::move(record));
    if (records_.size() > kKept) records_.pop_back();
}

void ErrorLog::write_page(json::Writer& out, View view, Page page) const {
    const std::lock_guard lock(mutex_);
    const std::size_t first = (page.number - 1) * page.size;
    std::size_t total = 0;
    out.begin_object().key("items").begin_array();
    for (const ErrorRecord& record : records_) {
        if (!belongs(record, view)) continue;
        if (total >= first && total < first + page.size) write_record(out, record);
        ++total;
    }
    out.end_array().member("total", total).member("page", page.number).member("page_size", page.size);
    out.member("pages", std::max<std::size_t>(1, (total + page.size - 1) / page.size)).end_object();
}

}  // namespace oai::ops
