#include "model/spki.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "model/der.h"

#define RSA_BITS_MIN	 1024
#define RSA_BITS_MAX	 16384
#define RSA_EXPONENT_MAX 4 /* bytes: larger ones only make verifying slow */

#define OID(string)                                                                                \
	{                                                                                          \
		(const uint8_t *)(string), sizeof(string) - 1                                      \
	}

static const struct spki_algorithm {
	struct bytes oid;
	enum spki_kind kind;
	const char *name;
	size_t size; /* of the key in bytes, where it is fixed */
	unsigned bits;
} algorithms[] = {
    {OID("\x2a\x86\x48\xce\x3d\x02\x01"), SPKI_EC, "ec", 0, 0},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"), SPKI_RSA, "rsa", 0, 0},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"), SPKI_RSA_PSS, "rsa-pss", 0, 0},
    {OID("\x2b\x65\x70"), SPKI_ED25519, "ed25519", 32, 256},
    {OID("\x2b\x65\x71"), SPKI_ED448, "ed448", 57, 456},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x11"), SPKI_ML_DSA_44, "ml-dsa-44", 1312, 1312 * 8},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x12"), SPKI_ML_DSA_65, "ml-dsa-65", 1952, 1952 * 8},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x13"), SPKI_ML_DSA_87, "ml-dsa-87", 2592, 2592 * 8},
    {OID("\x2b\x65\x6e"), SPKI_X25519, "x25519", 32, 253},
    {OID("\x2b\x65\x6f"), SPKI_X448, "x448", 56, 448},
};

