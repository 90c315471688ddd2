#include "http/sse.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include "http/chars.hpp"

namespace oai::http {
namespace {

constexpr std::string_view kBom = "\xEF\xBB\xBF";
/// Buffers that grew beyond it are given back once they are empty: streams are many, long events few.
constexpr std::size_t kKeptCapacity = std::size_t{64} * 1024;

void release_if_large(std::string& buffer) noexcept {
    if (buffer.capacity() > kKeptCapacity) std::string().swap(buffer);
}

}  // namespace

void SseReader::start() noexcept {
    at_ = 0;
    begin_ = 0;
    began_in_feed_ = false;
    lf_known_ = false;
    if (line_.empty()) release_if_large(line_);
    if (!has_data_) release_if_large(data_kept_);
}

bool SseReader::next(std::string_view bytes, SseEvent& event) {
    Line line;
    while (!too_long_ && take_line(bytes, line)) {
        const bool reported = read_line(line, event);
        if (!line.in_feed) line_.clear();
        if (reported) return true;
    }
    return false;
}

bool SseReader::take_line(std::string_view bytes, Line& line) {
    if (skip_lf_ && at_ < bytes.size()) {
        if (bytes[at_] == '\n') ++at_;
        skip_lf_ = false;
    }
    if (at_ == bytes.size()) {  // perhaps there are none at all, and memchr may not be asked to look at nothing
        keep_rest(bytes);
        return false;
    }
    // The next LF is remembered: with CR line ends, looking for it at each line would be quadratic.
    if (!lf_known_) {
        const void* const lf = std::memchr(bytes.data() + at_, '\n', bytes.size() - at_);
        next_lf_ = lf == nullptr ? bytes.size() : static_cast<std::size_t>(static_cast<const char*>(lf) - bytes.data());
        lf_known_ = true;
        scanned_ += next_lf_ - at_;
    }
    const void* const cr = std::memchr(bytes.data() + at_, '\r', next_lf_ - at_);
    const std::size_t end =
        cr == nullptr ? next_lf_ : static_cast<std::size_t>(static_cast<const char*>(cr) - bytes.data());
    scanned_ += end - at_;
    if (end == bytes.size()) {
        keep_rest(bytes);
        return false;
    }
    line = {bytes.substr(at_, end - at_), at_, true};
    at_ = end + 1;
    if (cr != nullptr) {
        skip_lf_ = at_ == bytes.size();
        if (!skip_lf_ && bytes[at_] == '\n') ++at_;
    }
    if (at_ > next_lf_) lf_known_ = false;
    if (!line_.empty()) {
        line_.append(line.text);
        line = {line_, 0, false};
    }
    return true;
}

/// True when `event` is to be reported.
bool SseReader::read_line(Line line, SseEvent& event) {
    if (first_line_) {
        first_line_ = false;
        if (line.text.substr(0, kBom.size()) == kBom) line.text.remove_prefix(kBom.size());
    }
    if (line.text.empty()) {
        block_open_ = false;
        const std::string_view name = std::exchange(name_, {});
        if (!std::exchange(has_data_, false)) return false;
        event = {name, data_, id_, at_, begin_, began_in_feed_, data_in_feed_, false};
        return true;
    }
    if (line.text.size() + (has_data_ ? data_.size() : 0) > max_event_bytes_) {
        too_long_ = true;
        return false;
    }
    if (line.text.front() == ':') {
        event = {{}, {}, id_, at_, line.begin, line.in_feed, false, true};
        return true;
    }
    if (!block_open_) {
        block_open_ = true;
        begin_ = line.begin;
        began_in_feed_ = line.in_feed;
    }
    read_field(line);
    return false;
}

void SseReader::read_field(const Line& line) {
    const std::size_t colon = std::min(line.text.find(':'), line.text.size());
    const std::string_view name = line.text.substr(0, colon);
    std::string_view value = line.text.substr(std::min(colon + 1, line.text.size()));
    if (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    if (name == "data") {
        add_data(value, line.in_feed);
    } else if (name == "event") {
        name_in_feed_ = line.in_feed;
        name_ = line.in_feed ? value : std::string_view(name_kept_.assign(value));
    } else if (name == "id") {
        if (value.find('\0') == std::string_view::npos) id_.assign(value);
    } else if (name == "retry") {
        std::int64_t ms = 0;
        const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), ms);
        const bool whole = error == std::errc{} && end == value.data() + value.size();
        if (whole && is_digit(value.front())) retry_ = std::chrono::milliseconds{ms};
    }
}

void SseReader::add_data(std::string_view value, bool in_feed) {
    if (!has_data_) {
        has_data_ = true;
        data_in_feed_ = in_feed;
        data_ = value;
        if (in_feed) return;
        // The value is the end of a gathered line: that line becomes the buffer, and a long event is copied once.
        const std::size_t prefix = line_.size() - value.size();
        data_kept_.swap(line_);
        data_ = std::string_view(data_kept_).substr(prefix);
        return;
    }
    if (data_in_feed_) {
        data_ = data_kept_.assign(data_);
        data_in_feed_ = false;
    }
    // What is kept ends with the data so far; before it there may be the field's name.
    const std::size_t prefix = data_kept_.size() - data_.size();
    data_kept_.append(1, '\n').append(value);
    data_ = std::string_view(data_kept_).substr(prefix);
}

/// The feed ends within a line or an event, and its bytes will be gone.
void SseReader::keep_rest(std::string_view bytes) {
    line_.append(bytes.substr(at_));
    at_ = bytes.size();
    if (has_data_ && data_in_feed_) {
        data_ = data_kept_.assign(data_);
        data_in_feed_ = false;
    }
    if (!name_.empty() && name_in_feed_) {
        name_ = name_kept_.assign(name_);
        name_in_feed_ = false;
    }
    // A byte order mark, or what may become one, is not part of the line: read_line does not count it either.
    const std::string_view begin = std::string_view(line_).substr(0, kBom.size());
    const std::size_t mark = first_line_ && begin == kBom.substr(0, begin.size()) ? begin.size() : 0;
    if (line_.size() - mark + (has_data_ ? data_.size() : 0) > max_event_bytes_) too_long_ = true;
}

bool SseReader::finish() const noexcept {
    return block_open_ || (!line_.empty() && line_.front() != ':');
}

core::Error SseReader::too_long() const {
    return {.code = core::Code::upstream_malformed,
            .source = core::Source::upstream,
            .detail = "an event of the stream is longer than " + std::to_string(max_event_bytes_) + " bytes"};
}

void SseReader::reset() noexcept {
    start();
    skip_lf_ = false;
    first_line_ = true;
    too_long_ = false;
    scanned_ = 0;
    block_open_ = false;
    has_data_ = false;
    name_ = {};
    line_.clear();
    id_.clear();
    retry_.reset();
}

}  // namespace oai::http
