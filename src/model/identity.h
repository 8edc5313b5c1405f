/*
 * Who opened a transaction. The same identity must send every later message
 * of it.
 */
#pragma once

#include "base/bytes.h"
#include "base/digest.h"

enum identity_kind {
	IDENTITY_NONE, /* nobody: only in memory */
	IDENTITY_SECRET, /* a shared secret, by its internal id (never reused) */
	IDENTITY_CERTIFICATE, /* SHA-256 of the signer's certificate */
	IDENTITY_RA /* a configured RA, by name: survives its renewal */
};

struct identity {
	enum identity_kind kind;
	uint64_t secret; /* IDENTITY_SECRET */
	/* IDENTITY_CERTIFICATE; of an RA: the one it opened with, which does not count when comparing */
	uint8_t certificate[DIGEST_SIZE];
	struct bytes name; /* IDENTITY_RA: configured, or its subject as text */
};

bool identity_equal(const struct identity *a, const struct identity *b);
