/*
 * Bodies of requests. Options by type:
 *
 *   ir cr kur   ids=0,1 subject=/CN=x key=ec:P-256 san=DNS:a,IP:1.2.3.4 bc=CA:TRUE ku= eku= nc= tls=status_request (extensions, as in openssl.cnf)
 *               key=made (no key: cmpd shall make one) key=made:ec:P-384 (of that algorithm)
 *               days=9 (days=2,9: from in two days on), samekey (as signer), popodigest=sha1 popopss;
 *               input=sender|mac|othersender|othermac|otherkey|odd (poposkInput)
 *               fault=popo:none|bad|raverified, nosubject, nokey, version, nooldcert (kur), oldissuer (in the oldCertID);
 *               kur also of=b (oldCertID names what client b was given)
 *   p10cr       subject= key= san=;  fault=popo:bad
 *               subject:7= san:7= key:7= days:7= are for the request with id 7 alone; popo:7=bad is a fault of it alone;
 *               key:7=as:3 is the key of that one
 *   certConf    ids=0 (default: all got) ; reject (all), reject=7 (this one), accept (a status where none is needed), hashalg=SHA512, empty, twice;
 *               fault=hash:wrong|empty|none|otheralg (no hashAlg says so), failinfo (in a status, whatever that is)
 *   pollReq     ids=0 (default: all that wait; -1: the whole)
 *   error       text=...
 *   rr, genm    see general.c
 *   nested      see nest.c
 *   ip          what a client must not send: caPubs with the certificate named by cert=
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "player.h"

static const struct {
	const char *name;
	int type;
} bodies[] = {
    {"ir", WIRE_IR},
    {"ip", WIRE_IP},
    {"cr", WIRE_CR},
    {"cp", WIRE_CP},
    {"p10cr", WIRE_P10CR},
    {"kur", WIRE_KUR},
    {"kup", WIRE_KUP},
    {"rr", WIRE_RR},
    {"rp", WIRE_RP},
    {"pkiconf", WIRE_PKICONF},
    {"nested", WIRE_NESTED},
    {"genm", WIRE_GENM},
    {"genp", WIRE_GENP},
    {"error", WIRE_ERROR},
    {"certConf", WIRE_CERTCONF},
    {"pollReq", WIRE_POLLREQ},
    {"pollRep", WIRE_POLLREP},
};

int
body_type(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		if (strcmp(bodies[i].name, name) == 0) {
			return bodies[i].type;
		}
	}
	return -1;
}

const char *
body_name(int type)
{
	size_t i;

	for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		if (bodies[i].type == type) {
			return bodies[i].name;
		}
	}
	return "unknown";
}

size_t
read_ids(const struct words *words, const char *key, int64_t ids[IDS_MAX])
{
	const char *at = word_get(words, key);
	char *end;
	size_t n;

	for (n = 0; at != NULL && *at != '\0' && n < IDS_MAX; n++) {
		ids[n] = strtoll(at, &end, 10);
		at = *end == ',' ? end + 1 : end;
	}
	return n;
}

static struct bytes
put_body(struct player *p, int type, struct bytes content)
{
	struct wire_der_build build = {.pool = p->pool};

	return wire_der_put1(&build, (uint8_t)DER_CONSTRUCTED(type), content);
}

/* What a certConf names a certificate by [5.3.18]: the digest of its signature, or that of hashAlg. */
static struct bytes
cert_hash(struct player *p, const struct credential *got, const char *hash_alg)
{
	int signature, len = 0;
	uint8_t hash[EVP_MAX_MD_SIZE];
	const char *name = hash_alg;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct bytes der;
	EVP_MD *md;

	if (got->certificate == NULL) {
		EVP_MD_CTX_free(ctx);
		return bytes_str("no certificate was given here...");
	}
	signature = X509_get_signature_nid(got->certificate);
	if (name == NULL && signature == NID_ED25519) {
		name = "SHA512";
	} else if (name == NULL && signature == NID_ED448) {
		name = "SHAKE256";
	} else if (name == NULL) {
		int digest = NID_undef;

		need(p, X509_get_signature_info(got->certificate, &digest, NULL, NULL, NULL) &&
			    digest != NID_undef);
		name = OBJ_nid2sn(digest);
	}
	md = EVP_MD_fetch(NULL, name, NULL);
	need(p, md != NULL && EVP_DigestInit_ex(ctx, md, NULL));
	der = object_der(p, got->certificate, ASN1_ITEM_rptr(X509));
	need(p, EVP_DigestUpdate(ctx, der.data, der.len));
	/* SHAKE256 has 512 bits there. */
	len = strcmp(name, "SHAKE256") == 0 ? 64 : EVP_MD_get_size(md);
	need(p, len == 64 && strcmp(name, "SHAKE256") == 0 ? EVP_DigestFinalXOF(ctx, hash, 64)
							   : EVP_DigestFinal_ex(ctx, hash, NULL));
	EVP_MD_CTX_free(ctx);
	EVP_MD_free(md);
	return pool_bytes(p->pool, bytes_of(hash, (size_t)len));
}

/* A PKIStatusInfo: "accepted", "rejection" (with a text), either with a failInfo. */
static struct bytes
status_der(struct player *p, bool rejection, bool fail_info)
{
	struct wire_status_info status = {.status = rejection ? WIRE_REJECTION : WIRE_ACCEPTED,
	    .text = rejection ? "not what was wanted" : NULL,
	    .fail_info = fail_info ? 2 : -1};
	struct bytes body = wire_error_encode(p->pool, &status), content, info;

	need(p, der_only(body, DER_CONSTRUCTED(WIRE_ERROR), &content) == 0);
	need(p, der_only(content, DER_SEQUENCE, &info) == 0);
	return info;
}

