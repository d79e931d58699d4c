#pragma once

#include <string>

#include <thalweg/schemas/error.h>

// OpenSSL's SSL_CTX and SSL, under the names that its headers declare.
struct ssl_ctx_st;
struct ssl_st;

// Whom the outside client believes. Certificates and the names in them are always verified: there
// is no way to switch that off.
namespace thalweg {

/// Makes the context believe certificates that an authority of `ca_file` (PEM) has signed, and no
/// others; those that the system knows if it is empty. kIo for a file that cannot be read, kInvalid
/// for one without certificates.
Status believe(ssl_ctx_st* context, const std::string& ca_file);

/// Before the handshake: the certificate has to be one of `host`, a name or an IP address; a name
/// is also told to the server (SNI). kInvalid for a host that no certificate can name.
Status expect_host(ssl_st* session, const std::string& host);

/// After a handshake that failed: `the certificate of HOST is not trusted: ...`, or nothing if that
/// is not why.
std::string distrust(ssl_st* session, const std::string& host);

}  // namespace thalweg
