/*
 * The seal: makes an answer out of a body: header, protection (once), extraCerts.
 */
#pragma once

#include "cmp/work.h"

struct seal_options {
	bool implicit_confirm; /* grant it by echo (RFC 9810 5.1.1.1) */
	int64_t confirm_until; /* confirmWaitTime (5.1.1.2), wall ms; 0: none */
	bool recip_nonce_first; /* recipNonce of the request that opened the transaction */
	int pvno; /* 0: the request's */
};

struct sealed {
	struct bytes message; /* with extraCerts: what leaves */
	struct bytes bare; /* without: what is stored */
	uint8_t nonce[16]; /* its senderNonce */
};

/*
 * MAC with the request's algorithms and a new salt if the request's MAC verified, else signature of the endpoint.
 * body_raw: a whole PKIBody. CMPD_ENOMEM, CMPD_ECRYPTO.
 */
int seal_body(struct cmp_work *work, struct bytes body_raw, const struct seal_options *options,
    struct sealed *ret) CMPD_MUST_CHECK;

/* A stored answer with its extraCerts again: the same bytes as when it left first. */
int seal_again(struct cmp_work *work, const struct txn *txn, struct bytes *ret) CMPD_MUST_CHECK;

/* What the transaction remembers of an answer: bare message, extraCerts by hash, nonce; adds the certificates to the unit. */
int seal_remember(struct cmp_work *work, const struct sealed *sealed) CMPD_MUST_CHECK;
