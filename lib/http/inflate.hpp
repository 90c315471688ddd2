#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace oai::http {

/// Takes the gzip or deflate coding off a body, piece by piece, in bounded memory: no piece gives out more than
/// `most` bytes at a time. Errors: upstream_malformed.
class Inflater {
public:
    Inflater();
    ~Inflater();
    Inflater(const Inflater&) = delete;

    /// Appends what `coded` unpacks to; at most `most` bytes may be appended in all calls together.
    core::Result<void> feed(std::string_view coded, std::string& out, std::size_t most);
    /// The coded text has come to its own end.
    bool done() const noexcept { return done_; }

    /// Whether the name of a content coding is one that can be taken off.
    static bool knows(std::string_view content_encoding) noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
    std::size_t given_ = 0;
    bool done_ = false;
};

}  // namespace oai::http
