#include "policy/request.h"

#include <stdio.h>
#include <string.h>

#include <cmpd/request.h>

#include "base/pool.h"
#include "policy/limits.h"

/* ---- the copy ---- */

static size_t
size_of_text(const char *text)
{
	return text == NULL ? 0 : strlen(text) + 1 + sizeof(max_align_t);
}

/* What the copy takes at the most. */
static size_t
size_of(const struct policy_request *from)
{
	const char *texts[] = {from->endpoint, from->profile, from->subject, from->requester,
	    from->requester_kind, from->reference, from->signer_subject, from->key_type, from->peer,
	    from->wants};
	size_t size = from->signer.len + from->spki.len + from->template.len + 1024;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size += size_of_text(texts[i]);
	}
	for (size_t i = 0; from->sans != NULL && from->sans[i] != NULL; i++) {
		size += size_of_text(from->sans[i]) + sizeof(char *);
	}
	return size;
}

/* *text becomes a copy. */
static int
copy_text(struct pool *pool, const char **text)
{
	if (*text == NULL) {
		return 0;
	}
	*text = pool_strdup(pool, *text);
	return *text == NULL ? CMPD_ENOMEM : 0;
}

static int
copy_bytes(struct pool *pool, struct bytes *bytes)
{
	if (bytes->data == NULL || bytes->len == 0) {
		*bytes = BYTES_NONE;
		return 0;
	}
	*bytes = pool_bytes(pool, *bytes);
	return bytes->data == NULL ? CMPD_ENOMEM : 0;
}

static int
copy_sans(struct cmpd_request *request, const char **from)
{
	size_t n = 0;

	while (from != NULL && from[n] != NULL) {
		n++;
	}
	request->n_sans = n;
	request->copy.sans = pool_alloc(request->pool, (n + 1) * sizeof(char *));
	if (request->copy.sans == NULL) {
		return CMPD_ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		request->copy.sans[i] = from[i];
		if (copy_text(request->pool, &request->copy.sans[i]) != 0) {
			return CMPD_ENOMEM;
		}
	}
	return 0;
}

static int
copy(struct cmpd_request *request, const struct policy_request *from)
{
	struct policy_request *to = &request->copy;
	const char **texts[] = {&to->endpoint, &to->profile, &to->subject, &to->requester,
	    &to->requester_kind, &to->reference, &to->signer_subject, &to->key_type, &to->peer,
	    &to->wants};
	struct bytes *ders[] = {&to->signer, &to->spki, &to->template};
	int rc = 0;

	*to = *from;
	for (size_t i = 0; rc == 0 && i < sizeof(texts) / sizeof(texts[0]); i++) {
		rc = copy_text(request->pool, texts[i]);
	}
	for (size_t i = 0; rc == 0 && i < sizeof(ders) / sizeof(ders[0]); i++) {
		rc = copy_bytes(request->pool, ders[i]);
	}
	if (rc == 0) {
		rc = copy_sans(request, from->sans);
	}
	return rc;
}

int
policy_request_init(struct cmpd_request *request, const struct policy_request *from,
    struct policy_call *call)
{
	memset(request, 0, sizeof(*request));
	request->call = call;
	request->pool = pool_new(size_of(from) + POLICY_SCRATCH_MAX);
	if (request->pool == NULL) {
		return CMPD_ENOMEM;
	}
	if (copy(request, from) != 0) {
		pool_free(request->pool);
		return CMPD_ENOMEM;
	}
	hex_encode(bytes_of(from->txn.id, from->txn.id_len), request->txn, sizeof(request->txn));
	pthread_mutex_init(&request->lock, NULL);
	return 0;
}

void
policy_request_fini(struct cmpd_request *request)
{
	pthread_mutex_destroy(&request->lock);
	pool_free(request->pool);
}

char *
policy_request_strdup(struct cmpd_request *request, const char *string)
{
	char *copied = NULL;

	if (string != NULL) {
		pthread_mutex_lock(&request->lock);
		copied = pool_strdup(request->pool, string);
		pthread_mutex_unlock(&request->lock);
	}
	return copied;
}

/* ---- what plugins call ---- */

const char *
cmpd_request_type(const struct cmpd_request *request)
{
	return request_type_name(request->copy.type);
}

const char *
cmpd_request_endpoint(const struct cmpd_request *request)
{
	return request->copy.endpoint;
}

const char *
cmpd_request_profile(const struct cmpd_request *request)
{
	return request->copy.profile;
}

const char *
cmpd_request_subject(const struct cmpd_request *request)
{
	return request->copy.subject;
}

const char *
cmpd_request_san(const struct cmpd_request *request, size_t n)
{
	return n < request->n_sans ? request->copy.sans[n] : NULL;
}

const char *
cmpd_request_requester(const struct cmpd_request *request)
{
	return request->copy.requester;
}

const char *
cmpd_request_requester_kind(const struct cmpd_request *request)
{
	return request->copy.requester_kind;
}

const char *
cmpd_request_reference(const struct cmpd_request *request)
{
	return request->copy.reference;
}

const char *
cmpd_request_signer_subject(const struct cmpd_request *request)
{
	return request->copy.signer_subject;
}

const char *
cmpd_request_wants(const struct cmpd_request *request)
{
	return request->copy.wants;
}

const char *
cmpd_request_key_type(const struct cmpd_request *request)
{
	return request->copy.key_type;
}

const char *
cmpd_request_peer(const struct cmpd_request *request)
{
	return request->copy.peer;
}

const char *
cmpd_request_txn(const struct cmpd_request *request)
{
	return request->txn;
}

long long
cmpd_request_cert_req_id(const struct cmpd_request *request)
{
	return request->copy.cert_req_id;
}

int64_t
cmpd_request_received(const struct cmpd_request *request)
{
	return request->copy.received;
}

static const unsigned char *
der(struct bytes bytes, size_t *ret_len)
{
	*ret_len = bytes.len;
	return bytes.data;
}

const unsigned char *
cmpd_request_signer(const struct cmpd_request *request, size_t *ret_len)
{
	return der(request->copy.signer, ret_len);
}

const unsigned char *
cmpd_request_spki(const struct cmpd_request *request, size_t *ret_len)
{
	return der(request->copy.spki, ret_len);
}

const unsigned char *
cmpd_request_template(const struct cmpd_request *request, size_t *ret_len)
{
	return der(request->copy.template, ret_len);
}

void *
cmpd_request_alloc(struct cmpd_request *request, size_t size)
{
	void *memory;

	if (size > POLICY_SCRATCH_MAX) {
		return NULL;
	}
	pthread_mutex_lock(&request->lock);
	memory = pool_alloc(request->pool, size);
	pthread_mutex_unlock(&request->lock);
	return memory;
}

const char *
cmpd_request_printf(struct cmpd_request *request, const char *format, ...)
{
	char *text = NULL;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len >= 0) {
		text = cmpd_request_alloc(request, (size_t)len + 1);
	}
	if (text != NULL) {
		va_start(args, format);
		vsnprintf(text, (size_t)len + 1, format, args);
		va_end(args);
	}
	return text;
}
