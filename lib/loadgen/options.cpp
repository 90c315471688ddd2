#include "loadgen/options.hpp"

#include <algorithm>
#include <limits>

#include "config/secret.hpp"
#include "core/units.hpp"

namespace oai::loadgen {

using core::Code;
using core::Error;
using core::Result;

namespace {

/// Reads one setting after the other and remembers the first error.
class Settings {
public:
    explicit Settings(const config::Environment& environment) : environment_(environment) {}

    struct Chosen {
        std::string text;
        std::string name;  ///< the flag or variable it came from, for errors
    };
    /// Empty `variable`: the setting has none.
    std::optional<Chosen> choose(const OptionTexts::Text& given, const char* flag, const char* variable) const {
        if (given) return Chosen{*given, flag};
        const std::optional<std::string> set = *variable != '\0' ? environment_(variable) : std::nullopt;
        if (set && !set->empty()) return Chosen{*set, variable};
        return std::nullopt;
    }

    void text(std::string& into, const OptionTexts::Text& given, const char* flag, const char* variable) {
        if (std::optional<Chosen> chosen = choose(given, flag, variable)) into = std::move(chosen->text);
    }
    template <class T, class Parse>
    void parsed(T& into, const OptionTexts::Text& given, const char* flag, const char* variable, Parse parse) {
        const std::optional<Chosen> chosen = choose(given, flag, variable);
        if (!chosen) return;
        const auto value = parse(chosen->text);
        if (value) {
            into = static_cast<T>(*value);
        } else {
            fail(chosen->name, value.error());
        }
    }
    void fail(const std::string& name, const Error& error) {
        if (!failed_) failed_ = Error{.code = Code::invalid_argument, .detail = name + ": " + error.detail};
    }
    const std::optional<Error>& failed() const noexcept { return failed_; }

private:
    const config::Environment& environment_;
    std::optional<Error> failed_;
};

Result<std::uint64_t> parse_count(std::string_view text) {
    constexpr std::uint64_t kMost = 1'000'000;
    const Result<std::uint64_t> value = core::parse_unsigned(text);
    if (value && *value >= 1 && *value <= kMost) return value;
    return Error{.code = Code::invalid_argument,
                 .detail = "must be a whole number from 1 to 1000000, got \"" + std::string(text) + "\""};
}

Result<std::uint64_t> parse_workers(std::string_view text) {
    constexpr std::uint64_t kMost = 64;
    const Result<std::uint64_t> value = core::parse_unsigned(text);
    if (value && *value >= 1 && *value <= kMost) return value;
    return Error{.code = Code::invalid_argument,
                 .detail = "must be a whole number from 1 to 64, got \"" + std::string(text) + "\""};
}

}  // namespace

Result<BaselinePlan> read_options(const OptionTexts& texts, const config::Environment& environment) {
    Settings settings(environment);
    BaselinePlan plan;
    plan.scenario = baseline_scenario();
    Scenario& scenario = plan.scenario;
    ArrivalStream& non_stream = scenario.streams[0];
    ArrivalStream& stream = scenario.streams[1];
    const auto duration = [](std::string_view text) { return core::parse_duration(text); };

    plan.base_url = "http://127.0.0.1:5231";
    settings.text(plan.base_url, texts.base_url, "--base-url", "BASE_URL");
    if (const auto chosen = settings.choose(texts.api_key, "--api-key", "API_KEY")) {
        // An explicitly empty flag asks for no key, whatever the environment holds.
        const Result<std::string> key = chosen->text.empty()
                                            ? Result<std::string>(std::string())
                                            : config::read_secret_option(chosen->name, chosen->text, environment);
        if (!key) return key.error();
        plan.api_key = *key;
    }
    settings.parsed(scenario.timeout, texts.timeout, "--timeout", "TIMEOUT", duration);
    settings.parsed(scenario.duration, texts.duration, "--duration", "DURATION", duration);
    settings.parsed(non_stream.rate, texts.non_stream_rps, "--non-stream-rps", "NON_STREAM_RPS", parse_rate);
    settings.parsed(stream.rate, texts.stream_rps, "--stream-rps", "STREAM_RPS", parse_rate);
    settings.parsed(scenario.max_in_flight, texts.max_vus, "--max-vus", "MAX_VUS", parse_count);
    settings.parsed(plan.workers, texts.workers, "--workers", "", parse_workers);
    // Connections are opened when they are needed: there is nothing to allocate. Checked as the script's own tool
    // checks it.
    std::uint32_t pre_allocated = std::min<std::uint32_t>(30, scenario.max_in_flight);
    settings.parsed(pre_allocated, texts.pre_allocated_vus, "--pre-allocated-vus", "PRE_ALLOCATED_VUS", parse_count);
    settings.text(stream.model, texts.model, "--model", "MODEL");
    settings.text(stream.endpoint, texts.endpoint, "--endpoint", "");
    settings.text(stream.prompt, texts.prompt, "--prompt", "");
    settings.text(scenario.user_agent, texts.user_agent, "--user-agent", "");
    settings.parsed(stream.max_output_tokens, texts.max_output_tokens, "--max-output-tokens", "", parse_count);
    non_stream.model = stream.model;
    non_stream.endpoint = stream.endpoint;
    non_stream.prompt = stream.prompt;
    non_stream.max_output_tokens = stream.max_output_tokens;

    if (settings.failed()) return *settings.failed();
    if (pre_allocated > scenario.max_in_flight)
        return Error{.code = Code::invalid_argument,
                     .detail = "--pre-allocated-vus " + std::to_string(pre_allocated) + " is above --max-vus " +
                               std::to_string(scenario.max_in_flight)};
    std::erase_if(scenario.streams, [](const ArrivalStream& s) { return s.rate.milli == 0; });
    const Result<void> valid = validate(scenario);
    if (!valid) return valid.error();
    return plan;
}

}  // namespace oai::loadgen
