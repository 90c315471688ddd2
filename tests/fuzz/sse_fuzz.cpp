// The reader of server-sent events: however a stream arrives, and against the standard read slowly.

#include "fuzz/fuzz.hpp"
#include "fuzz/text.hpp"
#include "http/sse.hpp"

using namespace oai;
using namespace oai::fuzz;

namespace {

std::string show(std::string_view name, std::string_view data, std::string_view id) {
    return "event " + std::string(name) + "|" + std::string(data) + "|" + std::string(id) + "\n";
}

/// Whether `bytes` are that one event, for a reader that is at the beginning of its stream or beyond it.
bool is_event(std::string_view bytes, bool at_beginning, const http::SseEvent& event) {
    http::SseReader reader;
    int same = 0, others = 0;
    const auto compare = [&](const http::SseEvent& its) {
        if (its.is_comment) return;
        ++(its.name == event.name && its.data == event.data ? same : others);
    };
    if (!at_beginning) require(reader.feed("\n", compare).has_value(), "an empty line is nothing");
    return reader.feed(bytes, compare).has_value() && same == 1 && others == 0;
}

/// An event that lies whole in one feed must be the event that its own bytes make.
void check_span(std::string_view feed, const http::SseEvent& event) {
    require(event.begin_offset <= event.end_offset && event.end_offset <= feed.size(), "offsets lie in the feed");
    if (event.data_in_feed) require(lies_in(event.data, feed), "data_in_feed says where the data is");
    if (!event.whole || event.is_comment) return;
    const std::string_view bytes = feed.substr(event.begin_offset, event.end_offset - event.begin_offset);
    // A byte order mark is one only at the beginning.
    require(is_event(bytes, false, event) || is_event(bytes, true, event), "the bytes of an event are that event");
}

std::string read(const std::vector<std::string_view>& pieces, std::size_t bound, bool with_comments) {
    http::SseReader reader(bound);
    std::string said;
    for (const std::string_view piece : pieces) {
        const Block block(piece);
        const core::Result<void> fed = reader.feed(block.view(), [&](const http::SseEvent& event) {
            require(event.data.size() <= bound, "no event is longer than the bound");
            check_span(block.view(), event);
            if (!event.is_comment) {
                said += show(event.name, event.data, event.id);
            } else if (with_comments) {
                said += "comment\n";
            }
        });
        if (!fed) return said + "too long";
    }
    if (reader.retry()) said += "retry " + std::to_string(reader.retry()->count());
    return said;
}

/// WHATWG HTML, 9.2.6, on the whole text.
std::string plainly(std::string_view text) {
    std::string lines;
    if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\r') {
            lines += text[i];
        } else if (i + 1 == text.size() || text[i + 1] != '\n') {
            lines += '\n';
        }
    }
    std::vector<std::string> all = split(lines, "\n");
    all.pop_back();  // after the last line end there is no line, or an unfinished one
    std::string said, name, data, id, retry;
    bool has_data = false;
    for (const std::string& line : all) {
        if (line.empty()) {
            if (has_data) said += show(name, data.substr(0, data.size() - 1), id);
            name.clear();
            data.clear();
            has_data = false;
            continue;
        }
        if (line[0] == ':') continue;
        const std::size_t colon = std::min(line.find(':'), line.size());
        const std::string field = line.substr(0, colon);
        std::string value = colon == line.size() ? "" : line.substr(colon + 1);
        if (!value.empty() && value[0] == ' ') value.erase(0, 1);
        if (field == "data") {
            data += value + "\n";
            has_data = true;
        } else if (field == "event") {
            name = value;
        } else if (field == "id" && value.find('\0') == std::string::npos) {
            id = value;
        } else if (field == "retry" && !value.empty() && all_of(value, kDigits)) {
            value.erase(0, std::min(value.find_first_not_of('0'), value.size() - 1));
            if (value.size() < 19 || (value.size() == 19 && value <= "9223372036854775807")) retry = value;
        }
    }
    return retry.empty() ? said : said + "retry " + retry;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(data, size);
    const std::size_t bound = input.byte();
    const std::uint8_t seed = input.byte();
    const std::string_view text = input.rest();
    require_same(read(pieces_of(text, seed), bound, true), read({text}, bound, true),
                 "how a stream arrives changes nothing");
    require_same(read({text}, text.size() + 1, false), plainly(text), "events are those of the standard");
    return 0;
}
