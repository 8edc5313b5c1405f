/* A profile of the configuration, checked and made ready. */
#include <string.h>
#include <strings.h>

#include "issuer/internal.h"
#include "model/extension.h"

/* Bits of KeyUsage (RFC 5280 4.2.1.3) */
#define DIGITAL_SIGNATURE (1u << 0)
#define NON_REPUDIATION	  (1u << 1)
#define KEY_ENCIPHERMENT  (1u << 2)
#define DATA_ENCIPHERMENT (1u << 3)
#define KEY_AGREEMENT	  (1u << 4)
#define ENCIPHER_ONLY	  (1u << 7)
#define DECIPHER_ONLY	  (1u << 8)
#define KEY_USAGE_BITS	  9

struct word {
	const char *word;
	unsigned bits;
};

static const struct word key_usages[] = {
    {"digitalSignature", DIGITAL_SIGNATURE},
    {"nonRepudiation", NON_REPUDIATION},
    {"contentCommitment", NON_REPUDIATION},
    {"keyEncipherment", KEY_ENCIPHERMENT},
    {"dataEncipherment", DATA_ENCIPHERMENT},
    {"keyAgreement", KEY_AGREEMENT},
    {"keyCertSign", KEY_USAGE_CERT_SIGN},
    {"cRLSign", KEY_USAGE_CRL_SIGN},
    {"encipherOnly", ENCIPHER_ONLY},
    {"decipherOnly", DECIPHER_ONLY},
    {NULL, 0},
};

/* By the number of the choice in GeneralName. */
static const struct word san_kinds[] = {
    {"otherName", 1u << 0},
    {"email", 1u << 1},
    {"dns", 1u << 2},
    {"dirName", 1u << 4},
    {"uri", 1u << 6},
    {"ip", 1u << 7},
    {NULL, 0},
};

static int
profile_words(const char **words, const struct word *table, const char *what, unsigned *ret,
    struct diag *diag)
{
	unsigned bits = 0;

	for (; words != NULL && *words != NULL; words++) {
		const struct word *row = table;

		while (row->word != NULL && strcasecmp(row->word, *words) != 0) {
			row++;
		}
		if (row->word == NULL) {
			return diag_set(diag, CMPD_ECONF, "%s: unknown word \"%s\"", what, *words);
		}
		bits |= row->bits;
	}
	*ret = bits;
	return 0;
}

unsigned
profile_usable(enum spki_kind kind)
{
	unsigned sign =
	    DIGITAL_SIGNATURE | NON_REPUDIATION | KEY_USAGE_CERT_SIGN | KEY_USAGE_CRL_SIGN;
	unsigned agree = KEY_AGREEMENT | ENCIPHER_ONLY | DECIPHER_ONLY;

	switch (kind) {
	case SPKI_RSA:
		return sign | KEY_ENCIPHERMENT | DATA_ENCIPHERMENT;
	case SPKI_EC:
		return sign | agree;
	case SPKI_X25519:
	case SPKI_X448:
		return agree;
	default:
		return sign;
	}
}

void
profile_put_key_usage(struct buf *out, unsigned bits)
{
	uint8_t value[3] = {0, 0, 0};
	unsigned last = 0;

	for (unsigned i = 0; i < KEY_USAGE_BITS; i++) {
		if ((bits & 1u << i) != 0) {
			value[1 + i / 8] |= (uint8_t)(0x80 >> i % 8);
			last = i;
		}
	}
	value[0] = (uint8_t)(7 - last % 8);
	der_put(out, DER_BIT_STRING, bytes_of(value, 2 + last / 8));
}

int
profile_parse_key_usage(struct bytes der, unsigned *ret_bits)
{
	struct bytes value;
	unsigned bits = 0;

	if (der_only(der, DER_BIT_STRING, &value) < 0 || value.len < 2 || value.len > 3 ||
	    value.data[0] > 7) {
		return CMPD_EFORMAT;
	}
	for (unsigned i = 0; i < 8 * (value.len - 1); i++) {
		if ((value.data[1 + i / 8] & 0x80 >> i % 8) == 0) {
			continue;
		}
		if (i >= KEY_USAGE_BITS) {
			return CMPD_EFORMAT;
		}
		bits |= 1u << i;
	}
	*ret_bits = bits;
	return 0;
}

