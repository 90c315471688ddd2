#include "mock/fault.hpp"

#include <array>
#include <optional>

#include "core/units.hpp"

namespace oai::mock {

using core::Code;
using core::Error;
using core::Result;

namespace {

using Kind = Fault::Kind;
using Hint = Fault::Hint;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

/// What may follow a fault's name.
enum class Argument : std::uint8_t {
    nothing,
    position,       ///< -before-output or -after-<events>
    duration,       ///< must
    maybe_duration  ///< may
};

struct Row {
    std::string_view name;
    Kind kind;
    Argument argument = Argument::nothing;
    nanoseconds usual{0};  ///< when a duration may follow and does not
};

constexpr std::string_view kMark = "mock-", kError = "error-", kHuge = "huge-event", kFail = "fail-",
                           kTimes = "-times-";
constexpr std::size_t kHugeBytes = std::size_t{1} << 20, kMostBytes = std::size_t{256} << 20;
constexpr unsigned kMostTimes = 1'000'000;

constexpr std::array<Row, 30> kRows{{
    {"none", Kind::none},
    {"error-in-200", Kind::error_in_200},
    {"non-json", Kind::non_json},
    {"half-json", Kind::half_json},
    {"capacity", Kind::capacity},
    {"gzip", Kind::gzip},
    {"first-event-error", Kind::first_event_error},
    {"failed-event", Kind::failed_event, Argument::position},
    {"late-error", Kind::late_error, Argument::position},
    {"no-terminal", Kind::no_terminal},
    {"no-done", Kind::no_done},
    {"done-event", Kind::done_event},
    {"cancelled-event", Kind::cancelled_event},
    {"ping-only", Kind::ping_only, Argument::maybe_duration, milliseconds{100}},
    {"hang", Kind::hang},
    {"stall", Kind::stall, Argument::position},
    {"cut", Kind::cut, Argument::position},
    {"cut-before-head", Kind::cut_before_head},
    {"reset", Kind::reset, Argument::position},
    {"reset-before-head", Kind::reset_before_head},
    {"unasked-101", Kind::unasked_101},
    {"early-close", Kind::early_close, Argument::position},
    {"truncated-json", Kind::truncated_json},
    {"wrong-length", Kind::wrong_length},
    {"bad-chunk", Kind::bad_chunk, Argument::position},
    {"slow", Kind::slow, Argument::duration},
    {"slow-head", Kind::slow_head, Argument::maybe_duration, milliseconds{1000}},
    {"trickle", Kind::trickle, Argument::maybe_duration},
    {"close-1011", Kind::close_1011, Argument::position},
    {"close-1013", Kind::close_1013, Argument::position},
}};

struct HintRow {
    std::string_view name;
    Hint hint;
};
constexpr std::array<HintRow, 8> kHints{{{"no-hint", Hint::none},
                                         {"seconds", Hint::seconds},
                                         {"decimal", Hint::decimal},
                                         {"date", Hint::date},
                                         {"ms", Hint::ms},
                                         {"reset", Hint::reset},
                                         {"codex", Hint::codex},
                                         {"body", Hint::body}}};

/// What follows `name` and a hyphen; nothing when `text` is neither that nor the name itself.
std::optional<std::string_view> after_name(std::string_view text, std::string_view name) {
    if (text == name) return std::string_view{};
    if (text.size() <= name.size() + 1 || !text.starts_with(name) || text[name.size()] != '-') return {};
    return text.substr(name.size() + 1);
}

bool read_duration(std::string_view text, nanoseconds& into) {
    const Result<nanoseconds> duration = core::parse_duration(text);
    if (duration) into = *duration;
    return duration.has_value();
}

/// "" or "before-output" or "after-3".
bool read_position(std::string_view text, std::optional<unsigned>& after) {
    constexpr std::string_view kAfter = "after-";
    if (text.empty()) return true;
    if (text == "before-output") {
        after = 0;
        return true;
    }
    if (!text.starts_with(kAfter)) return false;
    const Result<std::uint64_t> events = core::parse_unsigned(text.substr(kAfter.size()));
    if (!events || *events > 1'000'000) return false;
    after = static_cast<unsigned>(*events);
    return true;
}

/// "503", "429-date", "429-reset-6m".
bool read_error(std::string_view text, Fault& fault) {
    const Result<std::uint64_t> status = core::parse_unsigned(text.substr(0, 3));
    if (!status || *status < 400 || *status > 599) return false;
    fault.kind = Kind::error;
    fault.status = static_cast<int>(*status);
    const std::optional<std::string_view> rest = after_name(text, text.substr(0, 3));
    if (!rest) return false;
    if (rest->empty()) return true;
    for (const HintRow& row : kHints) {
        const std::optional<std::string_view> when = after_name(*rest, row.name);
        if (!when) continue;
        fault.hint = row.hint;
        return when->empty() || (row.hint != Hint::none && read_duration(*when, fault.delay));
    }
    return false;
}

bool read_row(std::string_view text, const Row& row, Fault& fault) {
    fault.kind = row.kind;
    switch (row.argument) {
        case Argument::nothing: return text.empty();
        case Argument::position: return read_position(text, fault.after);
        case Argument::maybe_duration: fault.delay = row.usual; return text.empty() || read_duration(text, fault.delay);
        case Argument::duration: return read_duration(text, fault.delay);
    }
    return false;
}

std::optional<Fault> read_fault(std::string_view name) {
    Fault fault;
    if (name.starts_with(kError) && read_error(name.substr(kError.size()), fault)) return fault;
    if (const auto size = after_name(name, kHuge)) {
        fault.kind = Kind::huge_event;
        fault.bytes = kHugeBytes;
        if (size->empty()) return fault;
        const Result<std::uint64_t> bytes = core::parse_size(*size);
        if (!bytes || *bytes > kMostBytes) return {};
        fault.bytes = static_cast<std::size_t>(*bytes);
        return fault;
    }
    // "cut-before-head" is no position of "cut": what one row cannot read is left to the others.
    for (const Row& row : kRows) {
        const std::optional<std::string_view> rest = after_name(name, row.name);
        fault = {};
        if (rest && read_row(*rest, row, fault)) return fault;
    }
    return {};
}

/// "fail-2-times-error-503".
std::optional<Fault> read_counted(std::string_view name) {
    unsigned times = 0;
    if (name.starts_with(kFail)) {
        const std::size_t mark = name.find(kTimes);
        if (mark == std::string_view::npos) return {};
        const Result<std::uint64_t> count = core::parse_unsigned(name.substr(kFail.size(), mark - kFail.size()));
        if (!count || *count == 0 || *count > kMostTimes) return {};
        times = static_cast<unsigned>(*count);
        name.remove_prefix(mark + kTimes.size());
    }
    std::optional<Fault> fault = read_fault(name);
    if (fault) fault->times = times;
    return fault;
}

std::string position_name(const Fault& fault) {
    if (!fault.after) return {};
    return *fault.after == 0 ? "-before-output" : "-after-" + std::to_string(*fault.after);
}

std::string error_name(const Fault& fault) {
    std::string name = std::string(kError) + std::to_string(fault.status);
    for (const HintRow& row : kHints) {
        if (row.hint == fault.hint) name += "-" + std::string(row.name);
    }
    if (fault.delay.count() != 0) name += "-" + core::format_duration(fault.delay);
    return name;
}

std::string bare_name(const Fault& fault) {
    if (fault.kind == Kind::error) return error_name(fault);
    if (fault.kind == Kind::huge_event) return std::string(kHuge) + "-" + std::to_string(fault.bytes);
    for (const Row& row : kRows) {
        if (row.kind != fault.kind) continue;
        std::string name(row.name);
        if (row.argument == Argument::position) return name + position_name(fault);
        if (row.argument == Argument::nothing || fault.delay == row.usual) return name;
        return name + "-" + core::format_duration(fault.delay);
    }
    return "none";
}

std::string_view mark_in(std::string_view model, std::string_view mark, std::size_t at) {
    if (at == std::string_view::npos) return {};
    if (at != 0 && std::string_view("-/:.").find(model[at - 1]) == std::string_view::npos) return {};
    return model.substr(at + mark.size());
}

// ---- when to come back

/// 6m0s, 1s, 120ms: as OpenAI writes it.
std::string reset_text(nanoseconds delay) {
    const std::int64_t ms = std::chrono::ceil<milliseconds>(delay).count();
    if (ms < 1000) return std::to_string(ms) + "ms";
    const std::int64_t seconds = ms / 1000, rest = ms % 1000;
    std::string text = std::to_string(seconds % 60);
    if (rest != 0) text += "." + std::to_string(1000 + rest).substr(1);
    text += "s";
    return seconds < 60 ? text : std::to_string(seconds / 60) + "m" + text;
}

}  // namespace

Result<Fault> parse_fault(std::string_view name) {
    const std::optional<Fault> fault = read_counted(name);
    if (fault) return *fault;
    return Error{.code = Code::invalid_request,
                 .source = core::Source::downstream,
                 .detail = "unknown fault \"" + std::string(name) + "\"; known are " + known_faults()};
}

std::string fault_name(const Fault& fault) {
    const std::string name = bare_name(fault);
    return fault.times == 0 ? name : std::string(kFail) + std::to_string(fault.times) + std::string(kTimes) + name;
}

std::string known_faults() {
    constexpr std::array<std::string_view, 4> kForms{"", "[-before-output|-after-<events>]", "-<duration>",
                                                     "[-<duration>]"};
    std::string text = "error-<400..599>[-<hint>[-<duration>]] with a hint of ";
    for (const HintRow& row : kHints) text += std::string(row.name) + (&row == &kHints.back() ? "; " : "|");
    for (const Row& row : kRows)
        text += std::string(row.name) + std::string(kForms[static_cast<std::size_t>(row.argument)]) + ", ";
    return text + std::string(kHuge) + "[-<size>]; each also as fail-<n>-times-<fault>";
}

bool has_position(Kind kind) noexcept {
    for (const Row& row : kRows) {
        if (row.kind == kind) return row.argument == Argument::position;
    }
    return false;
}

bool answers_whole(Kind kind) noexcept {
    return kind == Kind::error || kind == Kind::error_in_200 || kind == Kind::non_json || kind == Kind::half_json ||
           kind == Kind::truncated_json || kind == Kind::wrong_length;
}

bool fails(Kind kind) noexcept {
    return kind == Kind::capacity || kind == Kind::failed_event || kind == Kind::late_error ||
           kind == Kind::first_event_error;
}

bool disturbs_sending(Kind kind) noexcept {
    return kind >= Kind::hang && kind != Kind::slow && kind != Kind::wrong_length;
}

std::string_view fault_in_model(std::string_view model) noexcept {
    const std::string_view word = mark_in(model, kMark, model.rfind(kMark));
    return word == kToolWord || word == kReasoningWord ? std::string_view{} : word;
}

bool says(std::string_view model, std::string_view word) noexcept {
    for (std::size_t at = model.find(kMark); at != std::string_view::npos; at = model.find(kMark, at + 1)) {
        const std::string_view rest = mark_in(model, kMark, at);
        if (rest.starts_with(word) && (rest.size() == word.size() || rest[word.size()] == '-')) return true;
    }
    return false;
}

void append_retry_hint(std::string& head, const Fault& fault, nanoseconds usual, core::WallTime now) {
    const nanoseconds delay = fault.delay.count() != 0 ? fault.delay : usual;
    const std::string seconds = std::to_string(std::chrono::ceil<std::chrono::seconds>(delay).count());
    const std::int64_t ms = std::chrono::ceil<milliseconds>(delay).count();
    switch (fault.hint) {
        case Hint::none:
        case Hint::body: return;
        case Hint::usual:
            if (fault.status != 429 && fault.status != 503) return;
            [[fallthrough]];
        case Hint::seconds: head += "retry-after: " + seconds + "\r\n"; return;
        case Hint::decimal:
            head +=
                "retry-after: " + std::to_string(ms / 1000) + "." + std::to_string(1000 + ms % 1000).substr(1) + "\r\n";
            return;
        case Hint::date:
            // Rounded up: a date has no fractions, and coming back before the time is over is the mistake to avoid.
            head += "retry-after: " +
                    core::format_http_date(
                        std::chrono::ceil<std::chrono::seconds>(now + std::chrono::ceil<milliseconds>(delay))) +
                    "\r\n";
            return;
        case Hint::ms: head += "retry-after-ms: " + std::to_string(ms) + "\r\n"; return;
        case Hint::reset:
            for (const char* what : {"requests", "tokens"}) {
                const std::string kind = std::string(what) + ": ";
                head += "x-ratelimit-limit-" + kind + "10000\r\nx-ratelimit-remaining-" + kind +
                        "0\r\nx-ratelimit-reset-" + kind + reset_text(delay) + "\r\n";
            }
            return;
        case Hint::codex:
            head +=
                "x-codex-primary-used-percent: 100\r\nx-codex-primary-window-minutes: 300\r\n"
                "x-codex-primary-reset-after-seconds: " +
                seconds +
                "\r\n"
                "x-codex-secondary-used-percent: 40\r\nx-codex-secondary-window-minutes: 10080\r\n"
                "x-codex-secondary-reset-after-seconds: 500000\r\n";
            return;
    }
}

void append_usage_limit(std::string& body, const Fault& fault, nanoseconds usual) {
    const nanoseconds delay = fault.delay.count() != 0 ? fault.delay : usual;
    body +=
        R"({"error":{"type":"usage_limit_reached","message":"The usage limit has been reached","resets_in_seconds":)" +
        std::to_string(std::chrono::ceil<std::chrono::seconds>(delay).count()) + "}}";
}

}  // namespace oai::mock
