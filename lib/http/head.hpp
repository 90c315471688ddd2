#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/result.hpp"
#include "http/known_field.hpp"

namespace oai::http {

// Strict by choice, with request smuggling in mind (RFC 9110, 9112): what two parsers could read in two ways is
// refused, not repaired. No allocation unless a head is refused.

/// One header line; both views point into the input. The value is trimmed and holds no CR, LF, NUL or other control
/// character but HTAB; the name is a token, in the sender's case.
struct Field {
    Field(std::string_view its_name, std::string_view its_value) noexcept
        : Field(its_name, its_value, known_field(its_name), 0) {}
    /// Precondition: `its_known` is that of the name.
    Field(std::string_view its_name, std::string_view its_value, KnownField its_known, std::size_t bytes) noexcept
        : name(its_name), value(its_value), line_bytes(static_cast<std::uint32_t>(bytes)), known(its_known) {}

    std::string_view name;
    std::string_view value;
    std::uint32_t line_bytes;  ///< from the name to behind the line's CRLF; 0 for a field that was not read
    KnownField known;

    /// All of the line as it came, its CRLF included: lines that follow each other lie next to each other.
    std::string_view line() const noexcept { return {name.data(), line_bytes}; }
};

/// Header fields in their order, in place.
class Fields {
public:
    static constexpr std::size_t kCapacity = 128;

    // The slots stay uninitialized: clearing 5 KiB for each head would cost a tenth of reading it.
    Fields() noexcept {}  // NOLINT(modernize-use-equals-default)

    const Field* begin() const noexcept { return slots_.data(); }
    const Field* end() const noexcept { return slots_.data() + size_; }
    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }
    const Field& operator[](std::size_t i) const noexcept { return slots_[i]; }

    bool has(KnownField known) const noexcept { return present_.has(known); }
    /// The first field of that name; null when there is none. Precondition: not `other`.
    const Field* find(KnownField known) const noexcept {
        return has(known) ? &slots_[first_[static_cast<std::size_t>(known)]] : nullptr;
    }
    /// Its value; empty when there is none.
    std::string_view value(KnownField known) const noexcept {
        const Field* const field = find(known);
        return field == nullptr ? std::string_view{} : field->value;
    }

    /// The same for any name, case-insensitive: a search, unless the name is a known one.
    const Field* find(std::string_view name) const noexcept;
    /// Its value, or `otherwise`.
    std::string_view value(std::string_view name, std::string_view otherwise = {}) const noexcept;
    std::size_t count(std::string_view name) const noexcept;

    /// False when full.
    bool push_back(const Field& field) noexcept {
        if (size_ == kCapacity) return false;
        if (!present_.has(field.known)) {
            present_.add(field.known);
            first_[static_cast<std::size_t>(field.known)] = static_cast<std::uint8_t>(size_);
        }
        slots_[size_++] = field;
        return true;
    }
    void clear() noexcept {
        size_ = 0;
        present_ = {};
    }

private:
    union {
        std::array<Field, kCapacity> slots_;
    };
    std::size_t size_ = 0;
    FieldSet present_;
    std::array<std::uint8_t, kKnownFields + 1> first_;  ///< the slot of the first one, for those that are present
};

class StopScan;

struct HeadLimits {
    std::size_t max_bytes = std::size_t{32} * 1024;  ///< of the whole head, its last empty line included
    std::size_t max_fields = 100;                    ///< at most Fields::kCapacity
};

enum class BodyFraming : std::uint8_t {
    none,         ///< no body, whatever the fields say
    length,       ///< exactly `content_length` bytes, which may be 0
    chunked,      ///< see chunked.hpp
    until_close,  ///< responses only: everything until the peer closes
};

/// What requests and responses have in common.
struct Head {
    Fields fields;
    int minor_version = 1;  ///< HTTP/1.0 or HTTP/1.1; nothing else is read
    BodyFraming body = BodyFraming::none;
    std::uint64_t content_length = 0;  ///< with BodyFraming::length; below 2^63. The announced one in an answer to HEAD
    bool keep_alive = true;            ///< the connection may carry another exchange after this one
    bool lists_fields = false;  ///< Connection lists more than close, keep-alive and upgrade: see connection_lists
    bool upgrade = false;       ///< request: asks for one (Connection lists it, Upgrade names it). Response: 101
};

