#include "wire/multipart.hpp"

#include <algorithm>
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

/// The Content-Disposition line of a part's head.
std::string_view disposition_of(std::string_view head) noexcept {
    constexpr std::string_view field = "content-disposition:";
    for (std::size_t line = 0; line < head.size();) {
        const std::size_t end = std::min(head.find("\r\n", line), head.size());
        const std::string_view text = head.substr(line, end - line);
        if (text.size() > field.size() && core::equals_ignore_case(text.substr(0, field.size()), field)) return text;
        line = end + 2;
    }
    return {};
}

}  // namespace

bool is_form(std::string_view content_type) noexcept {
    constexpr std::string_view form = "multipart/form-data";
    return content_type.size() >= form.size() && core::equals_ignore_case(content_type.substr(0, form.size()), form);
}

core::Result<void> form_fields(std::string_view content_type, std::string_view body,
                               std::span<const std::string_view> names, std::span<std::string_view> found) {
    std::ranges::fill(found, std::string_view{});
    if (!is_form(content_type)) return {};
    const std::string_view boundary = parameter(content_type, "boundary");
    if (boundary.empty() || boundary.size() > 70) return {};
    const std::string delimiter = "--" + std::string(boundary), next = "\r\n" + delimiter;
    for (std::size_t at = body.find(delimiter); at != std::string_view::npos; at = body.find(delimiter, at)) {
        at += delimiter.size();
        const std::size_t head_end = body.find("\r\n\r\n", at);
        if (head_end == std::string_view::npos) break;
        const std::string_view disposition = disposition_of(body.substr(at, head_end - at));
        const auto name = std::ranges::find(names, parameter(disposition, "name"));
        if (name == names.end() || !parameter(disposition, "filename").empty()) continue;
        const std::size_t value = head_end + 4;
        const std::size_t end = body.find(next, value);
        if (end == std::string_view::npos) break;
        std::string_view& into = found[static_cast<std::size_t>(name - names.begin())];
        if (into.data() != nullptr)
            return core::Error{.code = core::Code::invalid_request,
                               .source = core::Source::downstream,
                               .detail = "\"" + std::string(*name) + "\" stands twice in the form; send it once",
                               .param = std::string(*name)};
        into = body.substr(value, end - value);
    }
    return {};
}

}  // namespace oai::wire
