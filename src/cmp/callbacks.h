/*
 * The six callbacks of OSSL_CMP_SRV_CTX (OpenSSL 3.0 to 3.5).
 */
#pragma once

#include <openssl/cmp.h>

#include "cmp/engine.h"

/* Registers all six with call as their custom context. False: libcrypto failed. */
bool callbacks_init(OSSL_CMP_SRV_CTX *srv, struct engine_call *call);
