// The scanner of top-level members and the splices: against a plain reader of JSON that descends into every value.

#include <algorithm>
#include <cmath>

#include "fuzz/fuzz.hpp"
#include "fuzz/text.hpp"
#include "json/scanner.hpp"

using namespace oai;
using namespace oai::fuzz;
using json::Kind;

namespace {

struct PlainMember {
    std::string key;
    Kind kind = Kind::absent;
    std::string_view raw;
};

/// RFC 8259. `unsure` is set where parsers may differ: numbers beyond a double, halves of surrogate pairs, great depth.
class Plain {
public:
    explicit Plain(std::string_view text) : text_(text), good_(plainly_utf8(text, true)) {}

    /// All of the text is one object; its members in order.
    bool read_object(std::vector<PlainMember>& members) {
        blanks();
        object(&members);
        blanks();
        return good_ && at_ == text_.size();
    }
    bool is_scalar() {
        const Kind kind = value();
        return good_ && at_ == text_.size() && kind != Kind::object && kind != Kind::array;
    }
    bool unsure = false;

private:
    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    void blanks() {
        while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
    }
    void expect(std::string_view word) {
        if (text_.substr(at_, word.size()) != word) good_ = false;
        at_ += good_ ? word.size() : 0;
    }

    Kind value() {
        if (++depth_ > 900) unsure = true;
        if (depth_ > 2000) good_ = false;
        Kind kind = Kind::number;
        switch (good_ ? peek() : '\0') {
            case '{': object(nullptr), kind = Kind::object; break;
            case '[': array(), kind = Kind::array; break;
            case '"': string(), kind = Kind::string; break;
            case 't': expect("true"), kind = Kind::boolean; break;
            case 'f': expect("false"), kind = Kind::boolean; break;
            case 'n': expect("null"), kind = Kind::null; break;
            default: number(); break;
        }
        --depth_;
        return kind;
    }

    void object(std::vector<PlainMember>* members) {
        expect("{");
        blanks();
        if (peek() == '}') return expect("}");
        while (good_) {
            blanks();
            const std::string key = string();
            blanks();
            expect(":");
            blanks();
            const std::size_t begin = at_;
            const Kind kind = value();
            if (members != nullptr) members->push_back({key, kind, text_.substr(begin, at_ - begin)});
            blanks();
            if (peek() == '}') return expect("}");
            expect(",");
        }
    }

    void array() {
        expect("[");
        blanks();
        if (peek() == ']') return expect("]");
        while (good_) {
            blanks();
            value();
            blanks();
            if (peek() == ']') return expect("]");
            expect(",");
        }
    }

    std::string string() {
        std::string decoded;
        expect("\"");
        while (good_) {
            if (at_ >= text_.size() || static_cast<unsigned char>(text_[at_]) < 0x20) {
                good_ = false;
            } else if (text_[at_] == '"') {
                ++at_;
                return decoded;
            } else if (text_[at_] == '\\') {
                ++at_;
                escape(decoded);
            } else {
                decoded += text_[at_++];
            }
        }
        return decoded;
    }

    void escape(std::string& decoded) {
        const std::string_view from = "\"\\/bfnrt", to = "\"\\/\b\f\n\r\t";
        if (const std::size_t known = at_ < text_.size() ? from.find(text_[at_]) : std::string_view::npos;
            known != std::string_view::npos) {
            decoded += to[known];
            ++at_;
            return;
        }
        expect("u");
        const std::string digits(text_.substr(std::min(at_, text_.size()), 4));
        if (digits.size() != 4 || !all_hex(digits)) good_ = false;
        if (!good_) return;
        at_ += 4;
        const unsigned long code = std::stoul(digits, nullptr, 16);
        if (code >= 0xD800 && code <= 0xDFFF) unsure = true;
        if (code >= 0x800) decoded += static_cast<char>(0xE0 | code >> 12);
        if (code >= 0x80) decoded += static_cast<char>(code >= 0x800 ? 0x80 | (code >> 6 & 63) : 0xC0 | code >> 6);
        decoded += static_cast<char>(code >= 0x80 ? 0x80 | (code & 63) : code);
    }

    void digits() {
        if (peek() < '0' || peek() > '9') good_ = false;
        while (peek() >= '0' && peek() <= '9') ++at_;
    }

