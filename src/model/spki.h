/*
 * Looking at a SubjectPublicKeyInfo without decoding the key: the algorithm,
 * the named curve, the size of an RSA modulus, all from DER. Whether an EC point lies on
 * its curve is found out by whoever verifies the proof of possession.
 */
#pragma once

#include "base/bytes.h"
#include "base/error.h"

enum spki_kind {
	SPKI_RSA,
	SPKI_RSA_PSS,
	SPKI_EC,
	SPKI_ED25519,
	SPKI_ED448,
	SPKI_ML_DSA_44,
	SPKI_ML_DSA_65,
	SPKI_ML_DSA_87,
	SPKI_X25519,
	SPKI_X448
};

struct spki {
	enum spki_kind kind;
	const char *curve; /* SPKI_EC: "P-256"; static */
	unsigned bits; /* of the RSA modulus or the curve */
	/* contents of the BIT STRING without the count of unused bits; borrowed */
	struct bytes key;
};

/* CMPD_EFORMAT: not a key's DER; CMPD_EALGORITHM: unknown algorithm or curve, explicit EC parameters, an RSA modulus
 * of less than 1024 or more than 16384 bits. The reason is in diag, which may be NULL. */
int spki_parse(struct bytes der, struct spki *ret, struct diag *diag) CMPD_MUST_CHECK;

/* "ec:P-256", "rsa:2048", "ed25519", as profiles name them. Returns out. */
#define SPKI_TEXT_SIZE 32
char *spki_to_text(const struct spki *spki, char out[SPKI_TEXT_SIZE]);

/* Does the key fit a word of a profile's allowed_keys? For RSA the number is the least size. */
bool spki_fits(const struct spki *spki, const char *allowed);
/* What keys of this word are for: signatures, or encryption (key transport or agreement). */
bool spki_word_signs(const char *word);
bool spki_word_encrypts(const char *word);
/* "rsa:2048" -> 2048; 0: another kind. */
unsigned spki_word_rsa_bits(const char *word);
/* Appends the AlgorithmIdentifier of such keys. */
struct buf;
void spki_word_algorithm(const char *word, struct buf *out);
/* The kind, curve and size that a word names, without a key. CMPD_EALGORITHM: names none. */
int spki_of_word(const char *word, struct spki *ret) CMPD_MUST_CHECK;
/* A SubjectPublicKeyInfo whose BIT STRING is empty: the wish that a key of this algorithm is made. */
bool spki_is_wish(struct bytes der);
/* Would a key of this word be what a wish asks for? RSA: of any size, for the algorithm does not name one. */
bool spki_wish_fits(struct bytes wish, const char *word);
/* Could any key fit this word? For checking a configuration. */
bool spki_word_known(const char *allowed);
