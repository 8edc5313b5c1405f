/*
 * Bodies of requests. Options by type:
 *
 *   ir cr kur   ids=0,1 subject=/CN=x key=ec:P-256 san=DNS:a,IP:1.2.3.4 days=9, samekey (as signer), oldcert (kur: without it no control);
 *               fault=popo:none|bad|raverified|input, nosubject, nokey, version, othername (subject of the oldCertID)
 *   p10cr       subject= key= san=;  fault=popo:bad
 *   certConf    ids=0 (default: all got) ; reject, fault=hash:wrong|empty, empty, twice
 *   pollReq     ids=0 (default: all that wait)
 *   error       text=...
 *   rr          of the signer's certificate; reason=1
 *   genm        oid=1.3.6.1.5.5.7.4.17 (several: a,b) ; fault=value:HEX
 *   ip          what a client must not send: caPubs with the certificate named by cert=
 */
#include <stdlib.h>
#include <string.h>

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
read_ids(const struct words *words, int64_t ids[IDS_MAX])
{
	const char *at = word_get(words, "ids");
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

/* Digest of the certificate by the algorithm of its signature [5.3.18]. */
static struct bytes
cert_hash(struct player *p, const struct credential *got)
{
	uint8_t hash[EVP_MAX_MD_SIZE];
	int digest = NID_undef;
	unsigned len = 0;

	if (got->certificate == NULL) {
		return bytes_str("no certificate was given here...");
	}
	need(p, X509_get_signature_info(got->certificate, &digest, NULL, NULL, NULL));
	need(p, X509_digest(got->certificate, EVP_get_digestbynid(digest), hash, &len));
	return pool_bytes(p->pool, bytes_of(hash, len));
}

static struct bytes
status_der(struct player *p, const char *text)
{
	struct wire_status_info status = {.status = WIRE_REJECTION, .text = text, .fail_info = -1};
	struct bytes body = wire_error_encode(p->pool, &status), content, info;

	need(p, wire_der_only(body, DER_CONSTRUCTED(WIRE_ERROR), &content) == 0);
	need(p, wire_der_only(content, DER_SEQUENCE, &info) == 0);
	return info;
}

static struct bytes
cert_conf_der(struct player *p, const struct client *client, const struct words *words)
{
	struct wire_der_build build = {.pool = p->pool};
	struct bytes list[IDS_MAX + 1];
	int64_t ids[IDS_MAX];
	size_t n = read_ids(words, ids), n_list = 0, i;

	for (i = 0;
	     word_get(words, "ids") == NULL && !word_has(words, "empty") && i < client->n_ids;
	     i++) {
		if (client->got[i].certificate != NULL) {
			ids[n++] = client->ids[i];
		}
	}
	for (i = 0; i < n; i++) {
		struct bytes parts[3] = {BYTES_NONE},
			     hash = bytes_str("no such certificate was here....");
		size_t k;

		for (k = 0; k < client->n_ids; k++) {
			if (client->ids[k] == ids[i]) {
				hash = cert_hash(p, &client->got[k]);
			}
		}
		if (fault_is(words, "hash", "wrong")) {
			hash = bytes_of("0123456789abcdef0123456789abcdef",
			    hash.len < 32 ? hash.len : 32);
		} else if (fault_is(words, "hash", "empty")) {
			hash.len = 0;
		}
		parts[0] = wire_der_put1(&build, DER_OCTET_STRING, hash);
		parts[1] = wire_der_put_int(&build, ids[i]);
		if (word_has(words, "reject")) {
			parts[2] = status_der(p, "not what was wanted");
		}
		list[n_list++] = wire_der_put(&build, DER_SEQUENCE, parts, 3);
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
	size_t n = read_ids(words, ids), i;

	if (n == 0) {
		n = client->n_waiting;
		memcpy(ids, client->waiting, n * sizeof(ids[0]));
	}
	for (i = 0; i < n; i++) {
		list[i] = wire_der_put1(&build, DER_SEQUENCE, wire_der_put_int(&build, ids[i]));
	}
	return wire_der_put(&build, DER_SEQUENCE, list, n);
}

static struct bytes
rr_der(struct player *p, const struct client *client, const struct words *words)
{
	struct wire_der_build build = {.pool = p->pool};
	const char *reason = word_get(words, "reason");
	const X509 *x = client->signer.certificate;
	struct bytes parts[2], details[2], ext[2];
	uint8_t code = (uint8_t)(reason == NULL ? 0 : atoi(reason));

	need(p, x != NULL);
	parts[0] = wire_der_retag(&build, DER_PRIMITIVE(1),
	    object_der(p, X509_get0_serialNumber(x), ASN1_ITEM_rptr(ASN1_INTEGER)));
	parts[1] = wire_der_put1(&build, DER_CONSTRUCTED(3),
	    object_der(p, X509_get_issuer_name(x), ASN1_ITEM_rptr(X509_NAME)));
	ext[0] = wire_der_put1(&build, DER_OID, bytes_of("\x55\x1d\x15", 3));
	ext[1] = wire_der_put1(&build, DER_OCTET_STRING,
	    wire_der_put1(&build, DER_ENUMERATED, bytes_of(&code, 1)));
	details[0] = wire_der_put(&build, DER_SEQUENCE, parts, 2);
	details[1] =
	    wire_der_put1(&build, DER_SEQUENCE, wire_der_put(&build, DER_SEQUENCE, ext, 2));
	return wire_der_put1(&build, DER_SEQUENCE, wire_der_put(&build, DER_SEQUENCE, details, 2));
}

static struct bytes
genm_der(struct player *p, const struct words *words)
{
	const char *oids = word_get(words, "oid"), *value = fault_get(words, "value");
	char *copy = pool_strdup(p->pool, oids == NULL ? "" : oids), *part, *save = NULL;
	struct wire_der_build build = {.pool = p->pool};
	struct bytes list[16];
	size_t n = 0;

	for (part = strtok_r(copy, ",", &save); part != NULL && n < 16;
	     part = strtok_r(NULL, ",", &save)) {
		ASN1_OBJECT *object = OBJ_txt2obj(part, 1);
		struct bytes parts[2] = {BYTES_NONE};

		need(p, object != NULL);
		parts[0] = wire_der_put1(&build, DER_OID,
		    pool_bytes(p->pool, bytes_of(OBJ_get0_data(object), OBJ_length(object))));
		if (value != NULL) {
			parts[1] = word_hex(p, value);
		}
		list[n++] = wire_der_put(&build, DER_SEQUENCE, parts, 2);
		ASN1_OBJECT_free(object);
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
	case WIRE_PKICONF:
		return wire_pkiconf_encode(p->pool);
	default:
		fail(p, "cannot make such a body");
	}
}
