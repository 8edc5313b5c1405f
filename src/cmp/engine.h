/*
 * The engine: one inner message at a time through OSSL_CMP_SRV_process_request, unprotected, on a fresh context
 * that is primed so that it knows of a transaction (openssl-facts in doc/ARCHITECTURE). Its six callbacks call the
 * functions below, which call the desk.
 *
 * The engine takes a struct cmp_verified: nothing that was not verified gets here. It is the only place
 * where accept_unprotected is set.
 */
#pragma once

#include <openssl/cmp.h>

#include "cmp/work.h"

struct engine_call {
	struct cmp_work *work;
	const struct cmp_verified *verified;
	int index; /* which request, CertStatus or pollReq entry of the message */
	bool called; /* the callback ran */
	int error; /* what it returned, a CMPD_E... */
	struct desk_outcome outcome; /* cert requests and polls */
	/* What the callback shall do. */
	int (*run)(struct engine_call *call);
	void *arg;
	bool primed; /* past the primer */
	bool polls; /* primed for a pollReq, not for a certConf */
};

/* A certificate request. ir, cr and kur: its POPO has been verified (popo.h), so OpenSSL gets the constant request of the primer, with raVerified; a
 * p10cr goes in as it came, CMPD_EPOP: OpenSSL found its signature wrong. */
int engine_cert_request(struct engine_call *call) CMPD_MUST_CHECK;
/* One entry of a pollReq; run fills outcome. */
int engine_poll(struct engine_call *call) CMPD_MUST_CHECK;
/* One CertStatus; confirm == NULL: an empty certConf, for which no callback runs. */
int engine_cert_conf(struct engine_call *call,
    const struct wire_cert_conf *confirm) CMPD_MUST_CHECK;
/* The client's error message. */
int engine_error(struct engine_call *call) CMPD_MUST_CHECK;
/* One RevDetails. */
int engine_rr(struct engine_call *call, const struct wire_rev_req *request) CMPD_MUST_CHECK;
/* A genm: OpenSSL gets one without InfoTypeAndValues, because it decodes them differently by version. */
int engine_genm(struct engine_call *call) CMPD_MUST_CHECK;
/* For the callbacks: the constant request that a context is primed with. Caller frees; NULL: out of memory. */
OSSL_CMP_MSG *engine_primer(struct engine_call *call);
