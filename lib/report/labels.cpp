#include "report/labels.hpp"

namespace oai::report {

std::string fill(std::string_view pattern, std::initializer_list<std::string_view> values) {
    std::string out;
    const std::string_view* next = values.begin();
    for (std::size_t at = 0; at < pattern.size();) {
        const std::size_t hole = next == values.end() ? std::string_view::npos : pattern.find("{}", at);
        out += pattern.substr(at, hole - at);
        if (hole == std::string_view::npos) break;
        out += *next++;
        at = hole + 2;
    }
    return out;
}

}  // namespace oai::report
