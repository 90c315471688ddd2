#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "mock/format.hpp"

namespace oai::mock {

/// The answers of inference that can be asked for again: responses unless `store` is false, chat completions when it is
/// true. The latest 16,384 requests' worth, for all workers. A place is used again with its memory, so that keeping an
/// answer allocates nothing once the ring is full.
class Answers {
public:
    enum class Kind : std::uint8_t { response, chat };

    static constexpr std::size_t kMost = 16'384;
    static constexpr std::size_t kMostInput = 2'048;  ///< a longer input is not kept

    /// `answer.id` ends in 16 hex digits that say `number`: they find it again.
    void keep(std::uint64_t number, Kind kind, const Answer& answer, std::string_view input_json);
    /// Into `answer`, whose id becomes `id`, a view of the caller's. False when it is not, or no longer, there.
    bool find(Kind kind, std::string_view id, Answer& answer);
    bool knows(Kind kind, std::string_view id);
    bool find_input(Kind kind, std::string_view id, std::string& input_json);
    bool forget(Kind kind, std::string_view id);
    bool cancel(Kind kind, std::string_view id);
    /// All of a kind, oldest first. Their ids are views into `ids`.
    std::vector<Answer> all(Kind kind, std::vector<std::string>& ids);

private:
    struct Entry {
        bool live = false;
        Kind kind = Kind::response;
        std::string id;
        Answer answer;
        std::string input_json;
    };
    Entry* entry_of(Kind kind, std::string_view id);

    std::mutex mutex_;
    std::vector<Entry> ring_;
};

}  // namespace oai::mock
