#include "gateway/stages.hpp"
#include "gateway/worker_state.hpp"

namespace oai::gateway {

using core::Result;

Result<void> select_version(Exchange& x) {
    Result<upstream::Selection> selection = x.tables->catalog.select(x.body.model_name, x.worker.net.ids().next());
    if (!selection) return selection.error();
    x.selection = *selection;
    return {};
}

}  // namespace oai::gateway
