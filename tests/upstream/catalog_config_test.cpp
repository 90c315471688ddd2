#include "upstream/catalog_config.hpp"

#include <doctest/doctest.h>

#include "config/document.hpp"

using namespace oai;
using namespace oai::upstream;

namespace {

struct Read {
    Catalog catalog;
    std::string problems;
};

Read read(std::string_view text) {
    const auto document = config::Document::parse(text, "x.toml", config::empty_environment());
    REQUIRE(document);
    Read read{read_catalog(document->root()), {}};
    for (const std::string& problem : document->problems()) read.problems += problem + "\n";
    return read;
}

}  // namespace

TEST_CASE("providers, versions, accounts and routes are read as the design writes them") {
    const Read got = read(R"(
[[provider]]
category = "LLM"
name = "OpenAI"
strategy = "weight"
[[provider.version]]
version = "v1"
type = "openai"
weight = 95
default = true
props = { base_url = "http://127.0.0.1:9180/v1", api_key = "sk-1" }
[[provider.version]]
version = "v2"
weight = 5
accounts = ["a1"]
[[account]]
name = "a1"
base_url = "http://127.0.0.1:9181"
api_key = "sk-2"
weight = 10
proxy = "socks5://me:pass@127.0.0.1:1080"
[[route]]
model = "gpt-*"
provider = "llm/openai"
map = { "alias-model" = "gpt-real" }
)");
    CHECK(got.problems == "");
    REQUIRE(got.catalog.providers().size() == 1);
    const Provider& provider = got.catalog.providers()[0];
    CHECK(provider.name == "llm/openai");
    REQUIRE(provider.versions.size() == 2);
    CHECK(provider.versions[0].accounts[0].target.url.base_path.empty());
    CHECK(provider.versions[0].accounts[0].credential == "authorization: Bearer sk-1\r\n");
    CHECK(provider.versions[1].accounts[0].name == "a1");
    CHECK(provider.versions[0].accounts[0].target.proxy == nullptr);
    REQUIRE(provider.versions[1].accounts[0].target.proxy);
    CHECK(provider.versions[1].accounts[0].target.proxy->name() == "socks5://127.0.0.1:1080");
    CHECK(got.catalog.select("gpt-x", 0)->version->version == "v1");
}

TEST_CASE("an https account trusts the system's authorities unless it says otherwise, and equal settings are one") {
    const Read got = read(R"(
[[provider]]
name = "p"
[[provider.version]]
version = "v1"
accounts = ["plain", "usual", "own", "other"]
[[account]]
name = "plain"
base_url = "http://a.example"
[[account]]
name = "usual"
base_url = "https://a.example"
[[account]]
name = "own"
base_url = "https://a.example"
tls_verify = false
[[account]]
name = "other"
base_url = "https://b.example:8443"
tls_verify = false
)");
    CHECK(got.problems == "");
    const std::vector<Account>& accounts = got.catalog.providers().at(0).versions.at(0).accounts;
    REQUIRE(accounts.size() == 4);
    CHECK(accounts[0].target.tls == nullptr);
    CHECK(accounts[1].target.tls == net::TlsClientContext::system());
    CHECK(accounts[2].target.tls != accounts[1].target.tls);
    CHECK(accounts[2].target.tls == accounts[3].target.tls);
    CHECK(accounts[1].target.origin != accounts[2].target.origin);
}

TEST_CASE("what is wrong is said with its line") {
    struct Row {
        const char* text;
        const char* want;
    };
    const Row rows[] = {
        {"[[provider]]\nname = \"p\"\n", "x.toml:1: [[provider]] needs at least one [[provider.version]]"},
        {"[[provider]]\nname = \"p\"\n[[provider.version]]\nversion = \"v1\"\n", "needs props.base_url, or accounts"},
        {"[[provider]]\nname = \"p\"\n[[provider.version]]\nversion = \"v1\"\nprops = { base_url = \"ftp://x\" }\n",
         "x.toml:5: "},
        {"[[provider]]\nname = \"p\"\n[[provider.version]]\nversion = \"v1\"\nprops = { base_url = "
         "\"https://api.example.com\", ca_file = \"no-such.pem\" }\n",
         "x.toml:5: \"ca_file\" cannot be used: no-such.pem: No such file or directory"},
        {"[[provider]]\nname = \"p\"\n[[provider.version]]\nversion = \"v1\"\nprops = { base_url = "
         "\"https://api.example.com\", ca_file = \"ca.pem\", tls_verify = false }\n",
         "has no use where tls_verify is false"},
        {"[[provider]]\nname = \"p\"\n[[provider.version]]\nversion = \"v1\"\nprops = { base_url = \"http://x\", proxy "
         "= "
         "\"http://proxy\" }\n",
         "x.toml:5: \"proxy\" a proxy must be like"},
        {"[[provider]]\nname = \"p\"\n[[provider.version]]\nversion = \"v1\"\naccounts = [\"nobody\"]\n",
         "no [[account]] of that name"},
        {"[[account]]\nname = \"a\"\nbase_url = \"http://x\"\n", "is in the accounts of no version"},
        {"[[provider]]\nname = \"p\"\n[[provider.version]]\nversion = \"v1\"\nprops = { base_url = \"http://x\", "
         "api_key = \"a\\r\\nb\" }\n",
         "printable ASCII"},
        {"[[provider]]\nname = \"p\"\n[[provider.version]]\nversion = \"v1\"\nprops = { base_url = \"http://x\" "
         "}\n[[route]]\nmodel = "
         "\"g*x\"\nprovider = \"llm/q\"\n",
         "x.toml:8: "},
    };
    for (const Row& row : rows) {
        CAPTURE(row.text);
        const Read got = read(row.text);
        CAPTURE(got.problems);
        CHECK(got.problems.find(row.want) != std::string::npos);
    }
}
