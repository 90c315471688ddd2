#include "core/clock.hpp"

namespace oai::core {
namespace {

class SystemClock final : public Clock {
public:
    TimePoint now() const noexcept override { return std::chrono::steady_clock::now(); }
    WallTime wall_now() const noexcept override { return std::chrono::system_clock::now(); }
};

}  // namespace

const Clock& system_clock() noexcept {
    static const SystemClock clock;
    return clock;
}

}  // namespace oai::core
