#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "http/client.hpp"
#include "upstream/account.hpp"

namespace oai::upstream {

/// A model as its provider lists it.
struct ListedModel {
    std::string id;
    std::string json;  ///< the object as it came, with what OpenAI's clients expect in it
};

/// The models that each account's provider listed last. Whoever finds a list too old has it fetched, beside the
/// traffic; meanwhile, and when that fails, the old one serves. Any thread.
class ModelLists {
public:
    using List = std::shared_ptr<const std::vector<ListedModel>>;
    /// A provider that failed is asked again after this time, or `ttl` when that is shorter.
    static constexpr std::chrono::seconds kRetryAfter{30};

    /// The list as it is; null: there is none yet.
    List list(const Account& account);
    /// Whether a list has to be fetched.
    struct Need {
        bool known = false;  ///< it was asked before: waiting brings nothing that is missing
        bool fetch = false;  ///< the caller must fetch it and `put` what comes of it; nobody else will
    };
    Need need(const Account& account, core::TimePoint now, std::chrono::nanoseconds ttl);
    /// What a fetch brought. A failure keeps what there is.
    void put(const Account& account, core::Result<std::vector<ListedModel>> fetched, core::TimePoint now);

private:
    struct Entry {
        List list;
        bool known = false;
        bool failed = false;
        bool fetching = false;
        core::TimePoint fetched_at{};
    };
    static std::string key(const Account& account);

    std::mutex mutex_;
    std::map<std::string, Entry> entries_;  ///< by the account's name and URL: another URL has other models
};

/// The request for an account's list. `credential`: header lines.
http::WrittenRequest model_list_request(const Account& account, std::string_view credential);
/// What an answer to it says: the models of an OpenAI or Anthropic list, at most 5,000.
core::Result<std::vector<ListedModel>> read_model_list(const http::ClientResponse& response);

}  // namespace oai::upstream
