/*
 * What asks for certificates: CertReqMessages (RFC 4211) and PKCS #10.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "player.h"

/* SEQUENCE OF Extension with what the words name; absent: nothing. */
static struct bytes
extensions_der(struct player *p, const struct words *words, int64_t id)
{
	static const struct {
		const char *word;
		int nid;
	} rows[] = {{"san", NID_subject_alt_name}, {"bc", NID_basic_constraints},
	    {"ku", NID_key_usage}, {"eku", NID_ext_key_usage}, {"nc", NID_name_constraints},
	    {"tls", NID_tlsfeature}};
	struct wire_der_build build = {.pool = p->pool};
	struct bytes list[8] = {BYTES_NONE};
	size_t i, n = 0;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *value = word_get_for(words, rows[i].word, id);
		X509_EXTENSION *ext;
		X509V3_CTX ctx;

		if (value == NULL) {
			continue;
		}
		X509V3_set_ctx(&ctx, NULL, NULL, NULL, NULL, 0);
		X509V3_set_ctx_nodb(&ctx);
		ext = X509V3_EXT_conf_nid(NULL, &ctx, rows[i].nid, value);
		if (ext == NULL) {
			fail(p, "no %s: %s", rows[i].word, value);
		}
		list[n++] = object_der(p, ext, ASN1_ITEM_rptr(X509_EXTENSION));
		X509_EXTENSION_free(ext);
	}
	return n == 0 ? BYTES_NONE : wire_der_put(&build, DER_SEQUENCE, list, n);
}

static struct bytes
validity_der(struct player *p, const char *days)
{
	struct wire_der_build build = {.pool = p->pool};
	int64_t now = (int64_t)time(NULL) * 1000 + p->wall_ms;
	const char *comma = strchr(days, ',');
	int64_t until;
	struct bytes parts[2];

	if (comma != NULL) {
		now += (int64_t)atoi(days) * 86400000;
		days = comma + 1;
	}
	until = now + (int64_t)atoi(days) * 86400000;
	parts[0] = wire_der_put1(&build, DER_CONSTRUCTED(0),
	    wire_der_put1(&build, DER_GENERALIZED_TIME, bytes_str(wire_time_encode(p->pool, now))));
	parts[1] = wire_der_put1(&build, DER_CONSTRUCTED(1),
	    wire_der_put1(&build, DER_GENERALIZED_TIME,
		bytes_str(wire_time_encode(p->pool, until))));
	return wire_der_put(&build, DER_CONSTRUCTED(4), parts, 2);
}

static struct bytes
subject_der(struct player *p, const struct client *client, const struct words *words, int type,
    int64_t id)
{
	const char *subject = word_get_for(words, "subject", id);

	if (fault_get(words, "nosubject") != NULL) {
		return BYTES_NONE;
	}
	if (subject == NULL && type == WIRE_KUR && client->signer.certificate != NULL) {
		return object_der(p, X509_get_subject_name(client->signer.certificate),
		    ASN1_ITEM_rptr(X509_NAME));
	}
	return name_der(p, subject != NULL ? subject : "/CN=device");
}

struct bytes
spki_der(struct player *p, EVP_PKEY *key)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key, &der);
	struct bytes out;

	need(p, len > 0);
	out = pool_bytes(p->pool, bytes_of(der, (size_t)len));
	OPENSSL_free(der);
	return out;
}

static struct bytes
template_der(struct player *p, const struct client *client, const struct words *words, int type,
    size_t i)
{
	int64_t id = client->ids[i];
	struct wire_der_build build = {.pool = p->pool};
	const char *days = word_get_for(words, "days", id);
	struct bytes parts[5] = {BYTES_NONE};

	if (fault_get(words, "version") != NULL) {
		parts[0] = wire_der_put1(&build, DER_PRIMITIVE(0), bytes_of("\x02", 1));
	}
	if (days != NULL) {
		parts[1] = validity_der(p, days);
	}
	parts[2] =
	    wire_der_put1(&build, DER_CONSTRUCTED(5), subject_der(p, client, words, type, id));
	if (client->got[i].key == NULL) {
		parts[3] = made_wish(p, word_get_for(words, "key", id));
	} else if (fault_get(words, "nokey") == NULL) {
		parts[3] =
		    wire_der_retag(&build, DER_CONSTRUCTED(6), spki_der(p, client->got[i].key));
	}
	parts[4] = wire_der_retag(&build, DER_CONSTRUCTED(9), extensions_der(p, words, id));
	return wire_der_put(&build, DER_SEQUENCE, parts, 5);
}

