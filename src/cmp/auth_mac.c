#include <string.h>

#include "cmp/auth_parts.h"
#include "cmp/guess.h"
#include "cmp/mac.h"
#include "cmp/ra.h"
#include "model/der.h"
#include "model/name.h"

/* Everything that can be wrong with a MAC under an unknown or known reference says the same. */
static const char wrong_mac[] = "the MAC does not verify: unknown reference or wrong secret";

/* One algorithm for the whole transaction (B3.9); parameters may differ. The last answer has that of the request before. */
static int
same_mac(struct cmp_work *work)
{
	struct wire_message last;
	int error;

	if (!work->has_txn || !work->txn.answer.data) {
		return 0;
	}
	error = wire_message_decode(work->desk->pool, work->txn.answer, CMP_EXTRA_MAX, &last, NULL);
	if (error) {
		return error == CMPD_ENOMEM ? error : CMPD_ECORRUPT;
	}
	if (!bytes_equal(last.header.protection_alg.oid, work->in.header.protection_alg.oid)) {
		cmp_work_fault(work, "B3.9", FI_WRONG_INTEGRITY,
		    "the kind of MAC is not the one that opened the transaction");
	}
	return 0;
}

/* Where the endpoint wants it: sender is a directoryName with the reference as its CN, nothing else. */
static int
sender_fits_reference(struct cmp_work *work, const char *ref)
{
	static const uint8_t common_name[] = {0x55, 0x04, 0x03};
	struct bytes sender = wire_directory_name(work->in.header.sender);
	size_t name, set, attribute;
	struct buf buf;
	int error;

	if (!work->endpoint->conf->sender_is_reference) {
		return 0;
	}
	buf_init(&buf, 1024);
	name = der_begin(&buf, DER_SEQUENCE);
	set = der_begin(&buf, DER_SET);
	attribute = der_begin(&buf, DER_SEQUENCE);
	der_put(&buf, DER_OID, bytes_of(common_name, sizeof(common_name)));
	der_put(&buf, DER_UTF8_STRING, bytes_str(ref));
	der_end(&buf, attribute);
	der_end(&buf, set);
	der_end(&buf, name);
	error = buf_error(&buf);
	if (!error && (!sender.data || !name_equal(sender, buf_get0(&buf)))) {
		cmp_work_fault(work, "B3.8", FI_BAD_MESSAGE_CHECK,
		    "sender is not the common name that is the reference");
	}
	buf_fini(&buf);
	return error;
}

/* The secret of an open transaction whatever became of it since; else the one that the reference names now. */
static int
find_named(struct cmp_work *work, const char *ref, struct secret *ret)
{
	struct desk *desk = work->desk;
	const char *path = work->endpoint->conf->path;
	int error;

	if (!work->has_txn || work->txn.identity.kind != IDENTITY_SECRET) {
		return store_secret_find(desk->reader, desk->pool, ref, path, ret);
	}
	error = store_secret_get(desk->reader, desk->pool, work->txn.identity.secret, ret);
	if (!error && strcmp(ret->ref, ref)) {
		return store_secret_find(desk->reader, desk->pool, ref, path, ret);
	}
	return error;
}

/* retiring: the one before it, which may still be good. */
static int
find_secret(struct cmp_work *work, const char *ref, bool retiring, struct secret *ret)
{
	struct desk *desk = work->desk;
	const char *path = work->endpoint->conf->path;
	int error = CMPD_ENOENT;

	/* Some clients write the whole common name into senderKID. */
	for (int skip = 0; ref && error == CMPD_ENOENT && skip <= 3; skip += 3) {
		if (skip == 0 || strncmp(ref, "CN=", 3) == 0) {
			error = retiring ? store_secret_find_retiring(desk->reader, desk->pool,
					       ref + skip, path, ret)
					 : find_named(work, ref + skip, ret);
		}
	}
	return error;
}

static bool
is_opener(const struct cmp_work *work, const struct secret *secret)
{
	return work->has_txn && work->txn.identity.kind == IDENTITY_SECRET &&
	       work->txn.identity.secret == secret->id;
}

/* May this secret still open a transaction? Said only to somebody who has it. */
static bool
secret_opens(struct cmp_work *work, const struct secret *secret)
{
	if (work->has_txn) {
		return true;
	}
	if (secret->removed) {
		return cmp_work_fault(work, "B3.11", FI_NOT_AUTHORIZED,
		    "the secret has been removed");
	}
	if (secret->expires && secret->expires <= work->desk->now) {
		return cmp_work_fault(work, "B3.11", FI_NOT_AUTHORIZED, "the secret has expired");
	}
	if (secret->uses_left == 0 && cmp_body_opens(work->in.body_type) &&
	    work->in.body_type != WIRE_GENM) {
		return cmp_work_fault(work, "B3.11", FI_NOT_AUTHORIZED,
		    "the secret has been used up");
	}
	return true;
}

