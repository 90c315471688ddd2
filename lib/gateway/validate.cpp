#include <array>

#include "gateway/stages.hpp"
#include "gateway/worker_state.hpp"

namespace oai::gateway {

using core::Code;
using core::Error;
using core::Result;
using json::Kind;

namespace {

constexpr std::size_t kLongestModel = 256;

Error invalid(std::string detail, std::string_view param) {
    return Error{.code = Code::invalid_request,
                 .source = core::Source::downstream,
                 .detail = std::move(detail),
                 .param = std::string(param)};
}

}  // namespace

// The fields the gateway itself goes by; everything else is the upstream's business.
Result<void> validate(Exchange& x) {
    if (x.endpoint->body == wire::BodyTreatment::none) return {};
    const std::array<std::string_view, 3> names{"model", "stream", x.endpoint->input_field};
    std::array<json::Member, names.size()> found;
    if (Result<void> ok = x.worker.scanner.members(json::Padded{x.body.text}, names, found); !ok) return ok.error();
    const auto& [model, stream, input] = found;
    if (model.kind != Kind::string)
        return invalid(model.present() ? "model must be a string" : "model is required, such as \"gpt-5\"", "model");
    std::optional<std::string> name = model.string();
    if (!name || name->empty() || name->size() > kLongestModel)
        return invalid("model must be a name of 1 to 256 characters", "model");
    if (stream.present() && stream.kind != Kind::boolean && stream.kind != Kind::null)
        return invalid("stream must be true or false", "stream");
    if (x.endpoint->terminal == wire::Terminal::chat && input.kind != Kind::array)
        return invalid("messages is required and must be an array", "messages");
    x.body.model = model;
    x.body.model_name = std::move(*name);
    x.body.stream = stream.boolean().value_or(false);
    return {};
}

}  // namespace oai::gateway
