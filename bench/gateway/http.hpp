#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

/// As little HTTP/1.1 as the benchmark's programs need among themselves: no trailers, no extensions of chunks, and no
/// mercy for what else may be sent.
namespace oai::bench {

/// What matters of a head. Views point into the bytes that were scanned.
struct Head {
    std::size_t size = 0;  ///< with the blank line
    std::string_view target;
    int status = 0;
    std::string_view authorization;
    std::string_view content_type;
    std::size_t content_length = 0;
    bool chunked = false;
};

enum class Scan : std::uint8_t { incomplete, done, broken };
/// Finds the head of a request or a response at the beginning of `bytes`.
Scan scan_head(std::string_view bytes, Head& head) noexcept;

/// Follows a body to its end.
class BodyReader {
public:
    void begin(const Head& head) noexcept;
    bool ended() const noexcept { return state_ == State::ended; }
    /// Calls `payload(std::string_view)` for every stretch of the body in `bytes`, which must not go beyond its end.
    template <class F>
    void feed(std::string_view bytes, F payload);

private:
    enum class State : std::uint8_t { plain, chunk_size, chunk, chunk_end, last_line, ended };
    void read_framing(char c) noexcept;

    State state_ = State::ended;
    std::size_t left_ = 0;  ///< of the body, or of the chunk
};

template <class F>
void BodyReader::feed(std::string_view bytes, F payload) {
    while (!bytes.empty() && state_ != State::ended) {
        if (state_ != State::plain && state_ != State::chunk) {
            read_framing(bytes.front());
            bytes.remove_prefix(1);
            continue;
        }
        const std::string_view piece = bytes.substr(0, std::min(left_, bytes.size()));
        payload(piece);
        bytes.remove_prefix(piece.size());
        left_ -= piece.size();
        if (left_ == 0) state_ = state_ == State::plain ? State::ended : State::chunk_end;
    }
}

}  // namespace oai::bench
