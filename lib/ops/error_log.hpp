#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "json/writer.hpp"

namespace oai::ops {

/// One try of a request at one account.
struct AttemptRecord {
    std::string account;
    int status = 0;  ///< of its answer; 0: none came
    std::uint32_t ms = 0;
    std::string reason;  ///< "ok", or why it failed, in a word
};

/// A request that went wrong, or went well only after an attempt that did not.
struct ErrorRecord {
    std::uint64_t id = 0;  ///< given by the log
    core::WallTime at{};
    std::string request_id;
    std::string path;
    std::string platform, provider, version, model, endpoint;
    std::string owner;  ///< "client", "gateway", "upstream"; "none": it went well in the end
    std::string code;   ///< of the answer's error, such as "upstream_timeout"
    std::string message;
    int status = 0;  ///< that the client saw; 0: none
    bool stream = false;
    bool business_limited = false;
    bool upstream_failed = false;  ///< at least one attempt failed by an upstream's fault, 429 and 529 too
    std::vector<AttemptRecord> attempts;
};

/// The last few thousand of them, newest first. Any thread; only requests that failed touch it.
class ErrorLog {
public:
    static constexpr std::size_t kKept = 4096;

    enum class View : std::uint8_t {
        request,   ///< those the client saw fail, less those refused by our own policy
        upstream,  ///< those with a failed attempt, also when the client saw none
    };
    struct Page {
        std::size_t number = 1;  ///< from 1
        std::size_t size = 20;
    };

    void add(ErrorRecord record);
    /// `{"items":[…],"total":n,"page":n,"page_size":n,"pages":n}`, each item with its attempts.
    void write_page(json::Writer& out, View view, Page page) const;

private:
    mutable std::mutex mutex_;
    std::deque<ErrorRecord> records_;  ///< newest first
    std::uint64_t last_id_ = 0;
};

}  // namespace oai::ops
