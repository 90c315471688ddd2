#pragma once

#include <filesystem>
#include <string>

typedef struct evp_pkey_st EVP_PKEY;
typedef struct x509_st X509;

namespace oai::test {

/// PEM files of a server.
struct Identity {
    std::string certificate;  ///< with its chain, up to and without the root
    std::string key;
};

/// A certificate authority of one test: it makes certificates into a folder that goes with it.
class Authority {
public:
    /// A root, or one whose certificate `root` has signed.
    explicit Authority(const Authority* root = nullptr);
    ~Authority();
    Authority(const Authority&) = delete;

    /// What a client has to trust.
    std::string file() const { return (folder_ / "ca.pem").string(); }
    const std::filesystem::path& folder() const noexcept { return folder_; }

    /// A certificate for `names`, such as "DNS:localhost,IP:127.0.0.1", good until so many days from now.
    Identity issue(const std::string& names = "DNS:localhost,IP:127.0.0.1", int days = 1);

private:
    std::filesystem::path folder_;
    EVP_PKEY* key_;
    X509* certificate_;
    std::string chain_;  ///< PEM of this authority's certificate, when it is no root
    int issued_ = 0;
};

}  // namespace oai::test