    void number() {
        const std::size_t begin = at_;
        if (peek() == '-') ++at_;
        if (peek() == '0') {
            ++at_;
        } else {
            digits();
        }
        if (peek() == '.') {
            ++at_;
            digits();
        }
        if (peek() == 'e' || peek() == 'E') {
            ++at_;
            if (peek() == '+' || peek() == '-') ++at_;
            digits();
        }
        if (good_ && std::isinf(std::strtod(std::string(text_.substr(begin, at_ - begin)).c_str(), nullptr)))
            unsure = true;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    int depth_ = 0;
    bool good_;
};

constexpr std::string_view kNames[] = {"model", "stream", "store", "input"};
constexpr std::size_t kCount = std::size(kNames);

void check_against_plain(std::string_view body, const core::Result<void>& scanned,
                         const json::Member (&found)[kCount]) {
    std::vector<PlainMember> members_of_body;
    Plain plain(body);
    const bool valid = plain.read_object(members_of_body);
    if (!valid || plain.unsure) return;
    for (std::size_t i = 0; i < kCount; ++i) {
        const auto named = [&](const PlainMember& member) { return member.key == kNames[i]; };
        const auto count = std::count_if(members_of_body.begin(), members_of_body.end(), named);
        if (count > 1) {
            require(!scanned && !scanned.error().param.empty(), "a name that stands twice is refused");
            return;
        }
    }
    require(scanned.has_value(), "an object that is plainly one is taken");
    for (std::size_t i = 0; i < kCount; ++i) {
        const auto named = [&](const PlainMember& member) { return member.key == kNames[i]; };
        const auto member = std::find_if(members_of_body.begin(), members_of_body.end(), named);
        require(found[i].present() == (member != members_of_body.end()), "a member is found when it is there");
        if (!found[i].present()) continue;
        require(found[i].kind == member->kind, "a member has its kind");
        require_same(found[i].raw, member->raw, "a member is its value, all of it and no more");
        require(found[i].raw.data() == member->raw.data(), "a member lies where its value lies");
    }
}

void check_splices(std::string_view body, const json::Member (&found)[kCount]) {
    const std::string_view with[kCount] = {"\"spliced\"", "true", "false", "[1,{}]"};
    std::vector<json::Splice> splices;
    for (std::size_t i = 0; i < kCount; ++i) {
        if (found[i].present()) splices.push_back({found[i].raw, with[i]});
    }
    std::sort(splices.begin(), splices.end(),
              [](const json::Splice& a, const json::Splice& b) { return a.where.data() < b.where.data(); });
    std::string want(body), got;
    for (std::size_t i = splices.size(); i-- > 0;)
        want.replace(static_cast<std::size_t>(splices[i].where.data() - body.data()), splices[i].where.size(),
                     splices[i].with);
    json::spliced(body, splices, [&](std::string_view piece) { got += piece; });
    require_same(got, want, "splices change their spans and nothing else");
    require(json::spliced_size(body, splices) == want.size(), "the size after splices is known before");

    const Block block(got, json::Padded::kPadding);
    json::Scanner scanner;
    json::Member again[kCount];
    require(scanner.members({block.view()}, kNames, again).has_value(), "a spliced body is still an object");
    for (std::size_t i = 0; i < kCount; ++i) {
        require(again[i].present() == found[i].present(), "a splice adds and removes no member");
        if (again[i].present()) require_same(again[i].raw, with[i], "a splice is what is read afterwards");
    }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const Block block(text, json::Padded::kPadding);
    const std::string_view body = block.view();
    json::Scanner scanner;
    json::Member found[kCount];
    const core::Result<void> scanned = scanner.members({body}, kNames, found);
    check_against_plain(body, scanned, found);
    if (!scanned) return 0;
    for (const json::Member& member : found) {
        if (!member.present()) continue;
        require(lies_in(member.raw, body) && !member.raw.empty(), "a member lies in the body");
        if (member.kind == Kind::object || member.kind == Kind::array) continue;
        Plain scalar(member.raw);
        require(scalar.is_scalar() || scalar.unsure, "a value that was asked for is one");
    }
    check_splices(body, found);
    return 0;
}
