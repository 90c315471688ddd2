#include <algorithm>
#include <array>
#include <span>
#include <string>

#include <benchmark/benchmark.h>
#include <nlohmann/json.hpp>
#include <simdjson.h>

#include "counting.hpp"
#include "inputs.hpp"
#include "json/edit.hpp"
#include "json/scanner.hpp"
#include "naive.hpp"
#include "net/buffer.hpp"
#include "net/pieces.hpp"
#include "wire/endpoints.hpp"
#include "wire/model_edit.hpp"

// Point 1. The edit that the proposal names: set the model, drop max_output_tokens, store false, stream true.
namespace oai::bench {
namespace {

/// A body where the gateway has it: in a buffer with padding behind.
struct Received {
    explicit Received(std::int64_t bytes) { buffer.append(make_body(static_cast<std::size_t>(bytes))); }
    std::string_view text() const noexcept { return buffer.readable(); }

    net::BufferPool pool;
    net::Buffer buffer{pool};
};

/// An edit as the gateway makes it: places in the body, and what stands there instead.
struct Edit {
    std::string model = wire::quoted_model(kUpstreamModel);
    std::array<json::Splice, 4> splices{};

    void sort() {
        std::ranges::sort(splices, {}, [](const json::Splice& splice) { return splice.where.data(); });
    }
    net::Pieces pieces(std::string_view body) const {
        net::Pieces out;
        json::spliced(body, splices, [&](std::string_view piece) { out.add(piece); });
        return out;
    }
};

/// The gateway's way: every field that the endpoint goes by, found and checked in one scan.
bool scan(json::Scanner& scanner, std::string_view body, Edit& edit) {
    static const std::span<const wire::FieldRule> rules = wire::endpoint_named("responses")->fields;
    std::array<std::string_view, wire::kMostFields> names;
    std::array<json::Member, wire::kMostFields> found;
    std::ranges::transform(rules, names.begin(), &wire::FieldRule::name);
    if (!scanner.members(json::Padded{body}, std::span(names).first(rules.size()),
                         std::span(found).first(rules.size())))
        return false;
    const auto member = [&](std::string_view name) -> const json::Member& {
        return found[static_cast<std::size_t>(std::ranges::find(names, name) - names.begin())];
    };
    edit.splices = {{{member("model").raw, edit.model},
                     {json::whole_member(body, member("max_output_tokens")), {}},
                     {member("store").raw, "false"},
                     {member("stream").raw, "true"}}};
    edit.sort();
    return true;
}

/// The limit: simdjson alone, and nothing but these four fields.
bool scan_bare(simdjson::ondemand::parser& parser, std::string_view body, Edit& edit) {
    simdjson::ondemand::document document;
    const simdjson::padded_string_view padded(body.data(), body.size(), body.size() + simdjson::SIMDJSON_PADDING);
    simdjson::ondemand::object object;
    if (parser.iterate(padded).get(document) || document.get_object().get(object)) return false;
    for (auto result : object) {
        simdjson::ondemand::field field;
        std::string_view key;
        if (std::move(result).get(field) || field.unescaped_key().get(key)) return false;
        if (key == "input") {
            // Asked for, as ours does: simdjson passes over an array faster so than by leaving it to its iterator.
            simdjson::ondemand::array items;
            std::string_view text;
            if (field.value().get_array().get(items) || items.raw_json().get(text)) return false;
            continue;
        }
        const std::string_view raw = field.value().raw_json_token();
        if (key == "model") edit.splices[0] = {raw.substr(0, raw.rfind('"') + 1), edit.model};
        if (key == "max_output_tokens") edit.splices[1] = {json::whole_member(body, {json::Kind::number, raw}), {}};
        if (key == "store") edit.splices[2] = {raw.substr(0, 4), "false"};
        if (key == "stream") edit.splices[3] = {raw.substr(0, 5), "true"};
    }
    edit.sort();
    return true;
}

std::string joined(const net::Pieces& pieces) {
    std::string text;
    for (const std::string_view piece : pieces.rest()) text += piece;
    return text;
}

/// All ways have the same result, or what they take says nothing.
bool is_right(std::string_view result, std::string_view body) {
    return nlohmann::json::parse(result) == nlohmann::json::parse(naive::edit_body(body));
}

void edit_naive(benchmark::State& state) {
    const Received body(state.range(0));
    const Counting counting(state);
    for (auto _ : state) benchmark::DoNotOptimize(naive::edit_body(body.text()));
}

void edit_rapidjson(benchmark::State& state) {
    const Received body(state.range(0));
    if (!is_right(naive::edit_body_rapid(body.text()), body.text())) return state.SkipWithError("another result");
    const Counting counting(state);
    for (auto _ : state) benchmark::DoNotOptimize(naive::edit_body_rapid(body.text()));
}

void edit_simdjson(benchmark::State& state) {
    const Received body(state.range(0));
    simdjson::ondemand::parser parser;
    Edit edit;
    if (!scan_bare(parser, body.text(), edit) || !is_right(joined(edit.pieces(body.text())), body.text()))
        return state.SkipWithError("another result");
    const Counting counting(state);
    for (auto _ : state) {
        Edit made;
        benchmark::DoNotOptimize(scan_bare(parser, body.text(), made));
        benchmark::DoNotOptimize(made.pieces(body.text()));
    }
}

void edit_ours(benchmark::State& state) {
    const Received body(state.range(0));
    json::Scanner scanner;
    Edit edit;
    if (!scan(scanner, body.text(), edit) || !is_right(joined(edit.pieces(body.text())), body.text()))
        return state.SkipWithError("another result");
    const Counting counting(state);
    for (auto _ : state) {
        Edit made;
        benchmark::DoNotOptimize(scan(scanner, body.text(), made));
        benchmark::DoNotOptimize(made.pieces(body.text()));
    }
}

constexpr std::int64_t kKb = 1000;
BENCHMARK(edit_naive)->Name("01_body_edit/naive")->Arg(kKb)->Arg(50 * kKb)->Arg(211 * kKb)->Arg(500 * kKb);
BENCHMARK(edit_ours)->Name("01_body_edit/ours")->Arg(kKb)->Arg(50 * kKb)->Arg(211 * kKb)->Arg(500 * kKb);
BENCHMARK(edit_rapidjson)->Name("01_body_edit/rapidjson")->Arg(211 * kKb);
BENCHMARK(edit_simdjson)->Name("01_body_edit/simdjson")->Arg(211 * kKb);

}  // namespace
}  // namespace oai::bench
