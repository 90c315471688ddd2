#include "json/edit.hpp"

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

}  // namespace oai::json
