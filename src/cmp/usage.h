/*
 * What a certificate may be used for (RFC 5280 4.2.1.3, 4.2.1.12).
 */
#pragma once

#include <stdbool.h>

#include <openssl/types.h>

/* No keyUsage, or one with digitalSignature. */
bool usage_signs(X509 *certificate);
/* Has it that extended key usage (NID)? One without any has none. */
bool usage_has(const X509 *certificate, int purpose);
