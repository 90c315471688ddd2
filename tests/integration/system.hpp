#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "integration/raw_client.hpp"
#include "json/value.hpp"
#include "support/process.hpp"

/// The built programs, started as a user starts them: on free ports, in folders of their own.
namespace oai::test {

inline constexpr const char* kOaigw = OAI_OAIGW;
inline constexpr const char* kOaiperf = OAI_OAIPERF;
inline constexpr const char* kOaiguard = OAI_OAIGUARD;

inline const std::string kClientKey = "sk-client-of-the-test";
inline const std::string kAdminKey = "admin-of-the-test";
inline const std::string kUpstreamKey = "sk-upstream-of-the-test";

/// A folder that goes with the test, and all that is in it.
class Folder {
public:
    Folder();
    ~Folder();
    Folder(const Folder&) = delete;
    const std::filesystem::path& path() const noexcept { return path_; }
    std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

std::string read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, const std::string& text);
/// A document that has to be JSON; null when it is not, which fails the test.
json::Value parse_json(const std::string& text);
/// The number at a path such as "metrics.whole.offered"; -1 when there is none.
std::int64_t number_at(const json::Value& value, std::string_view path);
std::string text_at(const json::Value& value, std::string_view path);

/// `oaiperf mock` on a free port, or on `port`. Ends by SIGTERM, which has to be a good end.
class Mock {
public:
    explicit Mock(const std::vector<std::string>& arguments = {}, std::uint16_t port = 0);
    ~Mock();
    std::uint16_t port() const noexcept { return port_; }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    Process process;

private:
    std::uint16_t port_;
};

struct GatewayOptions {
    std::string upstream;  ///< its URL; empty: none is given
    std::string config;    ///< text of a configuration file; empty: none
    std::vector<std::string> arguments = {};
};

/// `oaigw serve` on a free port with the keys above and a store in memory. Ends by SIGTERM, whatever still runs in it,
/// and that has to be a good end: a gateway that crashed fails the test that crashed it.
class Gateway {
public:
    explicit Gateway(const GatewayOptions& options);
    ~Gateway();
    explicit Gateway(const Mock& mock) : Gateway(GatewayOptions{.upstream = mock.url(), .config = {}}) {}

    std::uint16_t port() const noexcept { return port_; }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

    /// GET of an admin path, as a document.
    json::Value admin(const std::string& path) const;
    json::Value overview(const std::string& query = "time_range=5m") const;

private:
    Folder folder_;

public:
    Process process;

private:
    std::uint16_t port_;
};

/// The header line with the client's key.
std::string key_line();
/// A POST with the client's key.
std::string post(std::string_view path, std::string_view body, std::string_view head = "");
/// {"model":…,"input":"hi"} and the like.
std::string responses_body(std::string_view model, bool stream = false);
std::string chat_body(std::string_view model, bool stream = false);
/// `error.type`, `.code`, `.param` or `.message` of an answer; empty when there is none.
std::string error_of(const Answer& answer, const std::string& member);

Finished perf(std::vector<std::string> arguments, std::chrono::milliseconds patience = std::chrono::seconds{60});
Finished guard(std::vector<std::string> arguments, std::chrono::milliseconds patience = std::chrono::seconds{30});

/// The one folder that a run made in `reports`.
std::filesystem::path run_folder(const std::filesystem::path& reports);

}  // namespace oai::test
