#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace oai::mock {

/// The gzip coding of one answer.
class Gzip {
public:
    Gzip();
    ~Gzip();
    Gzip(const Gzip&) = delete;

    /// What comes next, such that a reader can read all of `text` at once. `last`: the answer ends with it.
    std::string next(std::string_view text, bool last);

    static std::string whole(std::string_view text) { return Gzip().next(text, true); }

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace oai::mock