/* SEQUENCE { oldCertID control } for the signer's certificate, or what client of= was given. */
static struct bytes
controls_der(struct player *p, const struct client *client, const struct words *words)
{
	static const uint8_t old_cert_id[] = {0x2b, 6, 1, 5, 5, 7, 5, 1, 5};
	struct wire_der_build build = {.pool = p->pool};
	const char *of = word_get(words, "of");
	const X509 *x =
	    of != NULL ? client_find(p, of)->got[0].certificate : client->signer.certificate;
	struct bytes id[2], control[2];

	if (x == NULL || fault_get(words, "nooldcert") != NULL) {
		return BYTES_NONE;
	}
	id[0] = wire_general_name(p->pool,
	    fault_get(words, "oldissuer") != NULL
		? name_der(p, "/CN=nobody")
		: object_der(p, X509_get_issuer_name(x), ASN1_ITEM_rptr(X509_NAME)));
	id[1] = object_der(p, X509_get0_serialNumber(x), ASN1_ITEM_rptr(ASN1_INTEGER));
	control[0] = wire_der_put1(&build, DER_OID, bytes_of(old_cert_id, sizeof(old_cert_id)));
	control[1] = wire_der_put(&build, DER_SEQUENCE, id, 2);
	return wire_der_put1(&build, DER_SEQUENCE, wire_der_put(&build, DER_SEQUENCE, control, 2));
}

/* PKMACValue over the key, under the client's secret or, of somebody who has not got it, another. */
static struct bytes
public_key_mac(struct player *p, const struct client *client, const struct words *words,
    struct bytes spki, bool right)
{
	struct bytes secret = right ? client->secret : bytes_str("not this one");
	struct wire_der_build build = {.pool = p->pool};
	struct wire_alg alg = {.der = mac_alg(p, &client->mac, words)};
	struct bytes parts[2] = {alg.der};

	need(p, wire_pair_split(alg.der, &alg.oid, &alg.parameters) == 0);
	parts[1] = wire_der_put_bits(&build, mac_over(p, &alg, secret, spki));
	return wire_der_put(&build, DER_SEQUENCE, parts, 2);
}

/* POPOSigningKeyInput: input= sender, mac; wrong ones (F9): othersender, othermac, otherkey, odd. */
static struct bytes
popo_input_der(struct player *p, const struct client *client, const struct words *words,
    const char *how, EVP_PKEY *key)
{
	struct wire_der_build build = {.pool = p->pool};
	struct bytes parts[2], own = BYTES_NONE;

	if (client->signer.certificate != NULL) {
		own = object_der(p, X509_get_subject_name(client->signer.certificate),
		    ASN1_ITEM_rptr(X509_NAME));
	}
	parts[1] = spki_der(p, strcmp(how, "otherkey") == 0 ? key_new(p, "ec:P-256") : key);
	if (strcmp(how, "mac") == 0 || strcmp(how, "othermac") == 0) {
		parts[0] = public_key_mac(p, client, words, parts[1], strcmp(how, "mac") == 0);
	} else if (strcmp(how, "odd") == 0) {
		parts[0] = wire_der_put_int(&build, 7);
	} else {
		bool right = strcmp(how, "othersender") != 0 && own.data != NULL;

		parts[0] = wire_der_put1(&build, DER_CONSTRUCTED(0),
		    wire_general_name(p->pool, right ? own : name_der(p, "/CN=somebody else")));
	}
	return wire_der_put(&build, DER_SEQUENCE, parts, 2);
}

static struct bytes
popo_der(struct player *p, const struct words *words, const struct client *client, size_t i,
    struct bytes request)
{
	const char *fault = word_get_for(words, "popo", client->ids[i]);
	const char *how_input = word_get(words, "input");
	EVP_PKEY *key = client->got[i].key;
	struct wire_der_build build = {.pool = p->pool};
	struct bytes parts[3] = {BYTES_NONE}, input = request;
	struct signing how = {
	    .digest = word_get(words, "popodigest"), .pss = word_has(words, "popopss")};

