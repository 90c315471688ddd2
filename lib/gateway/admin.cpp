#include "gateway/admin.hpp"

#include <array>
#include <charconv>
#include <optional>
#include <span>
#include <string>

#include "core/units.hpp"
#include "crypto/hash.hpp"
#include "gateway/credential.hpp"
#include "gateway/explain.hpp"
#include "gateway/reply.hpp"
#include "http/url.hpp"
#include "json/value.hpp"
#include "json/writer.hpp"
#include "metrics/samples_file.hpp"
#include "ops/overview.hpp"
#include "ops/window.hpp"
#include "thresholds/ancestor.hpp"
#include "thresholds/limit_set.hpp"
#include "wire/error_body.hpp"

namespace oai::gateway {

using core::Code;
using core::Error;
using core::Result;
using net::Awaitable;

namespace {

constexpr std::string_view kOps = "/api/v1/admin/ops";
constexpr std::string_view kThresholdsSetting = "ops_metric_thresholds";
constexpr std::size_t kLargestUpload = std::size_t{256} << 20;
constexpr std::chrono::seconds kBodyPatience{60};

/// `data` of a successful answer, as JSON.
using Answer = Result<std::string>;

struct AdminRequest {
    WorkerState& worker;
    std::string_view query;
    std::string_view body;
};

Error bad_request(std::string detail, std::string param = {}) {
    return Error{.code = Code::invalid_request,
                 .source = core::Source::downstream,
                 .detail = std::move(detail),
                 .param = std::move(param)};
}

/// Query parameters, each decoded; an unknown one is refused, since a typo would silently widen what is judged.
Result<void> read_query(std::string_view query, std::span<const std::string_view> names,
                        std::span<std::optional<std::string>> values) {
    for (std::size_t i = 0; i < names.size(); ++i) {
        Result<std::optional<std::string>> value = http::query_parameter(query, names[i]);
        if (!value) return value.error();
        values[i] = std::move(*value);
    }
    while (!query.empty()) {
        const std::string_view pair = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), pair.size() + 1));
        const std::string_view name = pair.substr(0, pair.find('='));
        if (!name.empty() && std::ranges::find(names, name) == names.end())
            return bad_request("unknown query parameter \"" + std::string(name) + "\"", std::string(name));
    }
    return {};
}

Awaitable<Answer> get_overview(AdminRequest request) {
    static constexpr std::array<std::string_view, 10> names{"platform", "provider", "version",    "model",
                                                            "endpoint", "group_id", "time_range", "start_time",
                                                            "end_time", "mode"};
    std::array<std::optional<std::string>, names.size()> v;
    if (const Result<void> ok = read_query(request.query, names, v); !ok) co_return ok.error();
    const auto view = [&](std::size_t i) { return v[i] ? std::optional<std::string_view>(*v[i]) : std::nullopt; };
    ops::Collector& collector = request.worker.shared.collector;
    const core::WallTime now = collector.now();
    const Result<ops::TimeRange> range = ops::resolve_range(view(6), view(7), view(8), now);
    if (!range) co_return range.error();
    const ops::Filter filter{.platform = core::to_lower(v[0].value_or("")),
                             .provider = core::to_lower(v[1].value_or("")),
                             .version = v[2].value_or(""),
                             .model = v[3].value_or(""),
                             .endpoint = v[4].value_or(""),
                             .group = v[5].value_or("")};
    // Merging a window of histograms is milliseconds of work: not on a worker that has streams to serve.
    const auto task = [&collector, filter, range = *range]() -> std::string {
        const ops::Collector::Answer answer = collector.query(filter, range.start, range.end);
        json::Writer out;
        ops::write_overview(out, filter, answer, ops::read_system());
        return out.take();
    };
    std::string data = co_await run_in_background(request.worker.shared.background, request.worker.net, task);
    co_return data;
}

/// The limits in force: those that were put, else the target set.
Result<thresholds::LimitSet> stored_limits(store::Store& store) {
    const auto setting = store.settings().get(kThresholdsSetting);
    if (!setting) return setting.error();
    if (!*setting) return thresholds::target_set();
    return thresholds::read_limits((**setting).value, "server");
}

Answer limits_json(const thresholds::LimitSet& set) {
    json::Writer out;
    if (const Result<void> written = thresholds::write_ancestor_limits(out, set); !written) return written.error();
    return out.take();
}

Awaitable<Answer> get_thresholds(AdminRequest request) {
    store::Store& store = *request.worker.shared.store;
    const auto task = [&store]() -> Answer {
        const Result<thresholds::LimitSet> limits = stored_limits(store);
        if (!limits) return limits.error();
        return limits_json(*limits);
    };
    Answer answer = co_await run_in_background(request.worker.shared.background, request.worker.net, task);
    co_return answer;
}

