/*
 * What init is put together from.
 */
#pragma once

#include <stdbool.h>

#include <openssl/x509.h>

/* Is this something that "listen" in cmpd.conf takes, and plain enough to stand there in quotes? */
bool init_listen_fits(const char *text);
/* The text of cmpd.conf. Caller frees; NULL: out of memory. */
char *init_config(const char *listen);

/* A certificate for key, ten years from now but not beyond ca. ca NULL: that of a CA, signed by itself; else one that may sign
 * messages. NULL: libcrypto failed, the reason is in its error queue. Caller frees. */
X509 *init_make_certificate(EVP_PKEY *key, const char *common_name, X509 *ca, EVP_PKEY *ca_key);