struct RequestHead : Head {
    std::string_view method;  ///< a token, case-sensitive
    std::string_view target;  ///< as it came; forward `path` and `query`, never this
    std::string_view path;    ///< begins with '/', still percent-encoded; "*" for OPTIONS *
    std::string_view query;   ///< after the first '?', without it; empty when there is none
    std::string_view host;    ///< of the Host field, or of an absolute target; may be empty
    bool expect_continue = false;
};

struct ResponseHead : Head {
    int status = 0;           ///< 100 to 599
    std::string_view reason;  ///< may be empty
};

namespace detail {
/// What Connection listed, until the head is whole.
struct FramingFacts {
    bool close = false;
    bool keep_alive = false;
    bool lists_upgrade = false;
};
struct Line;
}  // namespace detail

enum class HeadStatus : std::uint8_t { incomplete, complete, malformed };

/// Reads the head of one message after the other. Give it the bytes read so far, each time from the head's first byte
/// on; whatever follows the head is left alone. A line is judged when it is whole, or at the control character that may
/// not be in it, so the answer does not depend on how the bytes arrived; it remembers how far it looked, so that
/// feeding single bytes costs as much as feeding all at once.
///
/// Between two calls for one head the input may grow and `out` must be the same object. A buffer that moved to another
/// address is read again from its start. After `complete` the next call begins a new head; `malformed` stays until
/// reset().
class HeadReader {
public:
    explicit HeadReader(HeadLimits limits = {}) noexcept : limits_(limits) {}

    /// Errors: Code::malformed_http; Code::target_too_long when the request line alone is over the limit of a head, and
    /// Code::head_too_large when all of it is over a limit; the connection must close after the answer.
    /// At most one empty line before the request line is skipped.
    HeadStatus read_request(std::string_view input, RequestHead& out);

    /// An upstream's answer to a request of that method. More lenient where the ecosystem needs it: the reason phrase
    /// or its blank may be missing, equal Content-Length values are one. A status 1xx (but 101) is an interim head:
    /// read on. Errors: Code::upstream_malformed.
    HeadStatus read_response(std::string_view input, std::string_view request_method, ResponseHead& out);

    /// After `complete`: the length of the head. The body, or the next head, begins there.
    std::size_t consumed() const noexcept { return line_start_; }
    /// After `malformed`: what was wrong and where, for a person. Never holds bytes of a value.
    const core::Error& error() const noexcept { return error_; }
    void reset() noexcept;

    /// Bytes looked at for line ends, over all calls since reset().
    std::uint64_t scanned_for_test() const noexcept { return total_scanned_; }

private:
    enum class Stage : std::uint8_t { start_line, fields, complete, malformed };

    template <class H>
    HeadStatus read(std::string_view input, H& out, bool answers_head);
    template <class H>
    HeadStatus read_first_line(StopScan& scan, detail::Line& line, H& out);
    template <class H>
    HeadStatus read_fields(StopScan scan, detail::Line line, H& out, bool answers_head);
    void remember(const detail::Line& line) noexcept;
    void begin(std::string_view input) noexcept;
    HeadStatus refuse(std::string_view where, std::string_view what, bool response);
    HeadStatus refuse_size(std::string_view what, std::size_t limit, bool response);

    HeadLimits limits_;
    const char* base_ = nullptr;  ///< where the input was at the last call
    std::size_t line_start_ = 0;  ///< of the first line that is not read yet
    std::size_t scanned_ = 0;     ///< no line ends between line_start_ and here
    std::size_t colon_ = 0;       ///< the first one of the line that is not read yet; 0 when it has none so far
    std::uint64_t total_scanned_ = 0;
    Stage stage_ = Stage::start_line;
    bool skipped_empty_ = false;
    detail::FramingFacts facts_;
    core::Error error_;
};

/// Whether a comma-separated list holds `token`, case-insensitive.
bool list_has(std::string_view list, std::string_view token) noexcept;

/// Whether any Connection field lists `name`: then it ends at this hop.
bool connection_lists(const Fields& fields, std::string_view name) noexcept;

}  // namespace oai::http