	if (fault == NULL) {
		fault = fault_get(words, "popo");
	}
	if (key == NULL || (fault != NULL && strcmp(fault, "none") == 0)) {
		return BYTES_NONE;
	}
	if (fault != NULL && strcmp(fault, "raverified") == 0) {
		return wire_der_put(&build, DER_PRIMITIVE(0), NULL, 0);
	}
	if (how_input != NULL) {
		input = popo_input_der(p, client, words, how_input, key);
		parts[0] = wire_der_retag(&build, DER_CONSTRUCTED(0), input);
	}
	parts[1] = sign_alg(p, key, &how);
	if (fault != NULL && strcmp(fault, "bad") == 0) {
		input = bytes_str("something else");
	}
	parts[2] = wire_der_put_bits(&build, sign(p, key, &how, input));
	return wire_der_put(&build, DER_CONSTRUCTED(1), parts, 3);
}

/* A new key, or "as:7": that of the request with this id, which stands before. */
static EVP_PKEY *
cert_req_key(struct player *p, struct client *client, const char *spec)
{
	struct credential *got;

	if (strncmp(spec, "as:", 3) != 0) {
		return key_new(p, spec);
	}
	got = client_got(client, strtoll(spec + 3, NULL, 10));
	need(p, got != NULL && got->key != NULL && EVP_PKEY_up_ref(got->key));
	return got->key;
}

static struct bytes
cert_req_der(struct player *p, struct client *client, const struct words *words, int type, size_t i)
{
	struct wire_der_build build = {.pool = p->pool};
	const char *spec = word_get_for(words, "key", client->ids[i]);
	struct bytes parts[3] = {BYTES_NONE}, message[2];
	EVP_PKEY *key;

	if (word_has(words, "samekey")) {
		key = client->signer.key;
		need(p, key != NULL && EVP_PKEY_up_ref(key));
	} else if (spec != NULL && strncmp(spec, "made", 4) == 0) {
		key = NULL; /* it comes with the certificate */
	} else {
		key = cert_req_key(p, client, spec == NULL ? "ec:P-256" : spec);
	}
	client->got[i] = (struct credential){.key = key};
	parts[0] = wire_der_put_int(&build, client->ids[i]);
	parts[1] = template_der(p, client, words, type, i);
	if (type == WIRE_KUR) {
		parts[2] = controls_der(p, client, words);
	}
	message[0] = wire_der_put(&build, DER_SEQUENCE, parts, 3);
	message[1] = popo_der(p, words, client, i, message[0]);
	return wire_der_put(&build, DER_SEQUENCE, message, 2);
}

struct bytes
cert_reqs_der(struct player *p, struct client *client, int type, const struct words *words)
{
	struct wire_der_build build = {.pool = p->pool};
	struct bytes list[IDS_MAX];
	size_t i;

	client->n_ids = read_ids(words, "ids", client->ids);
	if (client->n_ids == 0) {
		client->n_ids = 1;
		client->ids[0] = 0;
	}
	for (i = 0; i < client->n_ids; i++) {
		list[i] = cert_req_der(p, client, words, type, i);
	}
	return wire_der_put(&build, DER_SEQUENCE, list, client->n_ids);
}

struct bytes
p10_der(struct player *p, struct client *client, const struct words *words)
{
	const char *spec = word_get(words, "key"), *san = word_get(words, "san");
	const char *subject = word_get(words, "subject");
	X509_NAME *name = name_new(p, subject == NULL ? "/CN=device" : subject);
	X509_REQ *req = X509_REQ_new();
	EVP_PKEY *key = key_new(p, spec == NULL ? "ec:P-256" : spec), *signer = key;
	STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
	struct bytes out;

	client->n_ids = 1;
	client->ids[0] = -1;
	client->got[0] = (struct credential){.key = key};
	need(p, X509_REQ_set_subject_name(req, name) && X509_REQ_set_pubkey(req, key));
	if (san != NULL) {
		sk_X509_EXTENSION_push(list,
		    X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san));
		need(p, X509_REQ_add_extensions(req, list));
	}
	if (fault_is(words, "popo", "bad")) {
		signer = key_new(p, "ec:P-256");
	}
	need(p,
	    X509_REQ_sign(req, signer, EVP_PKEY_is_a(signer, "ED25519") ? NULL : EVP_sha256()) > 0);
	out = object_der(p, req, ASN1_ITEM_rptr(X509_REQ));
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	X509_REQ_free(req);
	X509_NAME_free(name);
	return out;
}