static struct bytes
cert_hash_of(struct player *p, const struct client *client, const struct words *words, int64_t id)
{
	struct bytes hash = bytes_str("no such certificate was here....");
	size_t k;

	for (k = 0; k < client->n_ids; k++) {
		if (client->ids[k] == id || (id == 0 && word_has(words, "zeroid"))) {
			hash = cert_hash(p, &client->got[k],
			    fault_is(words, "hash", "otheralg") ? "SHA512"
								: word_get(words, "hashalg"));
		}
	}
	if (fault_is(words, "hash", "wrong")) {
		hash = bytes_of("0123456789abcdef0123456789abcdef", hash.len < 32 ? hash.len : 32);
	} else if (fault_is(words, "hash", "empty")) {
		hash.len = 0;
	} else if (fault_is(words, "hash", "none")) {
		hash = BYTES_NONE;
	}
	return hash;
}

static struct bytes
cert_status_der(struct player *p, const struct client *client, const struct words *words,
    int64_t id)
{
	bool bad_info = fault_get(words, "failinfo") != NULL, reject = word_has(words, "reject");
	const char *alg = word_get(words, "hashalg");
	struct wire_der_build build = {.pool = p->pool};
	struct bytes parts[4] = {BYTES_NONE};
	int64_t rejected[IDS_MAX];
	size_t n = read_ids(words, "reject", rejected), i;

	for (i = 0; i < n; i++) {
		reject = reject || rejected[i] == id;
	}
	parts[0] = wire_der_put1(&build, DER_OCTET_STRING, cert_hash_of(p, client, words, id));
	parts[1] = wire_der_put_int(&build, id);
	if (reject || word_has(words, "accept") || bad_info) {
		parts[2] = status_der(p, reject, bad_info);
	}
	if (alg != NULL) {
		parts[3] =
		    wire_der_put1(&build, DER_CONSTRUCTED(0), alg_der(p, OBJ_txt2nid(alg), false));
	}
	return wire_der_put(&build, DER_SEQUENCE, parts, 4);
}

static struct bytes
cert_conf_der(struct player *p, const struct client *client, const struct words *words)
{
	struct wire_der_build build = {.pool = p->pool};
	struct bytes list[IDS_MAX + 1];
	int64_t ids[IDS_MAX];
	size_t n = read_ids(words, "ids", ids), n_list = 0, i;

	for (i = 0;
	     word_get(words, "ids") == NULL && !word_has(words, "empty") && i < client->n_ids;
	     i++) {
		if (client->got[i].certificate != NULL) {
			ids[n++] = client->ids[i];
		}
	}
	for (i = 0; i < n; i++) {
		list[n_list++] = cert_status_der(p, client, words, ids[i]);
	}
	if (word_has(words, "twice") && n_list > 0) {
		list[n_list] = list[0];
		n_list++;
	}
	return wire_der_put(&build, DER_SEQUENCE, list, n_list);
}

static struct bytes
poll_req_der(struct player *p, const struct client *client, const struct words *words)
{
	struct wire_der_build build = {.pool = p->pool};
	struct bytes list[IDS_MAX];
	int64_t ids[IDS_MAX];
	size_t n = read_ids(words, "ids", ids), i;

	if (n == 0) {
		n = client->n_waiting;
		memcpy(ids, client->waiting, n * sizeof(ids[0]));
	}
	for (i = 0; i < n; i++) {
		list[i] = wire_der_put1(&build, DER_SEQUENCE, wire_der_put_int(&build, ids[i]));
	}
	return wire_der_put(&build, DER_SEQUENCE, list, n);
}

/* An answer, sent to a server. */
static struct bytes
ip_body(struct player *p, const struct words *words)
{
	const char *name = word_get(words, "cert");
	struct wire_cert_response response = {.status = {.status = WIRE_REJECTION, .fail_info = 2}};
	struct bytes der = object_der(p,
	    name == NULL ? p->ca : credential_find(p, name)->certificate, ASN1_ITEM_rptr(X509));

	return wire_cert_rep_encode(p->pool, WIRE_IP, &der, 1, &response, 1);
}

struct bytes
request_body(struct player *p, struct client *client, int type, const struct words *words)
{
	struct wire_status_info status = {.status = WIRE_REJECTION, .fail_info = -1};

	switch (type) {
	case WIRE_IR:
	case WIRE_CR:
	case WIRE_KUR:
		return put_body(p, type, cert_reqs_der(p, client, type, words));
	case WIRE_P10CR:
		return put_body(p, type, p10_der(p, client, words));
	case WIRE_CERTCONF:
		return put_body(p, type, cert_conf_der(p, client, words));
	case WIRE_POLLREQ:
		return put_body(p, type, poll_req_der(p, client, words));
	case WIRE_ERROR:
		status.text = word_get(words, "text");
		return wire_error_encode(p->pool, &status);
	case WIRE_RR:
		return put_body(p, type, rr_der(p, client, words));
	case WIRE_GENM:
		return put_body(p, type, genm_der(p, words));
	case WIRE_IP:
		return ip_body(p, words);
	case WIRE_NESTED:
		return nest_body(p, words);
	case WIRE_PKICONF:
		return wire_pkiconf_encode(p->pool);
	default:
		fail(p, "cannot make such a body");
	}
}
