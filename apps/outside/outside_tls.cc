#include "outside_tls.h"

#include <cerrno>
#include <fstream>
#include <system_error>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace thalweg {

Status believe(SSL_CTX* context, const std::string& ca_file) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  if (ca_file.empty()) {
    if (SSL_CTX_set_default_verify_paths(context) == 1) return {};
    return failure(ErrorCode::kIo, "the system's certificate authorities cannot be read");
  }
  // OpenSSL's own words for a file that is not there name its functions, not the file.
  if (std::ifstream file(ca_file); !file || file.peek() == std::ifstream::traits_type::eof()) {
    const std::string why = file.is_open() ? "it is empty" : std::generic_category().message(errno);
    return failure(ErrorCode::kIo, ca_file + " cannot be read: " + why);
  }
  if (SSL_CTX_load_verify_file(context, ca_file.c_str()) == 1) return {};
  return failure(ErrorCode::kInvalid, ca_file + " holds no certificates in PEM");
}

Status expect_host(SSL* session, const std::string& host) {
  X509_VERIFY_PARAM* expected = SSL_get0_param(session);
  if (X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str()) == 1) return {};
  X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (X509_VERIFY_PARAM_set1_host(expected, host.c_str(), host.size()) == 1 &&
      SSL_set_tlsext_host_name(session, host.c_str()) == 1) {
    return {};
  }
  return failure(ErrorCode::kInvalid, host + " is no name that a certificate can have");
}

std::string distrust(SSL* session, const std::string& host) {
  const long verdict = SSL_get_verify_result(session);
  if (verdict == X509_V_OK) return {};
  return "the certificate of " + host +
         " is not trusted: " + X509_verify_cert_error_string(verdict);
}

}  // namespace thalweg
