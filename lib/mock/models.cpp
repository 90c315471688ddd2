#include <utility>

#include "json/writer.hpp"
#include "mock/format.hpp"

namespace oai::mock {
namespace {

constexpr std::int64_t kModelsCreatedAt = 1'754'006'400;  // 2025-08-01, the same for all

void append_model(std::string& out, std::string_view id) {
    out += R"({"id":)";
    json::append_quoted(out, id);
    append(out, R"(,"object":"model","created":)", kModelsCreatedAt, R"(,"owned_by":"mock"})");
}

class ModelListFormat final : public Format {
public:
    void body(std::string& out, const Answer& a) const override {
        out += R"({"object":"list","data":[)";
        bool first = true;
        for (const std::string& model : *a.models) {
            if (!std::exchange(first, false)) out += ',';
            append_model(out, model);
        }
        out += "]}";
    }
};

/// Every name is a model here: faults are chosen by inventing one.
class ModelFormat final : public Format {
public:
    void body(std::string& out, const Answer& a) const override { append_model(out, a.resource); }
};

}  // namespace

const Format& model_list_format() noexcept {
    static const ModelListFormat format;
    return format;
}

const Format& model_format() noexcept {
    static const ModelFormat format;
    return format;
}

}  // namespace oai::mock
