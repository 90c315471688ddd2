#pragma once

#include <string>
#include <vector>

#include "core/result.hpp"
#include "mock/server.hpp"

namespace oai::mock {

/// The options of `oaiperf mock` as a person writes them.
struct OptionTexts {
    std::string listen = "127.0.0.1:9180";
    unsigned workers = 1;
    std::uint64_t seed = 1;
    std::string tls_certificate;  ///< PEM, with its chain; empty: no TLS
    std::string tls_key;
    std::string log_file;
    std::vector<std::string> models;  ///< empty: the default ones

    std::string first_byte = "0";
    std::string ttft = "0";
    std::string gap = "0";
    std::string latency = "0";
    std::string tokens = "16";

    std::string error_rate = "0%";
    int error_status = 500;
    std::string retry_after = "1s";
    std::string hang_rate = "0%";
    std::string stall_rate = "0%";
    std::string cut_rate = "0%";
    std::string error_event_rate = "0%";
    std::string slow_rate = "0%";
    std::string slow = "2s";
    std::vector<std::string> fault_rates;    ///< "5%=non-json"
    std::vector<std::string> fault_at;       ///< "10s-20s=error-503"
    std::vector<std::string> fault_for_key;  ///< "sk-one=error-401"
    bool gzip = false;

    std::vector<std::string> api_keys;
    std::string oauth_expires_in = "1h";
    bool oauth_rotate = false;
    std::vector<std::string> refresh_tokens;
    bool control = false;
    std::string control_body = "64KiB";
};

/// Errors name the option.
core::Result<ServerOptions> read_options(const OptionTexts& texts);

}  // namespace oai::mock
