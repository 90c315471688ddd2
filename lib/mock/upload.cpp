#include "mock/upload.hpp"

#include <algorithm>
#include <optional>

#include "core/units.hpp"

namespace oai::mock {

using core::Result;

namespace {

constexpr std::string_view kFormType = "multipart/form-data";

core::Error no_form(std::string what) {
    return {.code = core::Code::invalid_request,
            .source = core::Source::downstream,
            .detail = "The multipart body cannot be read: " + std::move(what)};
}

/// The value of `name=` among the parameters of a field, with or without quotes.
std::optional<std::string> parameter(std::string_view field, std::string_view name) {
    for (std::size_t at = field.find(';'); at != std::string_view::npos; at = field.find(';', at + 1)) {
        std::string_view rest = core::trim(field.substr(at + 1));
        const std::size_t equals = rest.find('=');
        if (equals == std::string_view::npos || !core::equals_ignore_case(core::trim(rest.substr(0, equals)), name))
            continue;
        rest = core::trim(rest.substr(equals + 1));
        if (!rest.starts_with('"')) return std::string(core::trim(rest.substr(0, rest.find(';'))));
        std::string value;
        for (std::size_t i = 1; i < rest.size() && rest[i] != '"'; ++i) {
            if (rest[i] == '\\' && i + 1 < rest.size()) ++i;
            value += rest[i];
        }
        return value;
    }
    return {};
}

}  // namespace

bool Multipart::is_form(std::string_view content_type) noexcept {
    return core::equals_ignore_case(content_type.substr(0, kFormType.size()), kFormType);
}

Multipart::Multipart(std::string_view content_type) {
    const std::optional<std::string> boundary = parameter(content_type, "boundary");
    if (boundary && !boundary->empty() && boundary->size() <= 70) delimiter_ = "\r\n--" + *boundary;
}

Result<void> Multipart::feed(std::string_view bytes) {
    if (delimiter_.empty()) return no_form("its content type names no boundary.");
    if (state_ == State::end) return {};  // what follows the last delimiter means nothing
    pending_.append(bytes);
    for (;;) {
        const Result<bool> stepped = step();
        if (!stepped) return stepped.error();
        if (!*stepped) return {};
    }
}

/// One state further; false when that needs more bytes.
Result<bool> Multipart::step() {
    switch (state_) {
        case State::preamble:
        case State::data: {
            const std::size_t at = pending_.find(delimiter_);
            const bool found = at != std::string::npos;
            // What may be the beginning of a delimiter stays until the next bytes tell.
            const std::size_t kept = found ? 0 : std::min(pending_.size(), delimiter_.size() - 1);
            const std::size_t ready = found ? at : pending_.size() - kept;
            if (state_ == State::data) {
                const Result<void> added = add_data(std::string_view(pending_).substr(0, ready));
                if (!added) return added.error();
            }
            pending_.erase(0, found ? at + delimiter_.size() : ready);
            if (!found) return false;
            if (state_ == State::data) end_part();
            state_ = State::delimiter;
            return true;
        }
        case State::delimiter: {
            if (pending_.size() < 2) return false;
            const bool last = pending_.starts_with("--");
            if (!last && !pending_.starts_with("\r\n")) return no_form("a delimiter is followed by something else.");
            pending_.erase(0, 2);
            state_ = last ? State::end : State::head;
            return !last;
        }
        case State::head: {
            const std::size_t end = pending_.find("\r\n\r\n");
            if (end == std::string::npos) {
                if (pending_.size() > kMostHeadBytes) return no_form("the head of a part is too long.");
                return false;
            }
            const Result<void> begun = begin_part(std::string_view(pending_).substr(0, end));
            if (!begun) return begun.error();
            pending_.erase(0, end + 4);
            state_ = State::data;
            return true;
        }
        case State::end: break;
    }
    return false;
}

Result<void> Multipart::begin_part(std::string_view head) {
    constexpr std::string_view kDisposition = "content-disposition:";
    if (++parts_ > kMostParts) return no_form("it has too many parts.");
    file_ = {};
    value_.clear();
    while (!head.empty()) {
        const std::size_t end = head.find("\r\n");
        const std::string_view line = head.substr(0, end);
        head.remove_prefix(end == std::string_view::npos ? head.size() : end + 2);
        if (!core::equals_ignore_case(line.substr(0, kDisposition.size()), kDisposition)) continue;
        file_.field = parameter(line, "name").value_or("");
        const std::optional<std::string> name = parameter(line, "filename");
        is_file_ = name.has_value();
        file_.name = name.value_or("");
        if (is_file_) hash_ = std::make_unique<crypto::Sha256>();
    }
    if (file_.field.empty()) return no_form("a part has no name.");
    return {};
}

Result<void> Multipart::add_data(std::string_view bytes) {
    if (is_file_) {
        hash_->update(bytes);
        file_.bytes += bytes.size();
        if (file_.bytes > kKeptBytes) {
            file_.content.clear();
        } else {
            file_.content.append(bytes);
        }
        return {};
    }
    field_bytes_ += bytes.size();
    if (field_bytes_ > kMostFieldBytes) return no_form("its fields are too long.");
    value_.append(bytes);
    return {};
}

void Multipart::end_part() {
    if (!is_file_) {
        upload_.fields.set_text(file_.field, value_);
        return;
    }
    file_.sha256 = crypto::to_hex(hash_->finish());
    upload_.files.push_back(std::move(file_));
}

Result<Upload> Multipart::finish() {
    if (delimiter_.empty()) return no_form("its content type names no boundary.");
    if (state_ != State::end) return no_form("it does not end.");
    return std::move(upload_);
}

}  // namespace oai::mock
