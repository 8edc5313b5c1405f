/*
 * Revocation requests and general messages, asked and answered.
 *
 *   rr     of=b (what client b was given; id=), cert=name, else the signer's; reason=1|none;
 *          named=subject,key,issuer (more certDetails that agree), fault=rr:noserial|noissuer|serial|issuer|subject|key|
 *          reasons (two)|badreason|critical|extra (a second RevDetails that is the same)|empty; also=c alsoreason=8: a second RevDetails
 *   genm   it=17,20 (infoTypes by their last number) or oid=1.2.3,...; value=HEX (of all), value17=HEX, root20 (the CA's
 *          certificate), crl22=none|old|new (a CRLStatus of the CA: without a time, with one long ago, with one of today);
 *          fault=value:HEX is value=
 *   EXPECT rp n= at=0 (which of the statuses); EXPECT genp types=17,18 (exactly these, in this order) full=17 bare=18
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "player.h"

/* 1.3.6.1.5.5.7.4: id-it without its last number. */
static const uint8_t id_it[] = {0x2b, 6, 1, 5, 5, 7, 4};

/* ---- rr ---- */

static const X509 *
certificate_meant(struct player *p, const struct client *client, const struct words *words)
{
	const char *of = word_get(words, "of"), *cert = word_get(words, "cert");
	const char *id = word_get(words, "id");

	if (of != NULL) {
		return client_find(p, of)->got[id == NULL ? 0 : strtol(id, NULL, 10)].certificate;
	}
	return cert != NULL ? credential_find(p, cert)->certificate : client->signer.certificate;
}

static bool
is_named(const struct words *words, const char *what)
{
	const char *named = word_get(words, "named");

	return named != NULL && strstr(named, what) != NULL;
}

static struct bytes
details_der(struct player *p, const X509 *x, const struct words *words)
{
	struct wire_der_build build = {.pool = p->pool};
	struct bytes parts[4] = {BYTES_NONE}, subject, key;
	EVP_PKEY *other;

	parts[0] = wire_der_retag(&build, DER_PRIMITIVE(1),
	    object_der(p, X509_get0_serialNumber(x), ASN1_ITEM_rptr(ASN1_INTEGER)));
	if (fault_is(words, "rr", "noserial")) {
		parts[0] = BYTES_NONE;
	} else if (fault_is(words, "rr", "serial")) {
		parts[0] = wire_der_put1(&build, DER_PRIMITIVE(1), bytes_of("\x51\x07", 2));
	}
	parts[1] = wire_der_put1(&build, DER_CONSTRUCTED(3),
	    fault_is(words, "rr", "issuer")
		? name_der(p, "/CN=nobody")
		: object_der(p, X509_get_issuer_name(x), ASN1_ITEM_rptr(X509_NAME)));
	if (fault_is(words, "rr", "noissuer")) {
		parts[1] = BYTES_NONE;
	}
	subject = object_der(p, X509_get_subject_name(x), ASN1_ITEM_rptr(X509_NAME));
	if (fault_is(words, "rr", "subject")) {
		subject = name_der(p, "/CN=somebody else");
	}
	if (is_named(words, "subject") || fault_is(words, "rr", "subject")) {
		parts[2] = wire_der_put1(&build, DER_CONSTRUCTED(5), subject);
	}
	key = object_der(p, X509_get_X509_PUBKEY(x), ASN1_ITEM_rptr(X509_PUBKEY));
	if (fault_is(words, "rr", "key")) {
		other = key_new(p, "ec:P-256");
		key = spki_der(p, other);
		EVP_PKEY_free(other);
	}
	if (is_named(words, "key") || fault_is(words, "rr", "key")) {
		parts[3] = wire_der_retag(&build, DER_CONSTRUCTED(6), key);
	}
	return wire_der_put(&build, DER_SEQUENCE, parts, 4);
}

static struct bytes
extension_der(struct player *p, const char *oid, bool critical, struct bytes value)
{
	struct wire_der_build build = {.pool = p->pool};
	struct bytes parts[3] = {BYTES_NONE};

	parts[0] = wire_der_put1(&build, DER_OID, bytes_of(oid, 3));
	if (critical) {
		parts[1] = wire_der_put1(&build, DER_BOOLEAN, bytes_of("\xff", 1));
	}
	parts[2] = wire_der_put1(&build, DER_OCTET_STRING, value);
	return wire_der_put(&build, DER_SEQUENCE, parts, 3);
}

