#include "mock/objects.hpp"

namespace oai::mock {
namespace {

constexpr std::string_view kPolled = "queued in_progress completed";

constexpr Resource kResources[] = {
    {.path = "/v1/files",
     .object = "file",
     .prefix = "file-",
     .life = "processed",
     .defaults = R"({"expires_at":null,"status_details":null})",
     .is_file = true},
    {.path = "/v1/uploads",
     .object = "upload",
     .prefix = "upload_",
     .life = "pending",
     .defaults = R"({"expires_at":4102444800,"file":null})"},
    {.path = "/v1/uploads/*/parts",
     .object = "upload.part",
     .prefix = "part_",
     .parent_field = "upload_id",
     .is_file = true},
    {.path = "/v1/batches",
     .object = "batch",
     .prefix = "batch_",
     .life = "validating in_progress finalizing completed",
     .defaults = R"({"errors":null,"output_file_id":null,"error_file_id":null,)"
                 R"("request_counts":{"total":0,"completed":0,"failed":0},"metadata":null})"},
    {.path = "/v1/fine_tuning/jobs",
     .object = "fine_tuning.job",
     .prefix = "ftjob-",
     .life = "validating_files queued running succeeded",
     .defaults =
         R"({"error":{"code":null,"message":null,"param":null},"fine_tuned_model":null,"finished_at":null,"hyperparameters":{},)"
         R"("organization_id":"org-mock","result_files":[],"seed":0,"trained_tokens":null,)"
         R"("validation_file":null})"},
    {.path = "/v1/vector_stores",
     .object = "vector_store",
     .prefix = "vs_",
     .life = "completed",
     .defaults = R"({"name":null,"usage_bytes":0,"last_active_at":null,"metadata":{},"file_counts":)"
                 R"({"in_progress":0,"completed":0,"failed":0,"cancelled":0,"total":0}})"},
    {.path = "/v1/vector_stores/*/files",
     .object = "vector_store.file",
     .prefix = "file-",
     .life = "in_progress completed",
     .defaults = R"({"usage_bytes":0,"last_error":null})",
     .parent_field = "vector_store_id",
     .given_id = "file_id"},
    {.path = "/v1/vector_stores/*/file_batches",
     .object = "vector_store.files_batch",
     .prefix = "vsfb_",
     .life = "in_progress completed",
     .defaults = R"({"file_counts":{"in_progress":0,"completed":0,"failed":0,"cancelled":0,"total":0}})",
     .parent_field = "vector_store_id"},
    {.path = "/v1/assistants",
     .object = "assistant",
     .prefix = "asst_",
     .defaults = R"({"name":null,"description":null,"instructions":null,"tools":[],"metadata":{}})"},
    {.path = "/v1/threads",
     .object = "thread",
     .prefix = "thread_",
     .defaults = R"({"metadata":{},"tool_resources":{}})"},
    {.path = "/v1/threads/*/messages",
     .object = "thread.message",
     .prefix = "msg_",
     .defaults = R"({"assistant_id":null,"run_id":null,"attachments":[],"metadata":{}})",
     .parent_field = "thread_id"},
    {.path = "/v1/threads/*/runs",
     .object = "thread.run",
     .prefix = "run_",
     .life = kPolled,
     .defaults = R"({"required_action":null,"last_error":null,"tools":[],"metadata":{},"usage":null})",
     .parent_field = "thread_id"},
    {.path = "/v1/conversations", .object = "conversation", .prefix = "conv_", .defaults = R"({"metadata":{}})"},
    {.path = "/v1/conversations/*/items", .object = {}, .prefix = "msg_", .life = "completed", .many = "items"},
    {.path = "/v1/containers",
     .object = "container",
     .prefix = "cntr_",
     .life = "running",
     .defaults = R"({"expires_after":null})"},
    {.path = "/v1/containers/*/files",
     .object = "container.file",
     .prefix = "cfile_",
     .defaults = R"({"source":"user"})",
     .parent_field = "container_id",
     .is_file = true},
    {.path = "/v1/evals",
     .object = "eval",
     .prefix = "eval_",
     .defaults = R"({"name":"mock","testing_criteria":[],"metadata":{}})"},
    {.path = "/v1/evals/*/runs",
     .object = "eval.run",
     .prefix = "evalrun_",
     .life = kPolled,
     .defaults = R"({"error":null,"per_model_usage":[],"per_testing_criteria_results":[],"metadata":{},)"
                 R"("result_counts":{"errored":0,"failed":0,"passed":0,"total":0}})",
     .parent_field = "eval_id"},
};

}  // namespace

std::span<const Resource> resources() noexcept {
    return kResources;
}

const Resource* resource_at(std::string_view path) noexcept {
    for (const Resource& row : kResources) {
        if (row.path == path) return &row;
    }
    return nullptr;
}

}  // namespace oai::mock
