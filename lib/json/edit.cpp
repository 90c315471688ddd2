#include "json/edit.hpp"

#include "core/units.hpp"

namespace oai::json {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

}  // namespace

std::string_view whole_member(std::string_view body, const Member& member) noexcept {
    const auto value = static_cast<std::size_t>(member.raw.data() - body.data());
    // Backwards over `"name" :`.
    const std::size_t colon = body.rfind(':', value);
    const std::size_t close = body.rfind('"', colon);
    std::size_t begin = body.rfind('"', close - 1);
    std::size_t end = value + member.raw.size();
    const std::size_t next = body.find_first_not_of(kBlanks, end);
    if (next != std::string_view::npos && body[next] == ',') {
        end = next + 1;
    } else if (const std::size_t before = body.find_last_not_of(kBlanks, begin - 1);
               before != std::string_view::npos && body[before] == ',') {
        begin = before;
    }
    return body.substr(begin, end - begin);
}

std::string_view first_place(std::string_view object) noexcept {
    return object.substr(object.find('{') + 1, 0);
}

std::vector<std::string_view> elements(std::string_view array) {
    std::vector<std::string_view> found;
    if (!array.starts_with('[')) return found;
    std::size_t begin = 1, depth = 0;
    for (std::size_t at = 0; at < array.size(); ++at) {
        const char c = array[at];
        if (c == '"') {
            for (++at; at < array.size() && array[at] != '"'; ++at) at += array[at] == '\\' ? 1 : 0;
        } else if (c == '[' || c == '{') {
            ++depth;
        } else if (depth == 1 && (c == ',' || c == ']')) {
            const std::string_view element = core::trim(array.substr(begin, at - begin));
            if (!element.empty()) found.push_back(element);
            if (c == ']') return found;
            begin = at + 1;
        } else if ((c == ']' || c == '}') && depth > 0) {
            --depth;
        }
    }
    return {};
}

}  // namespace oai::json
