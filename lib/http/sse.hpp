#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace oai::http {

/// What a stream of server-sent events brought. The views are good during the handler's call only.
struct SseEvent {
    std::string_view name;  ///< of the `event` field; empty means "message"
    std::string_view data;  ///< `data` lines joined by LF
    std::string_view id;    ///< the last `id` of the stream so far
    /// Offset in this feed's bytes just after the event: after its blank line, or after the comment's line. When a CRLF
    /// is cut between two feeds the LF is not counted: the event is over at its CR.
    std::size_t end_offset = 0;
    /// Where its first byte is in this feed; 0 when it began in an earlier one.
    std::size_t begin_offset = 0;
    bool whole = false;  ///< it began in this feed: [begin_offset, end_offset) are its bytes, comments within it too
    bool data_in_feed = false;  ///< `data` points into this feed's bytes, so it may be spliced there
    bool is_comment = false;    ///< a line that begins with a colon, such as a keep-alive; the rest is empty then
};

/// Incremental reader of text/event-stream (WHATWG HTML 9.2): LF, CRLF and CR line ends, a BOM at the start, `data`,
/// `event`, `id`, `retry` and comments; other fields are skipped, and a block without `data` is no event. Bytes are not
/// checked for UTF-8.
///
/// An event that lies whole within one feed and has one data line (the usual case) is handed out without copying; one
/// that is cut is gathered in a buffer. Comments are reported when their line ends. Bytes of no event and no comment
/// (empty lines, blocks without data) are to be relayed as they are.
class SseReader {
public:
    static constexpr std::size_t kMaxEventBytes = std::size_t{8} * 1024 * 1024;

    /// `max_event_bytes` bounds the data of one event and the line being read, together.
    explicit SseReader(std::size_t max_event_bytes = kMaxEventBytes) noexcept : max_event_bytes_(max_event_bytes) {}

    // Views into its own strings would not survive a move.
    SseReader(const SseReader&) = delete;
    SseReader& operator=(const SseReader&) = delete;

    /// Calls `handler(const SseEvent&)` for each event and comment that ends in `bytes`, in order. An event over the
    /// bound is Code::upstream_malformed, now and for every later feed.
    template <class Handler>
    core::Result<void> feed(std::string_view bytes, Handler&& handler) {
        start();
        SseEvent event;
        while (next(bytes, event)) handler(static_cast<const SseEvent&>(event));
        if (too_long_) return too_long();
        return {};
    }

    /// No field line, or part of a line, of an unfinished event was read: other bytes may be put into the stream here.
    bool between_events() const noexcept { return !block_open_ && line_.empty(); }

    /// The stream has ended. True when an event was cut short; by the standard its data is discarded.
    bool finish() const noexcept;

    /// The last `retry` field that was a whole number.
    std::optional<std::chrono::milliseconds> retry() const noexcept { return retry_; }
    void reset() noexcept;

    /// Bytes looked at for line ends, over all feeds.
    std::uint64_t scanned_for_test() const noexcept { return scanned_; }

private:
    /// One line without its end. `text` points into the feed, or into `line_` when the line is cut.
    struct Line {
        std::string_view text;
        std::size_t begin = 0;  ///< in the feed; 0 when cut
        bool in_feed = false;
    };

    void start() noexcept;
    bool next(std::string_view bytes, SseEvent& event);
    bool take_line(std::string_view bytes, Line& line);
    bool read_line(Line line, SseEvent& event);
    void read_field(const Line& line);
    void add_data(std::string_view value, bool in_feed);
    void keep_rest(std::string_view bytes);
    core::Error too_long() const;

    std::size_t max_event_bytes_;
    // Position in the feed.
    std::size_t at_ = 0;
    std::size_t next_lf_ = 0;  ///< of the next LF at or after at_, when known; the feed's size when it has none
    bool lf_known_ = false;
    bool skip_lf_ = false;    ///< the last line ended with CR: an LF that follows belongs to it
    bool first_line_ = true;  ///< it may begin with a BOM
    bool too_long_ = false;
    std::uint64_t scanned_ = 0;
    // The event being read. `name_` and `data_` point into the feed or into the strings below them.
    bool block_open_ = false;
    bool has_data_ = false;
    bool name_in_feed_ = false;
    bool data_in_feed_ = false;
    bool began_in_feed_ = false;
    std::size_t begin_ = 0;
    std::string_view name_;
    std::string_view data_;
    std::string name_kept_;
    std::string data_kept_;
    std::string line_;  ///< the beginning of a line whose end is in a later feed
    std::string id_;
    std::optional<std::chrono::milliseconds> retry_;
};

}  // namespace oai::http