static const struct spki_curve {
	struct bytes oid;
	const char *name;
	unsigned bits;
} curves[] = {
    {OID("\x2a\x86\x48\xce\x3d\x03\x01\x07"), "P-256", 256},
    {OID("\x2b\x81\x04\x00\x22"), "P-384", 384},
    {OID("\x2b\x81\x04\x00\x23"), "P-521", 521},
    {OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x07"), "brainpoolP256r1", 256},
    {OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x0b"), "brainpoolP384r1", 384},
    {OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x0d"), "brainpoolP512r1", 512},
};

#define N_ALGORITHMS (sizeof(algorithms) / sizeof(algorithms[0]))
#define N_CURVES     (sizeof(curves) / sizeof(curves[0]))

static int
spki_parse_ec(struct bytes parameters, struct spki *spki, struct diag *diag)
{
	const struct spki_curve *curve = NULL;
	struct bytes oid;
	size_t size;

	if (der_only(parameters, DER_OID, &oid) < 0) {
		return diag_set(diag, CMPD_EALGORITHM,
		    parameters.len == 0 || der_peek(parameters, DER_NULL)
			? "the EC key names no curve"
			: "EC parameters must be a named curve");
	}
	for (size_t i = 0; i < N_CURVES; i++) {
		if (bytes_equal(curves[i].oid, oid)) {
			curve = &curves[i];
		}
	}
	if (curve == NULL) {
		return diag_set(diag, CMPD_EALGORITHM, "unknown elliptic curve");
	}
	spki->curve = curve->name;
	spki->bits = curve->bits;
	size = (curve->bits + 7) / 8;
	if (!(spki->key.len == 1 + 2 * size && spki->key.data[0] == 4) &&
	    !(spki->key.len == 1 + size && (spki->key.data[0] | 1) == 3)) {
		return diag_set(diag, CMPD_EFORMAT, "the EC point does not fit the curve %s",
		    curve->name);
	}
	return 0;
}

/* Contents of a positive INTEGER without its sign byte. */
static int
spki_take_number(struct bytes *in, struct bytes *ret)
{
	struct bytes n;

	if (der_take(in, DER_INTEGER, &n) < 0 || n.len == 0 || (n.data[0] & 0x80) != 0) {
		return CMPD_EFORMAT;
	}
	if (n.data[0] == 0) {
		n = bytes_of(n.data + 1, n.len - 1);
		if (n.len == 0 || (n.data[0] & 0x80) == 0) {
			return CMPD_EFORMAT; /* zero, or not the shortest form */
		}
	}
	*ret = n;
	return 0;
}

static int
spki_parse_rsa(struct bytes parameters, struct spki *spki, struct diag *diag)
{
	struct bytes body, modulus, exponent;

	if (spki->kind == SPKI_RSA && !bytes_equal(parameters, bytes_of("\x05\x00", 2)) &&
	    parameters.len > 0) {
		return diag_set(diag, CMPD_EFORMAT, "parameters of the RSA key are not NULL");
	}
	if (der_only(spki->key, DER_SEQUENCE, &body) < 0 || spki_take_number(&body, &modulus) < 0 ||
	    spki_take_number(&body, &exponent) < 0 || body.len > 0) {
		return diag_set(diag, CMPD_EFORMAT, "the RSA key does not decode");
	}
	if (modulus.len > RSA_BITS_MAX / 8 || modulus.len < RSA_BITS_MIN / 8) {
		return diag_set(diag, CMPD_EALGORITHM, "RSA modulus of %zu bytes", modulus.len);
	}
	spki->bits = (unsigned)modulus.len * 8;
	for (uint8_t top = modulus.data[0]; (top & 0x80) == 0; top = (uint8_t)(top << 1)) {
		spki->bits--;
	}
	if ((modulus.data[modulus.len - 1] & 1) == 0 ||
	    (exponent.data[exponent.len - 1] & 1) == 0 || exponent.len > RSA_EXPONENT_MAX ||
	    (exponent.len == 1 && exponent.data[0] < 3)) {
		return diag_set(diag, CMPD_EALGORITHM, "RSA modulus or exponent not allowed");
	}
	return 0;
}

int
spki_parse(struct bytes der, struct spki *ret, struct diag *diag)
{
	const struct spki_algorithm *algorithm = NULL;
	struct bytes body, id, oid, bits;
	struct spki spki = {.bits = 0};
	int result = 0;

	if (der_only(der, DER_SEQUENCE, &body) < 0 || der_take(&body, DER_SEQUENCE, &id) < 0 ||
	    der_take(&id, DER_OID, &oid) < 0 || der_only(body, DER_BIT_STRING, &bits) < 0 ||
	    bits.len < 2 || bits.data[0] != 0) {
		return diag_set(diag, CMPD_EFORMAT, "the public key does not decode");
	}
	for (size_t i = 0; i < N_ALGORITHMS; i++) {
		if (bytes_equal(algorithms[i].oid, oid)) {
			algorithm = &algorithms[i];
		}
	}
	if (algorithm == NULL) {
		return diag_set(diag, CMPD_EALGORITHM, "unknown algorithm of the public key");
	}
	spki.kind = algorithm->kind;
	spki.bits = algorithm->bits;
	spki.key = bytes_of(bits.data + 1, bits.len - 1);
	switch (spki.kind) {
	case SPKI_EC:
		result = spki_parse_ec(id, &spki, diag);
		break;
	case SPKI_RSA:
	case SPKI_RSA_PSS:
		result = spki_parse_rsa(id, &spki, diag);
		break;
	default:
		if (id.len > 0 || spki.key.len != algorithm->size) {
			result = diag_set(diag, CMPD_EFORMAT, "the %s key has the wrong length",
			    algorithm->name);
		}
	}
	if (result == 0) {
		*ret = spki;
	}
	return result;
}

static const char *
spki_name(enum spki_kind kind)
{
	for (size_t i = 0; i < N_ALGORITHMS; i++) {
		if (algorithms[i].kind == kind) {
			return algorithms[i].name;
		}
	}
	return "?";
}

char *
spki_to_text(const struct spki *spki, char out[SPKI_TEXT_SIZE])
{
	const char *name = spki_name(spki->kind);

	if (spki->kind == SPKI_EC) {
		snprintf(out, SPKI_TEXT_SIZE, "%s:%s", name, spki->curve);
	} else if (spki->kind == SPKI_RSA || spki->kind == SPKI_RSA_PSS) {
		snprintf(out, SPKI_TEXT_SIZE, "%s:%u", name, spki->bits);
	} else {
		snprintf(out, SPKI_TEXT_SIZE, "%s", name);
	}
	return out;
}

/* The number behind "rsa:"; 0: none, or no sensible one. */
static unsigned
spki_word_bits(const char *number)
{
	char *end;
	unsigned long bits;

	if (number[0] < '1' || number[0] > '9') {
		return 0;
	}
	bits = strtoul(number, &end, 10);
	return *end == '\0' && bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX ? (unsigned)bits : 0;
}

bool
spki_fits(const struct spki *spki, const char *allowed)
{
	const char *name = spki_name(spki->kind);
	size_t len = strlen(name);
	unsigned least;

	if (strncasecmp(allowed, name, len) != 0) {
		return false;
	}
	switch (spki->kind) {
	case SPKI_EC:
		return allowed[len] == ':' && strcasecmp(allowed + len + 1, spki->curve) == 0;
	case SPKI_RSA:
	case SPKI_RSA_PSS:
		least = allowed[len] == ':' ? spki_word_bits(allowed + len + 1) : 0;
		return least > 0 && spki->bits >= least;
	default:
		return allowed[len] == '\0';
	}
}

bool
spki_word_known(const char *allowed)
{
	for (size_t i = 0; i < N_ALGORITHMS; i++) {
		struct spki spki = {.kind = algorithms[i].kind, .bits = RSA_BITS_MAX};

		if (spki.kind != SPKI_EC && spki_fits(&spki, allowed)) {
			return true;
		}
	}
	for (size_t i = 0; i < N_CURVES; i++) {
		struct spki spki = {.kind = SPKI_EC, .curve = curves[i].name};

		if (spki_fits(&spki, allowed)) {
			return true;
		}
	}
	return false;
}

static const struct spki_algorithm *
spki_word_find(const char *word, const struct spki_curve **ret_curve)
{
	for (size_t i = 0; i < N_ALGORITHMS; i++) {
		size_t len = strlen(algorithms[i].name);

		if (strncasecmp(word, algorithms[i].name, len) != 0 ||
		    (word[len] != ':' && word[len] != '\0')) {
			continue;
		}
		for (size_t k = 0; k < N_CURVES && word[len] == ':'; k++) {
			if (strcasecmp(word + len + 1, curves[k].name) == 0) {
				*ret_curve = &curves[k];
			}
		}
		return &algorithms[i];
	}
	return NULL;
}

bool
spki_word_signs(const char *word)
{
	const struct spki_curve *curve = NULL;
	const struct spki_algorithm *algorithm = spki_word_find(word, &curve);

	return algorithm != NULL && algorithm->kind != SPKI_X25519 && algorithm->kind != SPKI_X448;
}

bool
spki_word_encrypts(const char *word)
{
	const struct spki_curve *curve = NULL;
	const struct spki_algorithm *algorithm = spki_word_find(word, &curve);

	return algorithm != NULL &&
	       (algorithm->kind == SPKI_RSA || algorithm->kind == SPKI_EC ||
		   algorithm->kind == SPKI_X25519 || algorithm->kind == SPKI_X448);
}

unsigned
spki_word_rsa_bits(const char *word)
{
	return strncasecmp(word, "rsa:", 4) == 0 ? spki_word_bits(word + 4) : 0;
}

void
spki_word_algorithm(const char *word, struct buf *out)
{
	const struct spki_curve *curve = NULL;
	const struct spki_algorithm *algorithm = spki_word_find(word, &curve);
	size_t mark;

	if (algorithm == NULL) {
		return;
	}
	mark = der_begin(out, DER_SEQUENCE);
	der_put(out, DER_OID, algorithm->oid);
	if (curve != NULL) {
		der_put(out, DER_OID, curve->oid);
	} else if (algorithm->kind == SPKI_RSA) {
		der_put(out, DER_NULL, bytes_of("", 0));
	}
	der_end(out, mark);
}

int
spki_of_word(const char *word, struct spki *ret)
{
	const struct spki_curve *curve = NULL;
	const struct spki_algorithm *algorithm = spki_word_find(word, &curve);
	struct spki spki = {.bits = 0};

	if (algorithm == NULL) {
		return CMPD_EALGORITHM;
	}
	spki.kind = algorithm->kind;
	spki.bits = algorithm->bits;
	if (curve != NULL) {
		spki.curve = curve->name;
		spki.bits = curve->bits;
	}
	if (spki.kind == SPKI_RSA || spki.kind == SPKI_RSA_PSS) {
		spki.bits = spki_word_bits(word + strcspn(word, ":") + (strchr(word, ':') != NULL));
	}
	if (spki.bits == 0 || (spki.kind == SPKI_EC) != (curve != NULL) ||
	    !spki_fits(&spki, word)) {
		return CMPD_EALGORITHM;
	}
	*ret = spki;
	return 0;
}

/* The AlgorithmIdentifier in front of an empty BIT STRING. */
static int
spki_wish_algorithm(struct bytes der, struct bytes *ret)
{
	struct bytes body, bits;
	struct der id;

	if (der_only(der, DER_SEQUENCE, &body) < 0 ||
	    der_take_element(&body, DER_SEQUENCE, &id) < 0 ||
	    der_only(body, DER_BIT_STRING, &bits) < 0 || bits.len != 1 || bits.data[0] != 0) {
		return CMPD_EFORMAT;
	}
	*ret = id.whole;
	return 0;
}

bool
spki_is_wish(struct bytes der)
{
	struct bytes id;

	return spki_wish_algorithm(der, &id) == 0;
}

bool
spki_wish_fits(struct bytes wish, const char *word)
{
	struct bytes id;
	struct buf wanted;
	bool fits = false;

	if (spki_wish_algorithm(wish, &id) < 0) {
		return false;
	}
	buf_init(&wanted, 64);
	spki_word_algorithm(word, &wanted);
	fits = buf_error(&wanted) == 0 && bytes_equal(id, buf_get0(&wanted));
	buf_fini(&wanted);
	return fits;
}