static int
accept_mac(struct cmp_work *work, const char *ref, const struct secret *secret)
{
	struct cmp_verified *v = pool_alloc(work->desk->pool, sizeof(*v));
	int error;

	if (!v) {
		return CMPD_ENOMEM;
	}
	v->protection = CMP_PROTECTION_MAC;
	v->secret = *secret;
	v->mac = work->in.header.protection_alg;
	v->requester.identity.kind = IDENTITY_SECRET;
	v->requester.identity.secret = secret->id;
	v->requester.reference = ref;
	v->requester.secret = &v->secret;
	v->requester.peer = work->request->peer;
	/* Its identity stays that of the secret: another one under this reference is somebody else. */
	v->requester.ra = ra_name_of_reference(work->endpoint->conf, secret->ref);
	v->requester.words = pool_printf(work->desk->pool, "mac%s%s ref=%s",
	    v->requester.ra ? " ra=" : "", v->requester.ra ? v->requester.ra : "", ref);
	if (!v->requester.words) {
		return CMPD_ENOMEM;
	}
	/* From here on answers are MACed: he has the secret, even if he may not do this. */
	work->verified = v;
	if (auth_same_identity(work, &v->requester.identity)) {
		(void)secret_opens(work, secret);
	}
	error = sender_fits_reference(work, ref);
	return error ? error : same_mac(work);
}

/* A reference is text without control bytes; others name no secret. */
static const char *
reference_text(struct pool *pool, struct bytes kid)
{
	if (kid.len == 0 || kid.len > 255) {
		return NULL;
	}
	for (size_t i = 0; i < kid.len; i++) {
		if (kid.data[i] < 0x20 || kid.data[i] == 0x7f) {
			return NULL;
		}
	}
	return pool_strndup(pool, kid.data, kid.len);
}

/* Nobody's is computed as well, so that it takes as long. */
static int
try_secret(struct cmp_work *work, struct bytes part, const struct secret *secret, bool *ret_right)
{
	static const uint8_t nobody[16] = "no such secret.";
	struct bytes value = secret ? secret->value : bytes_of(nobody, sizeof(nobody));
	struct bytes mac;
	int error = mac_compute(work->door, work->desk->pool, &work->in.header.protection_alg,
	    value, part, &mac);

	if (error == CMPD_ENOMEM) {
		return error;
	}
	*ret_right = !error && bytes_equal_secret(mac, work->in.protection) && secret;
	return 0;
}

/*
 * Is the MAC made with the secret of that reference, or with the one that retires? Whatever is wrong, and whatever there is,
 * two MACs have been computed then: an unknown reference costs the same work as a wrong secret.
 */
static int
find_right(struct cmp_work *work, struct bytes part, const char *ref, int64_t iterations,
    struct secret *ret, bool *ret_right)
{
	bool known, right = false;
	int error = find_secret(work, ref, false, ret);

	known = !error;
	if (error && error != CMPD_ENOENT) {
		return error;
	}
	if (!guess_allowed(work, ref, known && is_opener(work, ret))) {
		return 0;
	}
	error = try_secret(work, part, known ? ret : NULL, &right);
	if (!error && !right) {
		/* A transaction goes on with the secret that opened it. */
		bool opener = known && is_opener(work, ret);

		error = find_secret(work, ref, true, ret);
		known = !error && !opener;
		if (!error || error == CMPD_ENOENT) {
			error = try_secret(work, part, known ? ret : NULL, &right);
		}
	}
	if (!error && !right) {
		guess_failed(work, ref, 2 * iterations);
		cmp_work_fault(work, "B3.8", FI_BAD_MESSAGE_CHECK, wrong_mac);
	}
	*ret_right = right;
	return error;
}

int
auth_mac(struct cmp_work *work, struct bytes part)
{
	const struct wire_header *header = &work->in.header;
	struct pool *pool = work->desk->pool;
	struct secret secret = {.id = 0};
	struct diag why = {""};
	int64_t iterations = 0;
	bool right = false;
	int error;

	if (mac_check(work->endpoint->conf, pool, &header->protection_alg, &iterations, &why)) {
		cmp_work_fault(work, "B3.12", FI_BAD_ALG, "%s", why.text);
		return 0;
	}
	error = find_right(work, part, reference_text(pool, header->sender_kid), iterations,
	    &secret, &right);
	return error || !right ? error : accept_mac(work, secret.ref, &secret);
}
