#include "mock/options.hpp"

#include <string>

#include <doctest/doctest.h>

#include "support/authority.hpp"

using namespace oai::mock;

TEST_CASE("options become a behaviour") {
    OptionTexts texts;
    texts.ttft = "20ms";
    texts.tokens = "8-32";
    texts.error_rate = "5%";
    texts.error_status = 429;
    texts.retry_after = "1500ms";
    const auto options = read_options(texts);
    REQUIRE(options);
    CHECK(options->listen == "127.0.0.1:9180");
    CHECK(options->behaviour.ttft == Distribution::constant(std::chrono::milliseconds{20}));
    CHECK(options->behaviour.gap.is_zero());
    CHECK(options->behaviour.faults.error_bp == 500);
    CHECK(options->behaviour.faults.error_status == 429);
    CHECK(options->behaviour.retry_after == std::chrono::milliseconds{1500});
    CHECK(options->behaviour.models.size() == 3);
}

TEST_CASE("a wrong option is named") {
    struct Row {
        const char* option;
        std::string OptionTexts::*field;
        const char* text;
    };
    const Row rows[] = {{"--listen", &OptionTexts::listen, "9180"},
                        {"--ttft", &OptionTexts::ttft, "20"},
                        {"--gap", &OptionTexts::gap, "fast"},
                        {"--tokens", &OptionTexts::tokens, "5ms"},
                        {"--error-rate", &OptionTexts::error_rate, "5"},
                        {"--cut-rate", &OptionTexts::cut_rate, "101%"},
                        {"--slow", &OptionTexts::slow, "2"},
                        {"--retry-after", &OptionTexts::retry_after, "1"},
                        {"--oauth-expires-in", &OptionTexts::oauth_expires_in, "soon"},
                        {"--control-body", &OptionTexts::control_body, "much"}};
    for (const Row& row : rows) {
        CAPTURE(row.option);
        OptionTexts texts;
        texts.*row.field = row.text;
        const auto options = read_options(texts);
        REQUIRE_FALSE(options);
        CHECK(options.error().detail.starts_with(std::string(row.option) + ": "));
    }
    OptionTexts too_much;
    too_much.error_rate = "60%";
    too_much.hang_rate = "50%";
    CHECK_FALSE(read_options(too_much));
    OptionTexts no_workers;
    no_workers.workers = 0;
    CHECK_FALSE(read_options(no_workers));
}

TEST_CASE("a certificate and its key go together, and are read at once") {
    oai::test::Authority authority;
    const oai::test::Identity identity = authority.issue();
    struct Row {
        const char* name;
        std::string certificate, key;
        const char* wrong;  ///< in the error; null: none
        bool tls;
    };
    const Row rows[] = {
        {"plain", "", "", nullptr, false},
        {"both", identity.certificate, identity.key, nullptr, true},
        {"no key", identity.certificate, "", "--tls-cert and --tls-key go together", false},
        {"no certificate", "", identity.key, "--tls-cert and --tls-key go together", false},
        {"no such file", "/no/such.pem", identity.key, "/no/such.pem", false},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        OptionTexts texts;
        texts.tls_certificate = row.certificate;
        texts.tls_key = row.key;
        const auto options = read_options(texts);
        REQUIRE(options.has_value() == (row.wrong == nullptr));
        if (options) CHECK((options->tls != nullptr) == row.tls);
        if (!options) CHECK(options.error().detail.find(row.wrong) != std::string::npos);
    }
}

TEST_CASE("rows of faults are read, and a wrong one is named") {
    OptionTexts texts;
    texts.fault_rates = {"5%=non-json", "1%=reset-after-3"};
    texts.fault_at = {"10s-20s=error-503", "1m-2m=hang"};
    texts.fault_for_key = {"sk-a=b=error-401"};
    texts.api_keys = {"sk-a=b"};
    const auto options = read_options(texts);
    REQUIRE(options);
    const Behaviour& b = options->behaviour;
    REQUIRE(b.faults.more.size() == 2);
    CHECK(b.faults.more[0].share_bp == 500);
    CHECK(fault_name(b.faults.more[1].fault) == "reset-after-3");
    REQUIRE(b.schedule.size() == 2);
    CHECK(b.schedule[0].from == std::chrono::seconds{10});
    CHECK(b.schedule[1].to == std::chrono::minutes{2});
    REQUIRE(b.key_faults.size() == 1);
    CHECK(b.key_faults[0].key == "sk-a=b");
    CHECK(b.key_faults[0].fault.status == 401);
    CHECK(b.api_keys == texts.api_keys);

    struct Row {
        const char* option;
        std::vector<std::string> OptionTexts::*field;
        const char* text;
    };
    for (const Row& row : {Row{"--fault-rate", &OptionTexts::fault_rates, "5%"},
                           Row{"--fault-rate", &OptionTexts::fault_rates, "5=hang"},
                           Row{"--fault-rate", &OptionTexts::fault_rates, "5%=boom"},
                           Row{"--fault-at", &OptionTexts::fault_at, "10s=hang"},
                           Row{"--fault-at", &OptionTexts::fault_at, "20s-10s=hang"},
                           Row{"--fault-at", &OptionTexts::fault_at, "1s-2s=boom"},
                           Row{"--fault-for-key", &OptionTexts::fault_for_key, "=hang"},
                           Row{"--fault-for-key", &OptionTexts::fault_for_key, "sk=boom"}}) {
        CAPTURE(std::string(row.text));
        OptionTexts wrong;
        (wrong.*row.field).push_back(row.text);
        const auto refused = read_options(wrong);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().detail.starts_with(std::string(row.option) + ": "));
    }
    OptionTexts too_much;
    too_much.fault_rates = {"60%=hang", "50%=cut"};
    CHECK_FALSE(read_options(too_much));
}
