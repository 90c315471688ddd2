#include "http/websocket_deflate.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include <zlib.h>

#include "core/units.hpp"

namespace oai::http {
namespace {

using core::equals_ignore_case;

constexpr std::string_view kName = "permessage-deflate";
constexpr std::string_view kField = "sec-websocket-extensions";
/// Every packed message ends with it, so it is not sent (RFC 7692, 7.2.1).
constexpr std::string_view kTail{"\x00\x00\xff\xff", 4};
/// A gateway packs once what is unpacked once: beyond level 1 it would pay much time for few bytes.
constexpr int kLevel = Z_BEST_SPEED;
constexpr int kMemLevel = 8;

/// One member of a Sec-WebSocket-Extensions list (RFC 6455, 9.1), read as far as permessage-deflate needs it.
struct Parameters {
    bool server_no_takeover = false;
    bool client_no_takeover = false;
    int server_bits = 0;  ///< 0: not named
    int client_bits = 0;
    bool names_client_bits = false;  ///< with or without a value
};

void trim(std::string_view& text) noexcept {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
}

/// Takes what stands before the next `separator` off `rest`. None of our values may hold one, quoted or not.
std::string_view take_until(std::string_view& rest, char separator) noexcept {
    const std::size_t end = std::min(rest.find(separator), rest.size());
    std::string_view part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    trim(part);
    return part;
}

/// 8 to 15 without leading zeros; 0 for anything else.
int read_bits(std::string_view value) noexcept {
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    if (value == "8") return 8;
    if (value == "9") return 9;
    if (value.size() == 2 && value[0] == '1' && value[1] >= '0' && value[1] <= '5') return 10 + value[1] - '0';
    return 0;
}

/// False for a parameter that is unknown, has a wrong value or stands twice.
bool read_parameter(std::string_view name, std::string_view value, bool has_value, Parameters& out) noexcept {
    const auto flag = [&](bool& set) { return !has_value && !std::exchange(set, true); };
    if (equals_ignore_case(name, "server_no_context_takeover")) return flag(out.server_no_takeover);
    if (equals_ignore_case(name, "client_no_context_takeover")) return flag(out.client_no_takeover);
    if (equals_ignore_case(name, "server_max_window_bits"))
        return out.server_bits == 0 && (out.server_bits = read_bits(value)) != 0;
    if (equals_ignore_case(name, "client_max_window_bits"))
        return !std::exchange(out.names_client_bits, true) && (!has_value || (out.client_bits = read_bits(value)) != 0);
    return false;
}

/// The parameters behind the extension's name.
std::optional<Parameters> read_parameters(std::string_view text) {
    Parameters parameters;
    while (!text.empty()) {
        std::string_view part = take_until(text, ';');
        const bool has_value = part.find('=') != std::string_view::npos;
        const std::string_view name = take_until(part, '=');
        if (!read_parameter(name, part, has_value, parameters)) return std::nullopt;
    }
    return parameters;
}

/// Calls `use(name, parameters)` for each extension in each of the fields; false as soon as one call says so.
template <class Use>
bool for_each_extension(const Fields& fields, Use use) {
    for (const Field& field : fields) {
        if (!equals_ignore_case(field.name, kField)) continue;
        for (std::string_view rest = field.value; !rest.empty();) {
            std::string_view member = take_until(rest, ',');
            if (member.empty()) continue;
            const std::string_view name = take_until(member, ';');
            if (!use(name, member)) return false;
        }
    }
    return true;
}

/// What an offer and an answer have in common.
std::string text_of(const Deflate& terms) {
    std::string text(kName);
    if (!terms.server.context_takeover) text += "; server_no_context_takeover";
    if (!terms.client.context_takeover) text += "; client_no_context_takeover";
    return text;
}

std::string with_bits(std::string_view parameter, int bits) {
    return "; " + std::string(parameter) + "=" + std::to_string(bits);
}

core::Error wrong_answer(std::string detail) {
    return {.code = core::Code::upstream_malformed,
            .source = core::Source::upstream,
            .detail = "WebSocket handshake: " + std::move(detail)};
}

}  // namespace

std::optional<AcceptedDeflate> accept_deflate(const Fields& request, const Deflate& most) {
    std::optional<AcceptedDeflate> accepted;
    for_each_extension(request, [&](std::string_view name, std::string_view rest) {
        if (!equals_ignore_case(name, kName)) return true;
        const std::optional<Parameters> offer = read_parameters(rest);
        // zlib packs with 9 bits or more: what we could not keep is not promised.
        if (!offer || offer->server_bits == 8) return true;
        Deflate agreed = most;
        if (offer->client_no_takeover) agreed.client.context_takeover = false;
        if (offer->server_no_takeover) agreed.server.context_takeover = false;
        if (offer->server_bits != 0)
            agreed.server.window_bits = std::min(agreed.server.window_bits, offer->server_bits);
        if (offer->client_bits != 0)
            agreed.client.window_bits = std::min(agreed.client.window_bits, offer->client_bits);
        // A client that does not name the parameter packs with 15 bits, and may not be told otherwise.
        if (!offer->names_client_bits) agreed.client.window_bits = 15;
        std::string answer = text_of(agreed);
        if (offer->server_bits != 0 || agreed.server.window_bits < 15)
            answer += with_bits("server_max_window_bits", agreed.server.window_bits);
        if (agreed.client.window_bits < 15) answer += with_bits("client_max_window_bits", agreed.client.window_bits);
        accepted = AcceptedDeflate{agreed, std::move(answer)};
        return false;
    });
    return accepted;
}

std::string deflate_offer(const Deflate& wanted) {
    std::string offer = text_of(wanted);
    if (wanted.server.window_bits < 15) offer += with_bits("server_max_window_bits", wanted.server.window_bits);
    // Without a value it says that we understand the parameter.
    offer += wanted.client.window_bits < 15 ? with_bits("client_max_window_bits", wanted.client.window_bits)
                                            : "; client_max_window_bits";
    return offer;
}

core::Result<std::optional<Deflate>> check_deflate_answer(const Fields& answer, const std::optional<Deflate>& offered) {
    std::optional<Deflate> agreed;
    std::string wrong;
    for_each_extension(answer, [&](std::string_view name, std::string_view rest) {
        if (!offered || agreed || !equals_ignore_case(name, kName)) {
            wrong = "the server chose an extension that was not offered";
            return false;
        }
        const std::optional<Parameters> given = read_parameters(rest);
        const bool bits_without_value = given && given->names_client_bits && given->client_bits == 0;
        if (!given || bits_without_value) {
            wrong = "the server answered permessage-deflate with a parameter that is not one";
            return false;
        }
        const int server_bits = given->server_bits == 0 ? 15 : given->server_bits;
        if (server_bits > offered->server.window_bits ||
            (!offered->server.context_takeover && !given->server_no_takeover)) {
            wrong = "the server did not accept what was asked of it for permessage-deflate";
            return false;
        }
        // zlib packs with 9 bits or more.
        if (given->client_bits == 8) {
            wrong = "the server wants a window of 8 bits, and 9 is the least here";
            return false;
        }
        const int client_bits = given->client_bits == 0 ? 15 : given->client_bits;
        agreed = Deflate{{offered->client.context_takeover && !given->client_no_takeover,
                          std::min(client_bits, offered->client.window_bits)},
                         {!given->server_no_takeover, server_bits}};
        return true;
    });
    if (!wrong.empty()) return wrong_answer(std::move(wrong));
    return agreed;
}

void detail::EndInflate::operator()(z_stream_s* stream) const noexcept {
    ::inflateEnd(stream);
    delete stream;
}

void detail::EndDeflate::operator()(z_stream_s* stream) const noexcept {
    ::deflateEnd(stream);
    delete stream;
}

MessageInflater::Status MessageInflater::add(std::string_view piece, net::Buffer& out, std::size_t limit) {
    if (!stream_) {
        auto fresh = std::make_unique<z_stream_s>();
        // 9 at least: old zlib packed with 9 bits after it had agreed to 8.
        if (::inflateInit2(fresh.get(), -std::max(9, peer_.window_bits)) != Z_OK) throw std::bad_alloc();
        stream_.reset(fresh.release());
    }
    stream_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
    stream_->avail_in = static_cast<uInt>(piece.size());
    for (;;) {
        // Room grows with what came out, up to one byte beyond the limit, which tells "full" from "too much".
        if (out.writable().empty()) out.reserve(std::max<std::size_t>(1, out.size()));
        const std::size_t room = std::min(out.writable().size(), limit + 1 - out.size());
        stream_->next_out = reinterpret_cast<Bytef*>(out.writable().data());
        stream_->avail_out = static_cast<uInt>(room);
        const int status = ::inflate(stream_.get(), Z_NO_FLUSH);
        out.commit(room - stream_->avail_out);
        if (out.size() > limit) return Status::too_large;
        if (status == Z_STREAM_END) {
            // A block that says it is the last one ends zlib's stream, not the message (RFC 7692, 7.2.3.4).
            ::inflateResetKeep(stream_.get());
        } else if (status != Z_OK && status != Z_BUF_ERROR) {
            return Status::malformed;
        }
        if (stream_->avail_in == 0 && stream_->avail_out != 0) return Status::good;
    }
}

MessageInflater::Status MessageInflater::finish(net::Buffer& out, std::size_t limit) {
    if (const Status status = add(kTail, out, limit); status != Status::good) return status;
    // The tail must have been read as what it is, the end of an empty block: bit 7 says that zlib stands at the end of
    // one, the low six bits count bits that are left over.
    const bool whole = (stream_->data_type & 128) != 0 && (stream_->data_type & 63) == 0;
    if (!peer_.context_takeover) stream_.reset();
    return whole ? Status::good : Status::malformed;
}

void MessageDeflater::pack(std::string_view message, net::Buffer& out) {
    if (message.empty()) {
        // zlib has nothing to flush twice in a row; this is an empty block without its tail.
        out.append(std::string_view("\0", 1));
        return;
    }
    if (!stream_) {
        auto fresh = std::make_unique<z_stream_s>();
        if (::deflateInit2(fresh.get(), kLevel, Z_DEFLATED, -own_.window_bits, kMemLevel, Z_DEFAULT_STRATEGY) != Z_OK)
            throw std::bad_alloc();
        stream_.reset(fresh.release());
    }
    stream_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(message.data()));
    stream_->avail_in = static_cast<uInt>(message.size());
    out.reserve(::deflateBound(stream_.get(), static_cast<uLong>(message.size())) + kTail.size());
    do {
        if (out.writable().empty()) out.reserve(64);
        const std::size_t room = out.writable().size();
        stream_->next_out = reinterpret_cast<Bytef*>(out.writable().data());
        stream_->avail_out = static_cast<uInt>(room);
        ::deflate(stream_.get(), Z_SYNC_FLUSH);
        out.commit(room - stream_->avail_out);
    } while (stream_->avail_out == 0);
    out.truncate(out.size() - kTail.size());
    if (!own_.context_takeover) stream_.reset();
}

}  // namespace oai::http
