#include "mock/send_log.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "core/log.hpp"
#include "core/units.hpp"
#include "json/writer.hpp"

namespace oai::mock {

using core::Code;
using core::Error;
using core::Result;

namespace {

constexpr std::chrono::milliseconds kWritePeriod{200};

std::string wall_text(core::WallTime at) {  // with microseconds: labels have to tell requests apart
    const auto us = std::chrono::floor<core::microseconds>(at.time_since_epoch()) % core::seconds{1};
    std::string text = core::format_rfc3339(at);
    std::string fraction = std::to_string(1'000'000 + us.count());
    fraction[0] = '.';
    return text.insert(text.size() - 1, fraction);
}

}  // namespace

std::string to_json_line(const SendRecord& record) {
    json::Writer out;
    out.begin_object();
    out.member("wall", wall_text(record.wall)).member("number", record.number).member("model", record.model);
    out.member("stream", record.stream).member("status", record.status).member("fault", record.fault);
    out.member("received_us", record.received_us).member("first_byte_us", record.first_byte_us);
    out.member("first_output_us", record.first_output_us).member("end_us", record.end_us);
    out.member("complete", record.complete).member("events", record.events);
    out.member("output_events", record.output_events).member("bytes", record.bytes);
    out.end_object();
    return out.take() + "\n";
}

Result<std::unique_ptr<SendLog>> SendLog::open(const std::string& path, bool keep) {
    std::ofstream file;
    if (!path.empty()) {
        file.open(path, std::ios::trunc | std::ios::binary);
        if (!file)
            return Error{.code = Code::io_failed,
                         .detail = "cannot write the send log " + path + ": " + std::strerror(errno)};
    }
    return std::unique_ptr<SendLog>(new SendLog(std::move(file), !path.empty(), keep));
}

SendLog::SendLog(std::ofstream file, bool to_file, bool keep) : file_(std::move(file)), to_file_(to_file), keep_(keep) {
    if (to_file_) writer_ = std::thread([this] { write_loop(); });
}

void SendLog::append(SendRecord record) {
    const std::lock_guard lock(mutex_);
    if (keep_) kept_.push_back(record);
    if (to_file_ && !closing_) pending_.push_back(std::move(record));
}

std::vector<SendRecord> SendLog::records() const {
    const std::lock_guard lock(mutex_);
    return kept_;
}

void SendLog::write_loop() {
    std::vector<SendRecord> batch;
    std::unique_lock lock(mutex_);
    for (bool last = false; !last;) {
        wake_.wait_for(lock, kWritePeriod, [this] { return closing_; });
        last = closing_;
        batch.swap(pending_);
        lock.unlock();
        for (const SendRecord& record : batch) file_ << to_json_line(record);
        if (!batch.empty()) file_.flush();
        batch.clear();
        lock.lock();
    }
}

void SendLog::close() {
    {
        const std::lock_guard lock(mutex_);
        closing_ = true;
    }
    wake_.notify_all();
    if (!writer_.joinable()) return;
    writer_.join();
    if (!file_) core::log(core::LogLevel::error, "the send log could not be written to its end");
    file_.close();
}

}  // namespace oai::mock
