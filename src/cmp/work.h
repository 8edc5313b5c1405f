/*
 * What the files of the door share: the door's own data, and the work on one message.
 */
#pragma once

#include <openssl/cmp.h>
#include <openssl/x509.h>

#include "base/log.h"
#include "base/pool.h"
#include "cmp/algorithm.h"
#include "cmp/door.h"
#include "cmp/failinfo.h"
#include "cmp/sign.h"
#include "cmp/verify.h"
#include "cmp/wire.h"
#include "conf/conf.h"
#include "issuer/issuer.h"
#include "store/store.h"

#define CMP_EXTRA_MAX 8 /* certificates we send as extraCerts */

struct cmp_ra;
struct cmp_verified;
struct kga;
struct signer_cache;

/* What is told of a root that will take over (RFC 9810 5.3.19.15); DER certificates, absent:
 * none. */
struct cmp_root_update {
	struct bytes new_with_new, new_with_old, old_with_new;
};

/* An endpoint with what was loaded for it. */
struct cmp_endpoint {
	const struct conf_endpoint *conf;
	X509 *signer;
	EVP_PKEY *signer_key;
	struct signing_key signing;
	struct bytes null_name; /* GeneralName of the empty Name */
	struct bytes signer_name; /* GeneralName of its subject, DER: our sender */
	struct bytes signer_kid; /* its SubjectKeyIdentifier; absent: none */
	struct algorithm_set protection, popo; /* signature algorithms that are accepted */
	struct cmp_root_update root_update;
	struct bytes prot_enc_cert; /* DER; absent: none */
	struct kga *kga; /* who signs the keys made here; NULL: none are */
	X509_STORE *anchors;
	X509_STORE *vendor_anchors; /* of factory certificates; NULL: none */
	struct cmp_ra *ras; /* the configured certificates of RAs */
	size_t n_ras;
	X509_STORE *ra_anchors; /* of RAs; NULL: none */
	/* extraCerts of every answer: the signer's first, then chains; roots with extra_root
	 * only */
	size_t n_extra;
	struct bytes extra[CMP_EXTRA_MAX];
	uint8_t extra_sha256[CMP_EXTRA_MAX][DIGEST_SIZE];
	struct bytes ca_pub; /* the CA certificate if self-signed: caPubs of a MAC-protected ip */
};

struct cmp_door {
	const struct conf *conf;
	OSSL_LIB_CTX *libctx;
	struct issuer *issuer;
	struct pool *pool; /* of the door's own data */
	struct signer_cache *signers;
	struct key_maker keys;
	OSSL_CMP_MSG *primer; /* decoded once, by the engine; NULL: not yet */
	struct cmp_endpoint *endpoints;
	size_t n_endpoints;
};

struct cmp_endpoint *cmp_endpoint_find(struct cmp_door *door, const char *path);

/* The first fault of a message; later ones do not count. */
struct cmp_fault {
	const char *id; /* of the check: "B3.5"; NULL: none so far */
	int fail_info;
	struct diag why;
};

struct cmp_work {
	struct cmp_door *door;
	struct desk *desk;
	struct cmp_request *request;
	/* of the request, or the message inside if an RA has put its protection around */
	struct bytes body;
	enum cmp_operation operation;
	const char *ra; /* who brought it nested; NULL: it came by itself */
	struct cmp_endpoint *endpoint;
	struct wire_message in;
	uint8_t hash[DIGEST_SIZE]; /* of the whole message */
	bool has_txn;
	struct txn txn; /* as stored (has_txn) or as being made */
	struct txn_key key;
	struct cmp_verified *verified; /* NULL: not (yet) */
	struct cmp_fault fault;
	struct cmp_answer *answer;
	/* a message inside, if all this one does is to add protection: it is handled next */
	struct bytes inner;

	/* certProfile of the header (RFC 9810 5.1.1.4), by position; NULL: none asked for. */
	size_t n_cert_profiles;
	const char *cert_profiles[CMP_REQUESTS_MAX];

	/* Decoded bodies. */
	struct wire_cert_req *requests;
	size_t n_requests;
	struct wire_p10 p10;
};

/* The work on a whole request: its endpoint (NULL: it is not configured any more), body, operation
 * and ra. */
void cmp_work_init(struct cmp_work *work, struct cmp_door *door, struct desk *desk,
    struct cmp_request *request, struct cmp_answer *answer);
/* Remembers the first fault. Returns false, so that a check can end with it. */
bool cmp_work_fault(struct cmp_work *work, const char *id, int fail_info, const char *format, ...)
    CMPD_PRINTF(4, 5);

/* ir, cr, kur, p10cr, rr, genm: bodies that open a transaction. */
bool cmp_body_opens(int body_type);

/* The body that an operation in the path announces, -1: any (RFC 9811 3.4). */
int cmp_operation_body(enum cmp_operation operation);

/* Begins a log line of the answer with req=, txn= and, for a nested message, ra=; NULL when out of
 * memory. */
struct log_line *cmp_work_log(struct cmp_work *work, enum log_level level, const char *event);
