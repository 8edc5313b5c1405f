/*
 * The messages of the benchmark: ir as a device sends it, and the certConf
 * that fits an answer. A tool's part: what cannot be done is said on stderr and ends the program.
 */
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/pool.h"
#include "cmp/wire.h"

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			bench_fail("%s:%d: %s does not hold", __FILE__, __LINE__, #condition);     \
		}                                                                                  \
	} while (0)

#define SENDER_KEYS 4 /* the requests take turns with so many keys */

/* Who asks: by MAC (ref set) or by signature. */
struct sender {
	const char *ref, *secret;
	X509 *certificate;
	EVP_PKEY *key;
	EVP_PKEY *subjects[SENDER_KEYS]; /* the keys that certificates are asked for */
};

_Noreturn void bench_fail(const char *format, ...) CMPD_PRINTF(1, 2);

/* certificate and key: PEM files, or both NULL; rsa: kind of the subjects' keys. */
void sender_init(struct sender *sender, const char *ref, const char *secret,
    const char *certificate, const char *key, bool rsa);
void sender_fini(struct sender *sender);

/* An ir for /CN=bench-<number>, in pool. */
struct bytes message_ir(struct pool *pool, const struct sender *sender, unsigned number,
    bool implicit);
/* What an answer is: its body type, and of an ip the PKIStatus. */
struct answer {
	struct wire_message message;
	int64_t status;
	struct bytes certificate;
};
void message_read(struct pool *pool, struct bytes der, struct answer *ret);
/* The certConf for an ip with a certificate, in pool. */
struct bytes message_cert_conf(struct pool *pool, const struct sender *sender,
    const struct answer *answer);
