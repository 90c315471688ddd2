#include "support/authority.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace oai::test {
namespace {

void must(bool good) {
    if (!good) throw std::runtime_error("a certificate cannot be made");
}

void extend(X509* certificate, int extension, const std::string& value) {
    X509_EXTENSION* const made = X509V3_EXT_conf_nid(nullptr, nullptr, extension, value.c_str());
    must(made != nullptr && X509_add_ext(certificate, made, -1) == 1);
    X509_EXTENSION_free(made);
}

/// A certificate without a signature.
X509* unsigned_certificate(EVP_PKEY* key, const std::string& subject, int days) {
    static long serial = 0;  // in the name too: authorities are told apart by it
    X509* const made = X509_new();
    must(made != nullptr && X509_set_version(made, X509_VERSION_3) == 1);
    ASN1_INTEGER_set(X509_get_serialNumber(made), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(made), -2L * 86400);
    X509_gmtime_adj(X509_getm_notAfter(made), days * 86400L);
    X509_set_pubkey(made, key);
    const std::string unique = subject + " " + std::to_string(serial);
    const auto* const name = reinterpret_cast<const unsigned char*>(unique.c_str());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_UTF8, name, -1, -1, 0);
    return made;
}

void sign(X509* certificate, X509* issuer, EVP_PKEY* issuer_key) {
    must(X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1);
    must(X509_sign(certificate, issuer_key, EVP_sha256()) != 0);
}

std::string pem(X509* certificate) {
    BIO* const memory = BIO_new(BIO_s_mem());
    must(PEM_write_bio_X509(memory, certificate) == 1);
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(memory, &bytes);
    std::string text(bytes, static_cast<std::size_t>(size));
    BIO_free(memory);
    return text;
}

}  // namespace

Authority::Authority(const Authority* root) : key_(EVP_EC_gen("P-256")), certificate_(nullptr) {
    std::string pattern = (std::filesystem::temp_directory_path() / "oai-authority-XXXXXX").string();
    must(key_ != nullptr && ::mkdtemp(pattern.data()) != nullptr);
    folder_ = pattern;
    certificate_ = unsigned_certificate(key_, root == nullptr ? "Test Root" : "Test Intermediate", 10);
    extend(certificate_, NID_basic_constraints, "critical,CA:TRUE");
    sign(certificate_, root == nullptr ? certificate_ : root->certificate_, root == nullptr ? key_ : root->key_);
    if (root != nullptr) chain_ = pem(certificate_);
    std::ofstream(file()) << pem(certificate_);
}

Authority::~Authority() {
    X509_free(certificate_);
    EVP_PKEY_free(key_);
    std::filesystem::remove_all(folder_);
}

Identity Authority::issue(const std::string& names, int days) {
    const std::string number = std::to_string(++issued_);
    const Identity made{(folder_ / (number + ".cert.pem")).string(), (folder_ / (number + ".key.pem")).string()};
    EVP_PKEY* const key = EVP_EC_gen("P-256");
    must(key != nullptr);
    X509* const certificate = unsigned_certificate(key, "server", days);
    extend(certificate, NID_subject_alt_name, names);
    sign(certificate, certificate_, key_);
    std::ofstream(made.certificate) << pem(certificate) << chain_;
    BIO* const file = BIO_new_file(made.key.c_str(), "w");
    must(PEM_write_bio_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
    BIO_free(file);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return made;
}

}  // namespace oai::test
