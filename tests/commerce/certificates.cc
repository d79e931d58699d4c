#include "certificates.h"

#include <memory>
#include <stdexcept>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace thalweg::shop {
namespace {

constexpr long kHour = 3'600;

template <typename T, void (*free)(T*)>
struct Freed {
  void operator()(T* object) const { free(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY, EVP_PKEY_free>>;
using X509Pointer = std::unique_ptr<X509, Freed<X509, X509_free>>;
using Bio = std::unique_ptr<BIO, Freed<BIO, BIO_free_all>>;

void check(int result, const char* what) {
  if (result != 1) throw std::runtime_error(what);
}

/// What `write` writes.
template <typename Write>
std::string pem_of(Write write) {
  const Bio memory(BIO_new(BIO_s_mem()));
  check(write(memory.get()), "writing PEM");
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

Bio reader(const std::string& pem) {
  return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

X509_NAME* call(X509_NAME* name, const std::string& common_name) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(common_name.data());
  check(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, bytes,
                                   static_cast<int>(common_name.size()), -1, 0),
        "naming");
  return name;
}

void extend(X509* certificate, int kind, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
  const int added = X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
  check(added, "adding an extension");
}

X509Pointer begin(const std::string& name, EVP_PKEY* key, long serial) {
  X509Pointer certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kHour);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), kHour);
  call(X509_get_subject_name(certificate.get()), name);
  check(X509_set_pubkey(certificate.get(), key), "setting the key");
  return certificate;
}

Certificate finish(X509* certificate, EVP_PKEY* key, EVP_PKEY* signer) {
  if (X509_sign(certificate, signer, EVP_sha256()) == 0) throw std::runtime_error("signing");
  return {pem_of([&](BIO* out) { return PEM_write_bio_X509(out, certificate); }),
          pem_of([&](BIO* out) {
            return PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
          })};
}

bool is_address(const std::string& host) {
  return host.find_first_not_of("0123456789.") == host.npos || host.find(':') != host.npos;
}

}  // namespace

Certificate make_authority(const std::string& name) {
  const Key key(EVP_EC_gen("P-256"));
  const auto certificate = begin(name, key.get(), 1);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
  extend(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  return finish(certificate.get(), key.get(), key.get());
}

Certificate make_certificate(const std::string& host, const Certificate& authority) {
  const X509Pointer issuer(
      PEM_read_bio_X509(reader(authority.certificate).get(), nullptr, nullptr, nullptr));
  const Key signer(PEM_read_bio_PrivateKey(reader(authority.key).get(), nullptr, nullptr, nullptr));
  const Key key(EVP_EC_gen("P-256"));
  const auto certificate = begin(host, key.get(), 2);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer.get()));
  extend(certificate.get(), NID_subject_alt_name, (is_address(host) ? "IP:" : "DNS:") + host);
  return finish(certificate.get(), key.get(), signer.get());
}

}  // namespace thalweg::shop
