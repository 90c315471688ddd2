#include "mock/call.hpp"

namespace oai::mock {

std::string Call::new_id(std::string_view prefix) const {
    static constexpr char kHex[] = "0123456789abcdef";
    std::string id(prefix);
    for (int i = 0; i < 2; ++i) {
        std::uint64_t bits = ids.next();
        for (int j = 0; j < 16; ++j, bits >>= 4) id += kHex[bits & 15];
    }
    return id;
}

std::string url_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const std::string byte = text[i] == '%' && i + 2 < text.size() ? core::from_hex(text.substr(i + 1, 2)) : "";
        out += byte.empty() ? std::string(1, text[i] == '+' ? ' ' : text[i]) : byte;
        if (!byte.empty()) i += 2;
    }
    return out;
}

std::string query_value(std::string_view query, std::string_view name) {
    while (!query.empty()) {
        const std::size_t end = query.find('&');
        const std::string_view pair = query.substr(0, end);
        query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
        const std::size_t equals = pair.find('=');
        if (pair.substr(0, equals) != name) continue;
        return equals == std::string_view::npos ? std::string{} : url_decoded(pair.substr(equals + 1));
    }
    return {};
}

}  // namespace oai::mock
