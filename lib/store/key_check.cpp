#include "store/key_check.hpp"

#include <string>

namespace oai::store {
namespace {

using core::Code;
using core::Error;
using core::Result;

// These are in databases: never to be changed.
constexpr std::string_view kSetting = "encryption_key_check";
constexpr std::string_view kText = "oaigw";

}  // namespace

Result<void> check_encryption_key(SettingsStore& settings, const crypto::Sealer& sealer, std::string_view where) {
    Result<std::optional<Setting>> stored = settings.get(kSetting);
    if (!stored) return stored.error();
    if (!*stored) {
        const auto put = settings.put_if(kSetting, sealer.seal(kText, kSetting), 0);
        if (!put) return put.error();
        if (*put) return {};
        stored = settings.get(kSetting);  // another process was first: it must have the same key
        if (!stored) return stored.error();
    }
    const Setting check = stored->value_or(Setting{});
    const Result<std::string> text = sealer.open(check.value, kSetting);
    if (!text || *text != kText)
        return Error{.code = Code::invalid_argument,
                     .detail = std::string(where) + ": is not the encryption key this store was made with (" +
                               (text ? "the check value is another one" : text.error().detail) +
                               "); put the right key there, or name another store"};
    if (!sealer.needs_resealing(check.value)) return {};
    const auto put = settings.put_if(kSetting, sealer.seal(kText, kSetting), check.version);
    if (!put) return put.error();  // empty: another process sealed it again
    return {};
}

}  // namespace oai::store
