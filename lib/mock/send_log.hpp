#pragma once

#include <condition_variable>
#include <cstdint>
#include <fstream>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"

namespace oai::mock {

/// What was sent for one request, and when: the truth a client's measurement is compared with.
/// Stamps are taken before the write they belong to, so a client never sees a byte earlier than this says.
struct SendRecord {
    core::WallTime wall{};
    std::uint64_t number = 0;
    std::string model;
    bool stream = false;
    int status = 0;  ///< 0: no status line was sent
    std::string fault = "none";
    std::int64_t received_us = 0;  ///< steady clock of this machine; the times below are since then
    std::optional<std::int64_t> first_byte_us;
    std::optional<std::int64_t> first_output_us;  ///< streams only
    std::int64_t end_us = 0;
    bool complete = false;            ///< the answer was sent to its end, error answers included
    std::uint64_t events = 0;         ///< server-sent events, [DONE] included
    std::uint64_t output_events = 0;  ///< those with output
    std::uint64_t bytes = 0;          ///< handed to the kernel, head and framing included
};

std::string to_json_line(const SendRecord& record);

/// Collects records of all workers; a thread of its own writes them to the file. One short lock per request:
/// uncontended it is 20 ns, and a record is visible to `records` at once.
class SendLog {
public:
    /// `path` may be empty: no file. `keep`: keep records in memory for `records`.
    static core::Result<std::unique_ptr<SendLog>> open(const std::string& path, bool keep);
    ~SendLog() { close(); }
    SendLog(const SendLog&) = delete;

    bool wanted() const noexcept { return keep_ || to_file_; }
    void append(SendRecord record);
    std::vector<SendRecord> records() const;
    /// Writes out what is pending and ends the thread. Later records are only kept. Idempotent.
    void close();

private:
    SendLog(std::ofstream file, bool to_file, bool keep);
    void write_loop();

    std::ofstream file_;
    const bool to_file_;
    const bool keep_;
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    bool closing_ = false;
    std::vector<SendRecord> pending_;
    std::vector<SendRecord> kept_;
    std::thread writer_;
};

}  // namespace oai::mock
