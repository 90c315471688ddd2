// The chunked decoder: however a body arrives, and against a reader of the whole text that says only "whole" or not.

#include "fuzz/fuzz.hpp"
#include "fuzz/text.hpp"
#include "http/chunked.hpp"

using namespace oai;
using namespace oai::fuzz;
using Status = http::ChunkedDecoder::Status;

namespace {

std::string decode(const std::vector<std::string_view>& pieces, http::ChunkedLimits limits) {
    http::ChunkedDecoder decoder(core::Source::downstream, limits);
    std::string payload;
    std::size_t consumed = 0;
    for (const std::string_view piece : pieces) {
        const Block block(piece);
        std::string_view in = block.view();
        for (;;) {
            const http::ChunkedDecoder::Step step = decoder.feed(in);
            require(step.consumed <= in.size(), "no more is consumed than was given");
            require(step.payload.empty() || lies_in(step.payload, in), "the payload lies in the input");
            payload += step.payload;
            consumed += step.consumed;
            in.remove_prefix(step.consumed);
            require(decoder.payload_bytes() == payload.size(), "the payload is counted");
            if (step.status == Status::done) return "done " + std::to_string(consumed) + " " + payload;
            if (step.status == Status::malformed) return "malformed: " + decoder.error().detail + " " + payload;
            if (step.status == Status::need_more) break;
        }
        require(in.empty(), "all is consumed before more is asked for");
    }
    return "need more " + payload;
}

/// RFC 9112, 7.1, read slowly. Empty when `text` does not begin with a whole body that keeps the limits.
std::string plainly(std::string_view text, http::ChunkedLimits limits) {
    const std::string_view all = text;
    std::string payload;
    std::size_t extensions = 0, trailers = 0;
    const auto take_line = [&](std::string_view& line) {
        const std::size_t end = text.find("\r\n");
        if (end == std::string_view::npos) return false;
        line = text.substr(0, end);
        text.remove_prefix(end + 2);
        return !holds_control(line);
    };
    for (std::string_view line;;) {
        if (!take_line(line)) return "";
        const std::size_t digits = line.substr(0, line.find(';')).size();
        if (digits == 0 || digits > 16 || !all_hex(line.substr(0, digits))) return "";
        const unsigned long long size = std::stoull(std::string(line.substr(0, digits)), nullptr, 16);
        extensions += line.size() - digits - (digits == line.size() ? 0 : 1);
        if (digits != line.size() && extensions > limits.max_extension_bytes + payload.size()) return "";
        if (size == 0) break;
        if (size > text.size() || text.substr(size, 2) != "\r\n") return "";
        payload += text.substr(0, size);
        text.remove_prefix(size + 2);
    }
    for (std::string_view line;;) {
        if (!take_line(line)) return "";
        trailers += line.size() + 2;
        if (trailers > limits.max_trailer_bytes) return "";
        if (line.empty()) break;
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return "";
    }
    return "done " + std::to_string(all.size() - text.size()) + " " + payload;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(data, size);
    const std::uint8_t settings = input.byte();
    const std::uint8_t seed = input.byte();
    http::ChunkedLimits limits;
    if ((settings & 1) != 0) limits = {.max_extension_bytes = 8, .max_trailer_bytes = 16};
    const std::string whole = decode({input.rest()}, limits);
    require_same(decode(pieces_of(input.rest(), seed), limits), whole, "how a body arrives changes nothing");
    const std::string slow = plainly(input.rest(), limits);
    require_same(whole.substr(0, 5) == "done " ? whole : "", slow, "a body is whole when it plainly is");
    return 0;
}
