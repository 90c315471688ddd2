#pragma once

#include "store/affinity_store.hpp"
#include "store/sqlite/connection.hpp"

namespace oai::store::sqlite {

/// AffinityStore on table affinity.
class AffinityTable final : public AffinityStore {
public:
    explicit AffinityTable(Connection& connection) noexcept : connection_(connection) {}

    core::Result<void> put(std::span<const Affinity> affinities) override;
    core::Result<std::optional<Affinity>> get(std::string_view owner, std::string_view id) override;
    core::Result<void> remove(std::string_view owner, std::string_view id) override;
    core::Result<std::vector<Affinity>> latest(std::size_t most) override;
    core::Result<std::size_t> purge(core::WallTime limit, std::size_t most) override;

private:
    Connection& connection_;
};

}  // namespace oai::store::sqlite