Awaitable<Answer> put_thresholds(AdminRequest request) {
    const Result<json::Value> document = json::Value::parse(request.body);
    if (!document) co_return bad_request("Invalid request body: " + document.error().detail);
    const Result<thresholds::LimitSet> limits = thresholds::read_limits(*document, "server");
    if (!limits) co_return bad_request(limits.error().detail, limits.error().param);
    Answer written = limits_json(*limits);
    if (!written) co_return bad_request(written.error().detail);
    store::Store& store = *request.worker.shared.store;
    const auto task = [&store, text = *written]() -> Answer {
        const Result<std::int64_t> put = store.settings().put(kThresholdsSetting, text);
        if (!put) return put.error();
        return text;
    };
    Answer answer = co_await run_in_background(request.worker.shared.background, request.worker.net, task);
    co_return answer;
}

/// A load run's samples, put into the windows as if these requests had been served here: a panel then shows the run,
/// and the block of the overview is the block of its report.
Awaitable<Answer> post_samples(AdminRequest request) {
    static constexpr std::array<std::string_view, 5> names{"platform", "provider", "version", "model", "endpoint"};
    std::array<std::optional<std::string>, names.size()> v;
    if (const Result<void> ok = read_query(request.query, names, v); !ok) co_return ok.error();
    const ops::SeriesKey key{.platform = core::to_lower(v[0].value_or("openai")),
                             .provider = core::to_lower(v[1].value_or("")),
                             .version = v[2].value_or("imported"),
                             .model = v[3].value_or(""),
                             .endpoint = v[4].value_or(""),
                             .group = ""};
    ops::Collector& collector = request.worker.shared.collector;
    const auto task = [&collector, key, body = request.body]() -> Answer {
        Result<metrics::SamplesReader> reader = metrics::SamplesReader::from_memory(body, "the uploaded samples");
        if (!reader) return bad_request(reader.error().detail);
        const Result<json::Value> header = json::Value::parse(reader->header());
        const json::Value* base = header ? header->find("clock_base_unix_us") : nullptr;
        if (base == nullptr || !base->as_int()) return bad_request("the samples' header has no clock_base_unix_us");
        const core::WallTime start{
            std::chrono::duration_cast<core::WallTime::duration>(core::microseconds{*base->as_int()})};
        const auto wall = [&](std::int64_t us) {
            return start + std::chrono::duration_cast<core::WallTime::duration>(core::microseconds{us});
        };
        const Result<metrics::SamplesRead> read = reader->read(
            [&](std::span<const metrics::Sample> samples) {
                for (const metrics::Sample& s : samples)
                    collector.import(key, wall(s.start_us + std::max<std::int64_t>(0, s.response_us)), s);
            },
            [&](std::span<const metrics::Gap> gaps) {
                for (const metrics::Gap& g : gaps)
                    collector.import_gap(key, wall(g.at_us), core::microseconds{g.gap_us});
            });
        if (!read) return bad_request(read.error().detail);
        json::Writer out;
        out.begin_object().member("samples", read->samples).member("gaps", read->gaps).end_object();
        return out.take();
    };
    Answer answer = co_await run_in_background(request.worker.shared.background, request.worker.net, task);
    co_return answer;
}

Awaitable<Answer> get_explain(AdminRequest request) {
    static constexpr std::array<std::string_view, 3> names{"model", "key", "session"};
    std::array<std::optional<std::string>, names.size()> v;
    if (const Result<void> ok = read_query(request.query, names, v); !ok) co_return ok.error();
    if (!v[0] || v[0]->empty()) co_return bad_request("model is required, such as ?model=gpt-5", "model");
    Shared& shared = request.worker.shared;
    Answer answer =
        explain(*request.worker.tables, shared.sticky, *v[0], v[1].value_or(""), v[2].value_or(""), shared.clock.now());
    co_return answer;
}

Awaitable<Answer> get_errors(AdminRequest request, ops::ErrorLog::View view) {
    static constexpr std::array<std::string_view, 2> names{"page", "page_size"};
    std::array<std::optional<std::string>, names.size()> v;
    if (const Result<void> ok = read_query(request.query, names, v); !ok) co_return ok.error();
    std::array<std::size_t, 2> numbers{1, 20};
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (!v[i]) continue;
        const auto [end, ec] = std::from_chars(v[i]->data(), v[i]->data() + v[i]->size(), numbers[i]);
        if (ec != std::errc{} || end != v[i]->data() + v[i]->size() || numbers[i] == 0 || numbers[i] > 1000)
            co_return bad_request(std::string(names[i]) + " must be a number from 1 to 1000", std::string(names[i]));
    }
    json::Writer out;
    request.worker.shared.errors.write_page(out, view, {.number = numbers[0], .size = numbers[1]});
    co_return out.take();
}

Awaitable<Answer> get_request_errors(AdminRequest request) {
    return get_errors(request, ops::ErrorLog::View::request);
}

Awaitable<Answer> get_upstream_errors(AdminRequest request) {
    return get_errors(request, ops::ErrorLog::View::upstream);
}

struct AdminRoute {
    std::string_view method;
    std::string_view path;  ///< behind kOps
    Awaitable<Answer> (*handler)(AdminRequest);
};

