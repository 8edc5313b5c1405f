#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <string.h>

#include "cmp/algorithm.h"

/* name: of the OID in libcrypto; digest: for RSASSA-PSS, whose OID does not tell it. */
static const struct {
	const char *word;
	const char *name;
	const char *digest;
} rows[] = {
    {"ecdsa-sha224", "ecdsa-with-SHA224", NULL},
    {"ecdsa-sha256", "ecdsa-with-SHA256", NULL},
    {"ecdsa-sha384", "ecdsa-with-SHA384", NULL},
    {"ecdsa-sha512", "ecdsa-with-SHA512", NULL},
    {"ecdsa-sha3-256", "id-ecdsa-with-sha3-256", NULL},
    {"ecdsa-sha3-384", "id-ecdsa-with-sha3-384", NULL},
    {"ecdsa-sha3-512", "id-ecdsa-with-sha3-512", NULL},
    {"rsa-sha224", "RSA-SHA224", NULL},
    {"rsa-sha256", "RSA-SHA256", NULL},
    {"rsa-sha384", "RSA-SHA384", NULL},
    {"rsa-sha512", "RSA-SHA512", NULL},
    {"rsa-sha3-256", "id-rsassa-pkcs1-v1_5-with-sha3-256", NULL},
    {"rsa-sha3-384", "id-rsassa-pkcs1-v1_5-with-sha3-384", NULL},
    {"rsa-sha3-512", "id-rsassa-pkcs1-v1_5-with-sha3-512", NULL},
    {"rsa-pss-sha256", "RSASSA-PSS", "SHA256"},
    {"rsa-pss-sha384", "RSASSA-PSS", "SHA384"},
    {"rsa-pss-sha512", "RSASSA-PSS", "SHA512"},
    {"ed25519", "ED25519", NULL},
    {"ed448", "ED448", NULL},
    {"ml-dsa-44", "id-ml-dsa-44", NULL},
    {"ml-dsa-65", "id-ml-dsa-65", NULL},
    {"ml-dsa-87", "id-ml-dsa-87", NULL},
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

/* Looked up once: by name it costs more than the rest of the check. */
static pthread_once_t nids_once = PTHREAD_ONCE_INIT;
static int nids[N_ROWS];

static void
nids_fill(void)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		nids[i] = OBJ_txt2nid(rows[i].name);
	}
	ERR_clear_error();
}

int
algorithm_set_parse(const char *const *words, struct algorithm_set *ret, struct diag *diag)
{
	struct algorithm_set set = {0};

	pthread_once(&nids_once, nids_fill);
	for (; *words; words++) {
		size_t i = 0;

		while (i < N_ROWS && strcmp(rows[i].word, *words) != 0) {
			i++;
		}
		if (i == N_ROWS) {
			return diag_set(diag, CMPD_ECONF, "\"%s\" is no signature algorithm",
			    *words);
		}
		set.bits |= UINT64_C(1) << i;
	}
	*ret = set;
	return 0;
}

static int
nid_of(const ASN1_OBJECT *object)
{
	return object ? OBJ_obj2nid(object) : NID_undef;
}

/* The digest of RSASSA-PSS (RFC 4055 3.1), if MGF1 uses the same; NID_undef: not to be accepted. */
static int
pss_digest(const X509_ALGOR *alg)
{
	const void *value = NULL;
	RSA_PSS_PARAMS *pss = NULL;
	X509_ALGOR *mask = NULL;
	const unsigned char *p;
	int type = V_ASN1_UNDEF, digest = NID_undef;

	X509_ALGOR_get0(NULL, &type, &value, alg);
	if (type != V_ASN1_SEQUENCE) {
		return NID_undef;
	}
	p = ASN1_STRING_get0_data(value);
	pss = d2i_RSA_PSS_PARAMS(NULL, &p, ASN1_STRING_length(value));
	if (!pss || !pss->hashAlgorithm || !pss->maskGenAlgorithm ||
	    nid_of(pss->maskGenAlgorithm->algorithm) != NID_mgf1 || pss->trailerField ||
	    !pss->maskGenAlgorithm->parameter ||
	    pss->maskGenAlgorithm->parameter->type != V_ASN1_SEQUENCE) {
		goto out;
	}
	p = ASN1_STRING_get0_data(pss->maskGenAlgorithm->parameter->value.sequence);
	mask = d2i_X509_ALGOR(NULL, &p,
	    ASN1_STRING_length(pss->maskGenAlgorithm->parameter->value.sequence));
	if (mask && nid_of(mask->algorithm) == nid_of(pss->hashAlgorithm->algorithm)) {
		digest = nid_of(mask->algorithm);
	}
out:
	X509_ALGOR_free(mask);
	RSA_PSS_PARAMS_free(pss);
	return digest;
}

static bool
row_fits(size_t i, const X509_ALGOR *alg, int nid)
{
	if (nid == NID_undef || nids[i] != nid) {
		return false;
	}
	return !rows[i].digest || OBJ_txt2nid(rows[i].digest) == pss_digest(alg);
}

int
algorithm_check(struct bytes identifier, struct algorithm_set allowed, struct diag *why)
{
	const unsigned char *p = identifier.data;
	X509_ALGOR *alg = d2i_X509_ALGOR(NULL, &p, (long)identifier.len);
	const ASN1_OBJECT *oid = NULL;
	char text[80] = "?";
	bool fits = false;

	if (!alg) {
		ERR_clear_error();
		return diag_set(why, CMPD_EALGORITHM, "the signature algorithm does not decode");
	}
	X509_ALGOR_get0(&oid, NULL, NULL, alg);
	for (size_t i = 0; i < N_ROWS && !fits; i++) {
		fits = (allowed.bits & UINT64_C(1) << i) && row_fits(i, alg, OBJ_obj2nid(oid));
	}
	OBJ_obj2txt(text, sizeof(text), oid, 0);
	X509_ALGOR_free(alg);
	ERR_clear_error();
	return fits ? 0
		    : diag_set(why, CMPD_EALGORITHM, "signature algorithm %s is not allowed", text);
}
