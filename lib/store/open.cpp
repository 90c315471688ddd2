#include "store/open.hpp"

#include <string>

#include "store/memory/memory_store.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace oai::store {

core::Result<std::unique_ptr<Store>> open(std::string_view url) {
    constexpr std::string_view sqlite = "sqlite:";
    if (url == "memory:") return make_memory_store();
    if (url.starts_with(sqlite)) return open_sqlite_store(std::string(url.substr(sqlite.size())));
    // Only what stands before the colon: the rest of a database URL may hold a password.
    return core::Error{.code = core::Code::invalid_argument,
                       .detail = "a store must be like sqlite:data/oaigw.db or memory:, got \"" +
                                 std::string(url.substr(0, url.find(':'))) +
                                 (url.find(':') == url.npos ? "\"" : ":...\"")};
}

}  // namespace oai::store
