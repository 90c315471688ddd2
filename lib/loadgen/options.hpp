#pragma once

#include <optional>
#include <string>

#include "config/environment.hpp"
#include "core/result.hpp"
#include "loadgen/scenario.hpp"
#include "loadgen/target.hpp"

namespace oai::loadgen {

/// The options of `oaiperf baseline` as a person writes them; empty = the flag was not given.
struct OptionTexts {
    using Text = std::optional<std::string>;
    Text base_url, api_key, model, timeout;
    Text non_stream_rps, stream_rps, duration;
    Text pre_allocated_vus, max_vus;
    Text endpoint, prompt, max_output_tokens, user_agent;
    Text workers;
};

struct BaselinePlan {
    Scenario scenario;
    std::string base_url;
    std::string api_key;
    unsigned workers = 1;
};

/// Flag > environment > default, for each on its own. The environment names are those of the script this replaces:
/// BASE_URL API_KEY MODEL TIMEOUT NON_STREAM_RPS STREAM_RPS DURATION PRE_ALLOCATED_VUS MAX_VUS; a variable that is
/// empty counts as not set. Errors name the flag or the variable that is wrong.
core::Result<BaselinePlan> read_options(const OptionTexts& texts, const config::Environment& environment);

}  // namespace oai::loadgen