static int
profile_prepare_eku(struct profile *profile, struct diag *diag)
{
	const char **words = profile->conf->extended_key_usage;
	uint8_t oid[DER_OID_MAX];
	size_t len, mark;

	if (words == NULL || words[0] == NULL) {
		return 0;
	}
	mark = der_begin(&profile->eku, DER_SEQUENCE);
	for (; *words != NULL; words++) {
		if (der_oid_from_text(*words, true, oid, &len) < 0) {
			return diag_set(diag, CMPD_ECONF, "extended_key_usage: unknown word \"%s\"",
			    *words);
		}
		der_put(&profile->eku, DER_OID, bytes_of(oid, len));
	}
	der_end(&profile->eku, mark);
	return buf_error(&profile->eku);
}

static int
profile_check_urls(const char **urls, const char *what, struct diag *diag)
{
	for (; urls != NULL && *urls != NULL; urls++) {
		bool plain = strstr(*urls, ":") != NULL;

		for (const char *p = *urls; *p != '\0'; p++) {
			plain = plain && *p > ' ' && *p < 0x7f;
		}
		if (!plain) {
			return diag_set(diag, CMPD_ECONF, "%s: \"%s\" is no URL", what, *urls);
		}
	}
	return 0;
}

/* One DistributionPoint per URL: fullName is [0][0], the URL [6]. */
static void
profile_put_crl_points(struct buf *out, const char **urls)
{
	struct buf value;
	size_t list, point, name, full;

	if (urls == NULL || urls[0] == NULL) {
		return;
	}
	buf_init(&value, ISSUER_EXTENSIONS_MAX);
	list = der_begin(&value, DER_SEQUENCE);
	for (; *urls != NULL; urls++) {
		point = der_begin(&value, DER_SEQUENCE);
		name = der_begin(&value, DER_CONSTRUCTED(0));
		full = der_begin(&value, DER_CONSTRUCTED(0));
		der_put(&value, DER_PRIMITIVE(6), bytes_str(*urls));
		der_end(&value, full);
		der_end(&value, name);
		der_end(&value, point);
	}
	der_end(&value, list);
	if (buf_error(&value) < 0) {
		out->error = buf_error(&value);
	}
	extension_put(out, EXTENSION_CRL_DISTRIBUTION, false, buf_get0(&value));
	buf_fini(&value);
}

static void
profile_put_authority_info(struct buf *out, const char **urls)
{
	/* id-ad-caIssuers: 1.3.6.1.5.5.7.48.2 */
	static const uint8_t ca_issuers[] = {0x2b, 6, 1, 5, 5, 7, 0x30, 2};
	struct buf value;
	size_t list, access;

	if (urls == NULL || urls[0] == NULL) {
		return;
	}
	buf_init(&value, ISSUER_EXTENSIONS_MAX);
	list = der_begin(&value, DER_SEQUENCE);
	for (; *urls != NULL; urls++) {
		access = der_begin(&value, DER_SEQUENCE);
		der_put(&value, DER_OID, bytes_of(ca_issuers, sizeof(ca_issuers)));
		der_put(&value, DER_PRIMITIVE(6), bytes_str(*urls));
		der_end(&value, access);
	}
	der_end(&value, list);
	if (buf_error(&value) < 0) {
		out->error = buf_error(&value);
	}
	extension_put(out, EXTENSION_AUTHORITY_INFO, false, buf_get0(&value));
	buf_fini(&value);
}

