#pragma once

#include <mutex>
#include <utility>

#include "store/sqlite/database.hpp"

namespace oai::store::sqlite {

/// What the tables of one store share. Each of their calls holds the mutex for its whole length: statements are
/// prepared once per connection and cannot run twice at a time.
struct Connection {
    explicit Connection(Database opened) : database(std::move(opened)) {}

    Database database;
    std::mutex mutex;
};

}  // namespace oai::store::sqlite
