#include "wire/multipart.hpp"

#include <string>

#include "core/units.hpp"

namespace oai::wire {
namespace {

/// A parameter such as `boundary=...` or `name="..."` of a header's value; empty when it is absent.
std::string_view parameter(std::string_view value, std::string_view name) noexcept {
    for (std::size_t at = value.find(';'); at != std::string_view::npos; at = value.find(';', at)) {
        at = value.find_first_not_of(" \t", at + 1);
        if (at == std::string_view::npos) break;
        const std::string_view rest = value.substr(at);
        if (rest.size() <= name.size() || !core::equals_ignore_case(rest.substr(0, name.size()), name) ||
            rest[name.size()] != '=')
            continue;
        const std::string_view text = rest.substr(name.size() + 1);
        if (text.starts_with('"')) {
            const std::size_t end = text.find('"', 1);
            return end == std::string_view::npos ? std::string_view{} : text.substr(1, end - 1);
        }
        return text.substr(0, text.find_first_of("; \t"));
    }
    return {};
}

}  // namespace

std::string_view multipart_field(std::string_view content_type, std::string_view body, std::string_view name) noexcept {
    constexpr std::string_view form = "multipart/form-data";
    if (content_type.size() < form.size() || !core::equals_ignore_case(content_type.substr(0, form.size()), form))
        return {};
    const std::string_view boundary = parameter(content_type, "boundary");
    if (boundary.empty() || boundary.size() > 70) return {};
    const std::string delimiter = "--" + std::string(boundary);
    for (std::size_t at = body.find(delimiter); at != std::string_view::npos; at = body.find(delimiter, at)) {
        at += delimiter.size();
        const std::size_t head_end = body.find("\r\n\r\n", at);
        if (head_end == std::string_view::npos) break;
        const std::string_view head = body.substr(at, head_end - at);
        const std::size_t value = head_end + 4;
        std::string_view disposition;
        for (std::size_t line = 0; line < head.size();) {
            const std::size_t end = std::min(head.find("\r\n", line), head.size());
            const std::string_view text = head.substr(line, end - line);
            constexpr std::string_view field = "content-disposition:";
            if (text.size() > field.size() && core::equals_ignore_case(text.substr(0, field.size()), field))
                disposition = text;
            line = end + 2;
        }
        if (parameter(disposition, "name") != name || !parameter(disposition, "filename").empty()) continue;
        const std::size_t end = body.find("\r\n" + delimiter, value);
        return end == std::string_view::npos ? std::string_view{} : body.substr(value, end - value);
    }
    return {};
}

}  // namespace oai::wire
