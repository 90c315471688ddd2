#include "mock/received.hpp"

#include "core/units.hpp"
#include "json/writer.hpp"

namespace oai::mock {

std::string_view ReceivedRequest::header(std::string_view name) const noexcept {
    for (const auto& [have, value] : headers) {
        if (core::equals_ignore_case(have, name)) return value;
    }
    return {};
}

void Received::add(ReceivedRequest request) {
    const std::lock_guard lock(mutex_);
    if (requests_.size() >= kMost) requests_.pop_front();
    requests_.push_back(std::move(request));
}

void Received::clear() {
    const std::lock_guard lock(mutex_);
    requests_.clear();
}

std::vector<ReceivedRequest> Received::all() const {
    const std::lock_guard lock(mutex_);
    return {requests_.begin(), requests_.end()};
}

Receipt::Receipt(const http::RequestHead& head, std::size_t kept_bytes) : kept_bytes_(kept_bytes) {
    request_.method = head.method;
    request_.target = head.target;
    for (const http::Field& field : head.fields) request_.headers.emplace_back(field.name, field.value);
}

void Receipt::add_body(std::string_view bytes) {
    request_.body_bytes += bytes.size();
    hash_.update(bytes);
    request_.body.append(bytes.substr(0, kept_bytes_ - request_.body.size()));
}

ReceivedRequest Receipt::finish(std::uint64_t number) {
    request_.number = number;
    request_.body_sha256 = crypto::to_hex(hash_.finish());
    return std::move(request_);
}

void append_requests(std::string& out, const std::vector<ReceivedRequest>& requests) {
    json::Writer writer;
    writer.begin_object().key("requests").begin_array();
    for (const ReceivedRequest& request : requests) {
        writer.begin_object().member("number", request.number).member("method", request.method);
        writer.member("target", request.target).key("headers").begin_array();
        for (const auto& [name, value] : request.headers) writer.begin_array().value(name).value(value).end_array();
        writer.end_array().member("body_bytes", request.body_bytes).member("body_sha256", request.body_sha256);
        writer.member("body", request.body).end_object();
    }
    writer.end_array().end_object();
    out += writer.text();
}

}  // namespace oai::mock
