#include "mock/members.hpp"

#include <algorithm>

#include "core/units.hpp"
#include "json/value.hpp"
#include "json/writer.hpp"

namespace oai::mock {
namespace {

/// Splits what stands between the outer brackets of valid JSON at its own commas.
std::vector<std::string_view> split(std::string_view json) {
    std::vector<std::string_view> parts;
    int depth = 0;
    bool in_string = false;
    std::size_t start = 1;
    for (std::size_t i = 0; i < json.size(); ++i) {
        const char c = json[i];
        if (in_string) {
            if (c == '\\') ++i;
            if (c == '"') in_string = false;
            continue;
        }
        if (c == '"') in_string = true;
        if (c == '{' || c == '[') ++depth;
        if (c == '}' || c == ']') --depth;
        const bool ends = depth == 0 || (depth == 1 && c == ',');
        if (!ends) continue;
        parts.push_back(core::trim(json.substr(start, i - start)));
        start = i + 1;
        if (depth == 0) break;
    }
    if (parts.size() == 1 && parts[0].empty()) parts.clear();
    return parts;
}

}  // namespace

std::string decoded(std::string_view json) {
    const core::Result<json::Value> value = json::Value::parse(json);
    return value ? std::string(value->as_string().value_or("")) : std::string{};
}

std::vector<std::string_view> array_elements(std::string_view json) {
    return json.starts_with('[') ? split(json) : std::vector<std::string_view>{};
}

core::Result<Members> Members::parse(std::string_view text) {
    Members members;
    text = core::trim(text);
    if (text.empty()) return members;
    const core::Result<json::Value> whole = json::Value::parse(text);
    if (!whole) return whole.error();
    if (!whole->is_object())
        return core::Error{.code = core::Code::invalid_request, .detail = "expected a JSON object"};
    // The texts are those of the names and values in the same order.
    std::size_t index = 0;
    for (const std::string_view part : split(text)) {
        const std::string& name = whole->members()[index++].first;
        std::size_t end = 1;
        while (part[end] != '"') end += part[end] == '\\' ? 2 : 1;
        const std::size_t colon = part.find(':', end);
        members.set(name, std::string(core::trim(part.substr(colon + 1))));
    }
    return members;
}

void Members::set(std::string_view name, std::string json) {
    const auto at = std::find_if(members_.begin(), members_.end(), [&](const Member& m) { return m.first == name; });
    if (at == members_.end()) {
        members_.emplace_back(name, std::move(json));
    } else {
        at->second = std::move(json);
    }
}

void Members::set_text(std::string_view name, std::string_view text) {
    std::string json;
    json::append_quoted(json, text);
    set(name, std::move(json));
}

const std::string* Members::find(std::string_view name) const noexcept {
    const auto at = std::find_if(members_.begin(), members_.end(), [&](const Member& m) { return m.first == name; });
    return at == members_.end() ? nullptr : &at->second;
}

std::string Members::text(std::string_view name) const {
    const std::string* json = find(name);
    return json == nullptr ? std::string{} : decoded(*json);
}

void Members::append_to(std::string& out) const {
    out += '{';
    for (const Member& member : members_) {
        if (&member != &members_.front()) out += ',';
        json::append_quoted(out, member.first);
        out += ':';
        out += member.second;
    }
    out += '}';
}

}  // namespace oai::mock
