#include "mock/answers.hpp"

#include <charconv>

namespace oai::mock {

void Answers::keep(std::uint64_t number, Kind kind, const Answer& answer, std::string_view input_json) {
    const std::size_t place = number % kMost;
    const std::lock_guard lock(mutex_);
    if (ring_.size() <= place) ring_.resize(place + 1);
    Entry& entry = ring_[place];
    entry.live = true;
    entry.kind = kind;
    entry.id = answer.id;
    entry.answer = answer;
    // Views of a request that is over.
    entry.answer.id = entry.answer.resource = entry.answer.input_json = entry.answer.text_format = {};
    entry.answer.models = nullptr;
    entry.input_json = input_json.size() <= kMostInput ? input_json : std::string_view("null");
}

Answers::Entry* Answers::entry_of(Kind kind, std::string_view id) {
    constexpr std::size_t kDigits = 16;
    if (id.size() < kDigits) return nullptr;
    const std::string_view digits = id.substr(id.size() - kDigits);
    std::uint64_t number = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
    if (read.ec != std::errc{}) return nullptr;
    const std::size_t place = number % kMost;
    if (place >= ring_.size()) return nullptr;
    Entry& entry = ring_[place];
    return entry.live && entry.kind == kind && entry.id == id ? &entry : nullptr;
}

bool Answers::find(Kind kind, std::string_view id, Answer& answer) {
    const std::lock_guard lock(mutex_);
    const Entry* entry = entry_of(kind, id);
    if (entry == nullptr) return false;
    answer = entry->answer;
    answer.id = id;
    return true;
}

bool Answers::knows(Kind kind, std::string_view id) {
    const std::lock_guard lock(mutex_);
    return entry_of(kind, id) != nullptr;
}

bool Answers::find_input(Kind kind, std::string_view id, std::string& input_json) {
    const std::lock_guard lock(mutex_);
    const Entry* entry = entry_of(kind, id);
    if (entry == nullptr) return false;
    input_json = entry->input_json;
    return true;
}

bool Answers::forget(Kind kind, std::string_view id) {
    const std::lock_guard lock(mutex_);
    Entry* entry = entry_of(kind, id);
    if (entry == nullptr) return false;
    entry->live = false;
    return true;
}

bool Answers::cancel(Kind kind, std::string_view id) {
    const std::lock_guard lock(mutex_);
    Entry* entry = entry_of(kind, id);
    if (entry == nullptr) return false;
    entry->answer.cancelled = true;
    return true;
}

std::vector<Answer> Answers::all(Kind kind, std::vector<std::string>& ids) {
    std::vector<Answer> answers;
    const std::lock_guard lock(mutex_);
    for (const Entry& entry : ring_) {
        if (!entry.live || entry.kind != kind) continue;
        ids.push_back(entry.id);
        answers.push_back(entry.answer);
    }
    for (std::size_t i = 0; i < ids.size(); ++i) answers[i].id = ids[i];
    return answers;
}

}  // namespace oai::mock
