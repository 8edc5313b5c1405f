/*
 * What a certificate shall contain, free of any protocol: the requested
 * template and the resolved one have the same shape. DER parts are kept
 * as they were sent. Memory belongs to whoever filled it (mostly a pool).
 */
#pragma once

#include "base/bytes.h"

/* One generation of a CA: the first bytes of SHA-256 over its subject, key and key identifier. */
#define CA_ID_SIZE 16

struct template
{
	struct bytes subject; /* DER Name; absent: not asked for. An empty Name is present */
	/* DER SubjectPublicKeyInfo; requested: absent or with an empty BIT STRING if the key is to be made here */
	struct bytes spki;
	/* the kind of key to be made here ("ec:P-256"); NULL: spki is the key. A stored template has it in its entry */
	const char *make_key;
	struct bytes extensions; /* DER Extensions (SEQUENCE OF Extension); absent: none */
	int64_t not_before; /* ms; 0: not asked for. Resolved: 0 = from the moment of issuing */
	int64_t not_after; /* ms; 0: not asked for. Resolved: 0 = not_before + validity */
	int64_t validity; /* ms; resolved, or a shorter length asked for by policy */
	uint8_t ca[CA_ID_SIZE]; /* resolved: the CA generation it is meant for; all 0: any */
};