static struct bytes
entry_details_der(struct player *p, const struct words *words, const char *reason)
{
	struct wire_der_build build = {.pool = p->pool};
	uint8_t code = (uint8_t)(reason == NULL ? 0 : atoi(reason));
	struct bytes list[3] = {BYTES_NONE};

	if (reason != NULL && strcmp(reason, "none") == 0) {
		return BYTES_NONE;
	}
	if (fault_is(words, "rr", "badreason")) {
		code = 7;
	}
	list[0] = extension_der(p, "\x55\x1d\x15", false,
	    wire_der_put1(&build, DER_ENUMERATED, pool_bytes(p->pool, bytes_of(&code, 1))));
	if (fault_is(words, "rr", "reasons")) {
		list[1] = list[0];
	} else if (fault_is(words, "rr", "critical")) {
		list[1] =
		    extension_der(p, "\x55\x1d\x7f", true, wire_der_put(&build, DER_NULL, NULL, 0));
	}
	return wire_der_put(&build, DER_SEQUENCE, list, 3);
}

static struct bytes
rev_details_der(struct player *p, const X509 *x, const struct words *words, const char *reason)
{
	struct wire_der_build build = {.pool = p->pool};
	struct bytes parts[2];

	need(p, x != NULL);
	parts[0] = details_der(p, x, words);
	parts[1] = entry_details_der(p, words, reason);
	return wire_der_put(&build, DER_SEQUENCE, parts, 2);
}

struct bytes
rr_der(struct player *p, const struct client *client, const struct words *words)
{
	const X509 *x = certificate_meant(p, client, words);
	const char *also = word_get(words, "also");
	struct wire_der_build build = {.pool = p->pool};
	struct bytes list[2] = {BYTES_NONE};

	if (!fault_is(words, "rr", "empty")) {
		list[0] = rev_details_der(p, x, words, word_get(words, "reason"));
	}
	if (fault_is(words, "rr", "extra")) {
		list[1] = list[0];
	} else if (also != NULL) {
		list[1] = rev_details_der(p, client_find(p, also)->got[0].certificate, words,
		    word_get(words, "alsoreason"));
	}
	return wire_der_put(&build, DER_SEQUENCE, list, 2);
}

/* ---- genm ---- */

/* CRLStatus: the CA's name, and the thisUpdate of the CRL that the client has. */
static struct bytes
crl_status_der(struct player *p, const char *which)
{
	struct wire_der_build build = {.pool = p->pool};
	int64_t now = (int64_t)time(NULL) * 1000 + p->wall_ms;
	struct bytes parts[2] = {BYTES_NONE}, name;

	name = wire_general_name(p->pool,
	    object_der(p, X509_get_subject_name(p->ca), ASN1_ITEM_rptr(X509_NAME)));
	parts[0] =
	    wire_der_put1(&build, DER_CONSTRUCTED(1), wire_der_put1(&build, DER_SEQUENCE, name));
	if (strcmp(which, "none") != 0) {
		now += strcmp(which, "old") == 0 ? -400 * INT64_C(86400000) : 86400000;
		parts[1] = wire_der_put1(&build, DER_GENERALIZED_TIME,
		    bytes_str(wire_time_encode(p->pool, now)));
	}
	return wire_der_put1(&build, DER_SEQUENCE, wire_der_put(&build, DER_SEQUENCE, parts, 2));
}

static struct bytes
value_for(struct player *p, const struct words *words, long type)
{
	const char *all = fault_get(words, "value"), *value = word_get(words, "value"), *own;

	own = word_get(words, pool_printf(p->pool, "value%ld", type));
	if (own != NULL || value != NULL || all != NULL) {
		return word_hex(p, own != NULL ? own : value != NULL ? value : all);
	}
	if (type == 20 && word_has(words, "root20")) {
		return object_der(p, p->ca, ASN1_ITEM_rptr(X509));
	}
	own = word_get(words, "crl22");
	return type == 22 && own != NULL ? crl_status_der(p, own) : BYTES_NONE;
}