/* The extensions that depend on profile and CA only. */
static int
profile_prepare_fixed(struct profile *profile, struct diag *diag)
{
	const struct conf_profile *conf = profile->conf;
	struct buf *out = &profile->fixed, key_id;
	size_t mark;

	if (profile_check_urls(conf->crl_distribution_points, "crl_distribution_points", diag) <
		0 ||
	    profile_check_urls(conf->ca_issuers, "ca_issuers", diag) < 0) {
		return CMPD_ECONF;
	}
	if (profile->eku.len > 0) {
		extension_put(out, EXTENSION_EXTENDED_KEY_USAGE, false, buf_get0(&profile->eku));
	}
	buf_init(&key_id, ISSUER_EXTENSIONS_MAX);
	mark = der_begin(&key_id, DER_SEQUENCE);
	der_put(&key_id, DER_PRIMITIVE(0), bytes_of(profile->ca->key_id, profile->ca->key_id_len));
	der_end(&key_id, mark);
	if (buf_error(&key_id) < 0) {
		out->error = buf_error(&key_id);
	}
	extension_put(out, EXTENSION_AUTHORITY_KEY_ID, false, buf_get0(&key_id));
	buf_fini(&key_id);
	profile_put_crl_points(out, conf->crl_distribution_points);
	profile_put_authority_info(out, conf->ca_issuers);
	return buf_error(out);
}

static int
profile_check(struct profile *profile, struct diag *diag)
{
	const struct conf_profile *conf = profile->conf;
	unsigned ca_only = profile->key_usage & (KEY_USAGE_CERT_SIGN | KEY_USAGE_CRL_SIGN);

	for (const char **word = conf->allowed_keys; word != NULL && *word != NULL; word++) {
		if (!spki_word_known(*word)) {
			return diag_set(diag, CMPD_ECONF, "allowed_keys: unknown word \"%s\"",
			    *word);
		}
	}
	if (conf->validity < 1000) {
		return diag_set(diag, CMPD_ECONF, "validity is too short");
	}
	if (ca_only != 0 && !conf->allow_ca) {
		return diag_set(diag, CMPD_ECONF, "keyCertSign and cRLSign need allow_ca = true");
	}
	if (conf->allow_ca && (ca_only & KEY_USAGE_CERT_SIGN) == 0) {
		return diag_set(diag, CMPD_ECONF, "allow_ca needs keyCertSign in key_usage");
	}
	if (conf->allow_ca && !profile->ca->may_issue_ca) {
		return diag_set(diag, CMPD_ECONF,
		    "allow_ca, but the path length of CA %s allows no CA below it", conf->ca);
	}
	return 0;
}

int
profile_prepare(struct issuer *issuer, const struct conf_profile *conf, struct profile *profile,
    struct diag *diag)
{
	int result;

	profile->conf = conf;
	buf_init(&profile->eku, ISSUER_EXTENSIONS_MAX);
	buf_init(&profile->fixed, ISSUER_EXTENSIONS_MAX);
	for (size_t i = 0; i < issuer->n_cas; i++) {
		if (issuer->cas[i].current && strcmp(issuer->cas[i].conf->name, conf->ca) == 0) {
			profile->ca = &issuer->cas[i];
		}
	}
	if (profile->ca == NULL) {
		result = diag_set(diag, CMPD_ECONF, "no CA is named \"%s\"", conf->ca);
		goto out;
	}
	result = profile_words(conf->key_usage, key_usages, "key_usage", &profile->key_usage, diag);
	if (result == 0) {
		result = profile_words(conf->san, san_kinds, "san", &profile->sans, diag);
	}
	if (result == 0) {
		result = profile_check(profile, diag);
	}
	if (result == 0) {
		result = profile_prepare_eku(profile, diag);
	}
	if (result == 0) {
		result = profile_prepare_fixed(profile, diag);
	}
out:
	if (result < 0) {
		diag_prefix(diag, "%s: profile %s", conf->where != NULL ? conf->where : "-",
		    conf->name);
	}
	return result;
}

void
profile_fini(struct profile *profile)
{
	buf_fini(&profile->eku);
	buf_fini(&profile->fixed);
}
