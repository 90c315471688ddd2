#include <algorithm>
#include <array>

#include "gateway/stages.hpp"
#include "gateway/worker_state.hpp"
#include "http/url.hpp"
#include "wire/multipart.hpp"

namespace oai::gateway {

using core::Code;
using core::Error;
using core::Result;
using json::Kind;
using json::Member;

namespace {

constexpr std::size_t kLongestModel = 256;

Error invalid(std::string detail, std::string_view param) {
    return Error{.code = Code::invalid_request,
                 .source = core::Source::downstream,
                 .detail = std::move(detail),
                 .param = std::string(param)};
}

std::string kinds_text(wire::Kinds kinds) {
    std::string text;
    const auto add = [&](wire::Kinds kind, std::string_view word) {
        if ((kinds & kind) == 0) return;
        if (!text.empty()) text += " or ";
        text += word;
    };
    add(wire::kString, "a string");
    add(wire::kNumber, "a number");
    add(wire::kBoolean, "true or false");
    add(wire::kArray, "an array");
    add(wire::kObject, "an object");
    return text;
}

Error wrong(const wire::FieldRule& rule, bool present) {
    const std::string name(rule.name);
    if (present) return invalid(name + " must be " + kinds_text(rule.kinds), name);
    return invalid(name == "model" ? "model is required, such as \"gpt-5\""
                                   : name + " is required and must be " + kinds_text(rule.kinds),
                   name);
}

Result<void> check(const wire::FieldRule& rule, const Member& member) {
    const bool good = member.present() ? (rule.kinds & wire::kind_bit(member.kind)) != 0 : !rule.required;
    if (good) return {};
    return wrong(rule, member.present());
}

Result<void> take_model(Exchange& x, const Member& model) {
    std::optional<std::string> name = model.string();
    if (!name || name->empty() || name->size() > kLongestModel)
        return invalid("model must be a name of 1 to 256 characters", "model");
    x.body.model = model;
    x.body.model_name = std::move(*name);
    return {};
}

/// The text of an id as it stands; one with escapes is none of ours.
std::string_view id_text(const Member& member) noexcept {
    return member.plain_string();
}

Result<void> read_fields(Exchange& x) {
    const std::span<const wire::FieldRule> rules = x.endpoint->fields;
    x.body.store = x.endpoint->terminal != wire::Terminal::chat;  // chat stores what it is told to store
    std::array<std::string_view, wire::kMostFields> names;
    std::array<Member, wire::kMostFields> found;
    std::ranges::transform(rules, names.begin(), &wire::FieldRule::name);
    if (Result<void> ok = x.worker.scanner.members(json::Padded{x.body.text}, std::span(names).first(rules.size()),
                                                   std::span(found).first(rules.size()));
        !ok)
        return ok.error();
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const Member& member = found[i];
        const std::string_view name = rules[i].name;
        const bool by_path = name == "model" && !member.present() && !x.deployment.empty();
        if (Result<void> ok = check(rules[i], member); !ok && !by_path) return ok;
        if (name == "stream_options") x.body.stream_options = member;
        if (member.kind == Kind::null || !member.present()) continue;
        if (name == "model") {
            if (Result<void> ok = take_model(x, member); !ok) return ok;
        } else if (name == "stream") {
            x.body.stream = member.boolean().value_or(false);
        } else if (name == "store") {
            x.body.store = member.boolean().value_or(true);
        } else if (name == "previous_response_id") {
            x.body.previous_response = id_text(member);
        } else if (name == "prompt_cache_key") {
            x.body.cache_key = id_text(member);
        }
    }
    return {};
}

/// The fields of a form that stand in the part of it that is here. Without its model the decision is impossible where
/// it depends on that: a wrong one would send the request to another provider, or under a name it does not have.
Result<void> read_form(Exchange& x) {
    static constexpr std::array<std::string_view, 2> names{"model", "stream"};
    std::array<std::string_view, names.size()> found;
    const std::string_view type = x.request.fields.value(http::KnownField::content_type);
    if (Result<void> ok = wire::form_fields(type, x.body.text, names, found); !ok) return ok;
    const auto& [model, stream] = found;
    if (model.size() > kLongestModel) return invalid("model must be a name of 1 to 256 characters", "model");
    const bool cut = x.body.rest != nullptr && wire::is_form(type);
    if (model.empty() && cut && x.endpoint->form_model && x.deployment.empty() && x.tables->catalog.needs_model())
        return invalid("model was not found in the first " + std::to_string(x.body.text.size()) +
                           " bytes of the form; send it before the files",
                       "model");
    x.body.form_model = model;
    x.body.model_name = std::string(model);
    x.body.stream = stream == "true";
    return {};
}

}  // namespace

// The fields the gateway itself goes by; everything else is the upstream's business.
Result<void> validate(Exchange& x) {
    switch (x.endpoint->body) {
        case wire::BodyTreatment::none: break;
        case wire::BodyTreatment::json: {
            // Calls such as POST .../cancel come without a body.
            const bool optional = std::ranges::none_of(x.endpoint->fields, &wire::FieldRule::required);
            if (x.body.text.empty() && optional) break;
            if (Result<void> ok = read_fields(x); !ok) return ok;
            break;
        }
        case wire::BodyTreatment::bytes:
            if (Result<void> ok = read_form(x); !ok) return ok;
            break;
    }
    if (x.body.model_name.empty() && !x.deployment.empty()) {
        Result<std::string> model = http::percent_decode(x.deployment);
        if (!model) return model.error();
        x.body.model_name = std::move(*model);
    }
    return {};
}

}  // namespace oai::gateway