static struct bytes
itav_der(struct player *p, const struct words *words, const char *text)
{
	struct wire_der_build build = {.pool = p->pool};
	ASN1_OBJECT *object = OBJ_txt2obj(text, 1);
	const char *last = strrchr(text, '.');
	struct bytes parts[2];

	need(p, object != NULL && last != NULL);
	parts[0] = wire_der_put1(&build, DER_OID,
	    pool_bytes(p->pool, bytes_of(OBJ_get0_data(object), OBJ_length(object))));
	parts[1] = value_for(p, words, strtol(last + 1, NULL, 10));
	ASN1_OBJECT_free(object);
	return wire_der_put(&build, DER_SEQUENCE, parts, 2);
}

struct bytes
genm_der(struct player *p, const struct words *words)
{
	const char *oids = word_get(words, "oid"), *types = word_get(words, "it");
	char *copy = pool_strdup(p->pool, types != NULL ? types : oids != NULL ? oids : "");
	struct wire_der_build build = {.pool = p->pool};
	struct bytes list[64];
	char *part, *save = NULL;
	size_t n = 0;

	for (part = strtok_r(copy, ",", &save); part != NULL && n < 64;
	     part = strtok_r(NULL, ",", &save)) {
		list[n++] = itav_der(p, words,
		    types == NULL ? part : pool_printf(p->pool, "1.3.6.1.5.5.7.4.%s", part));
	}
	return wire_der_put(&build, DER_SEQUENCE, list, n);
}

/* ---- what is expected ---- */

size_t
rev_rep_statuses(struct player *p, struct bytes body, struct der *ret, size_t max)
{
	struct bytes content, list;
	struct der statuses;
	size_t n = 0;

	if (der_only(body, DER_SEQUENCE, &content) != 0 ||
	    der_take_element(&content, DER_SEQUENCE, &statuses) != 0) {
		fail(p, "the RevRepContent does not decode");
	}
	for (list = statuses.value; list.len != 0; n++) {
		need(p, n < max && der_take_element(&list, DER_SEQUENCE, &ret[n]) == 0);
	}
	return n;
}

void
status_decode(struct player *p, const struct der *info, struct wire_status_info *ret)
{
	struct wire_der_build build = {.pool = p->pool};

	if (wire_error_decode(p->pool, wire_der_put1(&build, DER_SEQUENCE, info->whole), ret,
		NULL) != 0) {
		fail(p, "a PKIStatusInfo of the answer does not decode");
	}
}

static long
info_type(const struct wire_itav *itav)
{
	return itav->oid.len == sizeof(id_it) + 1 &&
		       memcmp(itav->oid.data, id_it, sizeof(id_it)) == 0
		   ? itav->oid.data[sizeof(id_it)]
		   : 0;
}

/* Each number of the list names an infoType that came with (or without) a value. */
static void
check_values(struct player *p, const struct words *words, const char *key,
    const struct wire_itav *itavs, size_t n, bool full)
{
	const char *list = word_get(words, key);
	char *end;
	size_t i;

	while (list != NULL && *list != '\0') {
		long type = strtol(list, &end, 10);

		for (i = 0; i < n && info_type(&itavs[i]) != type; i++) {
		}
		if (i == n || (itavs[i].value.data != NULL) != full) {
			fail(p, "infoType %ld is %s", type,
			    i == n ? "not in the genp"
			    : full ? "without a value"
				   : "with a value");
		}
		list = *end == ',' ? end + 1 : end;
	}
}

void
expect_genp(struct player *p, const struct words *words, const struct client *client)
{
	const char *types = word_get(words, "types");
	struct wire_itav *itavs;
	char *got = pool_strdup(p->pool, "");
	size_t n, i;

	if (wire_itavs_decode(p->pool, client->reply.body, 64, &itavs, &n, NULL) != 0) {
		fail(p, "the genp does not decode");
	}
	for (i = 0; i < n; i++) {
		got = pool_printf(p->pool, "%s%s%ld", got, i == 0 ? "" : ",", info_type(&itavs[i]));
	}
	if (types != NULL && strcmp(types, got) != 0) {
		fail(p, "the genp has the infoTypes %s, not %s", got, types);
	}
	check_values(p, words, "full", itavs, n, true);
	check_values(p, words, "bare", itavs, n, false);
}