constexpr std::array<AdminRoute, 7> kRoutes{{
    {"GET", "/dashboard/overview", get_overview},
    {"GET", "/settings/metric-thresholds", get_thresholds},
    {"PUT", "/settings/metric-thresholds", put_thresholds},
    {"POST", "/samples", post_samples},
    {"GET", "/explain", get_explain},
    {"GET", "/request-errors", get_request_errors},
    {"GET", "/upstream-errors", get_upstream_errors},
}};

PlainReply envelope(const Answer& answer) {
    PlainReply reply;
    json::Writer out;
    if (answer) {
        out.begin_object().member("code", 0).member("message", "success").key("data").raw(*answer).end_object();
    } else {
        reply.status = wire::face_of(answer.error().code).status;
        out.begin_object().member("code", reply.status).member("message", answer.error().detail);
        out.member("reason", core::to_upper(wire::face_of(answer.error().code).code)).end_object();
    }
    reply.body = out.take();
    return reply;
}

Result<const AdminRoute*> find_route(const http::RequestHead& head) {
    bool known = false;
    for (const AdminRoute& route : kRoutes) {
        if (!head.path.starts_with(kOps) || head.path.substr(kOps.size()) != route.path) continue;
        known = true;
        if (route.method == head.method || (route.method == "GET" && head.method == "HEAD")) return &route;
    }
    if (known)
        return Error{.code = Code::method_not_allowed,
                     .source = core::Source::downstream,
                     .detail = std::string(head.method) + " is not allowed here"};
    return Error{.code = Code::not_found,
                 .source = core::Source::downstream,
                 .detail = "unknown admin path " + std::string(head.path)};
}

std::string allow_field(std::string_view path) {
    std::string methods;
    for (const AdminRoute& route : kRoutes) {
        if (!path.starts_with(kOps) || path.substr(kOps.size()) != route.path) continue;
        methods += methods.empty() ? "allow: " : ", ";
        methods += route.method;
        if (route.method == "GET") methods += ", HEAD";
    }
    return methods.empty() ? methods : methods + "\r\n";
}

Result<void> admit(const WorkerState& worker, const http::RequestHead& head) {
    if (!worker.tables->auth_required) return {};
    const std::string_view presented = presented_credential(head.fields);
    const auto refuse = [](std::string why) {
        return Error{.code = Code::unauthorized, .source = core::Source::downstream, .detail = std::move(why)};
    };
    if (presented.empty())
        return refuse("the admin API needs the admin key: Authorization: Bearer KEY, or x-api-key: KEY");
    if (!crypto::constant_time_equal(worker.shared.key_hash.digest(presented), worker.tables->credentials.admin))
        return refuse("this is not the admin key");
    return {};
}

}  // namespace

bool is_public_path(std::string_view path) noexcept {
    return path == "/healthz" || path == "/readyz";
}

bool is_admin_path(std::string_view path) noexcept {
    return path.starts_with("/api/");
}

Awaitable<bool> answer_public(WorkerState& worker, http::Connection& connection, const http::RequestHead& head) {
    PlainReply reply;
    const bool ready = head.path == "/healthz" || !worker.draining;
    reply.head_only = head.method == "HEAD";
    reply.status = head.method != "GET" && !reply.head_only ? 405 : ready ? 200 : 503;
    reply.body = reply.status == 200 ? R"({"status":"ok"})"
                 : ready             ? R"({"status":"use GET"})"
                                     : R"({"status":"draining"})";
    if (reply.status == 405) reply.headers = "allow: GET, HEAD\r\n";
    reply.keep = head.keep_alive;
    if (reply.keep) reply.keep = co_await skip_body(connection, head);
    const bool written = co_await send_plain(worker, connection, reply);
    co_return written&& reply.keep;
}

Awaitable<bool> answer_admin(WorkerState& worker, http::Connection& connection, const http::RequestHead& head) {
    const Result<const AdminRoute*> route = find_route(head);
    Answer answer = std::string();
    bool keep = head.keep_alive;
    if (const Result<void> admitted = admit(worker, head); !admitted) {
        answer = admitted.error();
    } else if (!route) {
        answer = route.error();
    }
    if (!answer) {
        if (keep) keep = co_await skip_body(connection, head);
    } else {
        net::Buffer gathered(worker.net.buffers());
        connection.stream->set_deadline(std::chrono::steady_clock::now() + kBodyPatience);
        const Result<std::string_view> body =
            co_await http::read_whole_body(connection, head, core::Source::downstream, kLargestUpload, gathered);
        connection.stream->set_deadline(net::Stream::kNever);
        if (body) {
            const AdminRequest request{worker, head.query, *body};
            answer = co_await (*route)->handler(request);
            http::finish_body(connection, *body);
        } else {
            answer = body.error();
            keep = false;
        }
    }
    PlainReply reply = envelope(answer);
    reply.keep = keep;
    reply.head_only = head.method == "HEAD";
    if (reply.status == 405) reply.headers = allow_field(head.path);
    if (reply.status == 401) reply.headers = "www-authenticate: Bearer\r\n";
    const bool written = co_await send_plain(worker, connection, reply);
    co_return written&& keep;
}

}  // namespace oai::gateway
