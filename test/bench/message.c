#include "message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "cmp/wire_der.h"

#define ITERATIONS 500 /* what OpenSSL's client sends */

static const uint8_t alg_ecdsa[] = {0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2};
static const uint8_t alg_rsa[] = {
    0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11, 5, 0};
static const uint8_t alg_sha256[] = {0x30, 11, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1};
static const uint8_t alg_hmac[] = {0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 9};
static const uint8_t null_name[] = {0x30, 0};
static const uint8_t null_der[] = {5, 0};

void
bench_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/* ---- senders ---- */

static FILE *
open_file(const char *path)
{
	FILE *file = fopen(path, "r");

	if (file == NULL) {
		bench_fail("%s: cannot be read", path);
	}
	return file;
}

void
sender_init(struct sender *sender, const char *ref, const char *secret, const char *certificate,
    const char *key, bool rsa)
{
	FILE *file;

	memset(sender, 0, sizeof(*sender));
	sender->ref = ref;
	sender->secret = secret;
	if (certificate != NULL) {
		file = open_file(certificate);
		MUST(sender->certificate = PEM_read_X509(file, NULL, NULL, NULL));
		fclose(file);
		file = open_file(key);
		MUST(sender->key = PEM_read_PrivateKey(file, NULL, NULL, NULL));
		fclose(file);
	}
	for (size_t i = 0; i < SENDER_KEYS; i++) {
		sender->subjects[i] = rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
		MUST(sender->subjects[i] != NULL);
	}
}

void
sender_fini(struct sender *sender)
{
	X509_free(sender->certificate);
	EVP_PKEY_free(sender->key);
	for (size_t i = 0; i < SENDER_KEYS; i++) {
		EVP_PKEY_free(sender->subjects[i]);
	}
}

/* ---- protection ---- */

static struct bytes
random_new(struct pool *pool, size_t len)
{
	uint8_t *out = pool_alloc(pool, len);

	MUST(out != NULL && RAND_bytes(out, (int)len) == 1);
	return bytes_of(out, len);
}

static struct bytes
alg_of(EVP_PKEY *key)
{
	return EVP_PKEY_is_a(key, "RSA") ? bytes_of(alg_rsa, sizeof(alg_rsa))
					 : bytes_of(alg_ecdsa, sizeof(alg_ecdsa));
}

static struct bytes
sign(struct pool *pool, EVP_PKEY *key, struct bytes data)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t len = (size_t)EVP_PKEY_get_size(key);
	uint8_t *out = pool_alloc(pool, len);

	MUST(ctx != NULL && out != NULL);
	MUST(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1);
	MUST(EVP_DigestSign(ctx, out, &len, data.data, data.len) == 1);
	EVP_MD_CTX_free(ctx);
	return bytes_of(out, len);
}

static struct bytes
mac(struct pool *pool, const char *secret, struct bytes salt, struct bytes data)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t key[32], *out = pool_alloc(pool, sizeof(key));
	unsigned len = sizeof(key);

	MUST(ctx != NULL && out != NULL);
	MUST(EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
	     EVP_DigestUpdate(ctx, secret, strlen(secret)) == 1 &&
	     EVP_DigestUpdate(ctx, salt.data, salt.len) == 1 &&
	     EVP_DigestFinal_ex(ctx, key, NULL) == 1);
	for (int i = 1; i < ITERATIONS; i++) {
		MUST(EVP_DigestInit_ex(ctx, NULL, NULL) == 1 &&
		     EVP_DigestUpdate(ctx, key, sizeof(key)) == 1 &&
		     EVP_DigestFinal_ex(ctx, key, NULL) == 1);
	}
	EVP_MD_CTX_free(ctx);
	MUST(HMAC(EVP_sha256(), key, sizeof(key), data.data, data.len, out, &len) != NULL);
	return bytes_of(out, len);
}

/* ---- messages ---- */

static struct bytes
common_name(struct pool *pool, const char *text)
{
	struct wire_der_build build = {.pool = pool};
	struct bytes parts[2];

	parts[0] = wire_der_put1(&build, DER_OID, bytes_of("\x55\x04\x03", 3));
	parts[1] = wire_der_put1(&build, DER_UTF8_STRING, bytes_str(text));
	return wire_der_put1(&build, DER_SEQUENCE,
	    wire_der_put1(&build, DER_SET, wire_der_put(&build, DER_SEQUENCE, parts, 2)));
}

static void
set_sender(struct pool *pool, const struct sender *sender, struct wire_header *header)
{
	const ASN1_OCTET_STRING *kid;
	const unsigned char *name;
	size_t len;

	if (sender->ref != NULL) {
		header->sender = wire_general_name(pool, common_name(pool, sender->ref));
		header->sender_kid = bytes_str(sender->ref);
		return;
	}
	kid = X509_get0_subject_key_id(sender->certificate);
	MUST(kid != NULL);
	MUST(X509_NAME_get0_der(X509_get_subject_name(sender->certificate), &name, &len) == 1);
	header->sender = wire_general_name(pool, bytes_of(name, len));
	header->sender_kid = bytes_of(ASN1_STRING_get0_data(kid), (size_t)ASN1_STRING_length(kid));
}

static struct bytes
protect(struct pool *pool, const struct sender *sender, struct wire_header *header,
    struct bytes body)
{
	struct wire_pbm pbm = {.iterations = ITERATIONS};
	struct bytes head, part, protection, cert = BYTES_NONE;
	unsigned char *der = NULL;

	pbm.owf.der = bytes_of(alg_sha256, sizeof(alg_sha256));
	pbm.mac.der = bytes_of(alg_hmac, sizeof(alg_hmac));
	if (sender->ref != NULL) {
		pbm.salt = random_new(pool, 16);
		header->protection_alg.der = wire_pbm_alg_encode(pool, &pbm);
	} else {
		header->protection_alg.der = alg_of(sender->key);
		cert.len = (size_t)i2d_X509(sender->certificate, &der);
		cert.data = der;
	}
	head = wire_header_encode(pool, header);
	part = wire_protected_part(pool, head, body);
	MUST(head.data != NULL && body.data != NULL && part.data != NULL);
	protection = sender->ref != NULL ? mac(pool, sender->secret, pbm.salt, part)
					 : sign(pool, sender->key, part);
	part = wire_message_build(pool, head, body, protection, &cert, der != NULL ? 1 : 0);
	MUST(part.data != NULL);
	OPENSSL_free(der);
	return part;
}

static struct wire_header
make_header(struct pool *pool, const struct sender *sender)
{
	struct wire_header header = {
	    .pvno = 2,
	    .recipient = wire_general_name(pool, bytes_of(null_name, sizeof(null_name))),
	    .message_time = (int64_t)time(NULL) * 1000,
	    .sender_nonce = random_new(pool, 16),
	};

	header.message_time_raw = bytes_str(wire_time_encode(pool, header.message_time));
	set_sender(pool, sender, &header);
	return header;
}

/* CertReqMessages with one request, id 0, signed with the key it is for. */
static struct bytes
request_body(struct pool *pool, EVP_PKEY *key, unsigned number)
{
	struct wire_der_build build = {.pool = pool};
	struct bytes parts[3], request[2], message[2];
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key, &der);

	MUST(len > 0);
	parts[0] = wire_der_put1(&build, DER_CONSTRUCTED(5),
	    common_name(pool, pool_printf(pool, "bench-%u", number)));
	parts[1] = wire_der_retag(&build, DER_CONSTRUCTED(6), bytes_of(der, (size_t)len));
	request[0] = wire_der_put_int(&build, 0);
	request[1] = wire_der_put(&build, DER_SEQUENCE, parts, 2);
	message[0] = wire_der_put(&build, DER_SEQUENCE, request, 2);
	parts[0] = alg_of(key);
	parts[1] = wire_der_put_bits(&build, sign(pool, key, message[0]));
	message[1] = wire_der_put(&build, DER_CONSTRUCTED(1), parts, 2);
	OPENSSL_free(der);
	return wire_der_put1(&build, DER_CONSTRUCTED(WIRE_IR),
	    wire_der_put1(&build, DER_SEQUENCE, wire_der_put(&build, DER_SEQUENCE, message, 2)));
}

struct bytes
message_ir(struct pool *pool, const struct sender *sender, unsigned number, bool implicit)
{
	struct wire_itav ask = {
	    .oid = wire_oid_implicit_confirm, .value = bytes_of(null_der, sizeof(null_der))};
	struct wire_header header = make_header(pool, sender);

	header.transaction_id = random_new(pool, 16);
	if (implicit) {
		header.general_info = &ask;
		header.n_general_info = 1;
	}
	return protect(pool, sender, &header,
	    request_body(pool, sender->subjects[number % SENDER_KEYS], number));
}

void
message_read(struct pool *pool, struct bytes der, struct answer *ret)
{
	struct wire_cert_response *responses = NULL;
	struct wire_status_info info;
	struct diag why = {""};
	size_t n = 0;

	memset(ret, 0, sizeof(*ret));
	if (wire_message_decode(pool, der, WIRE_CERTS_MAX, &ret->message, &why) != 0) {
		bench_fail("the answer does not decode: %s", why.text);
	}
	if (ret->message.body_type == WIRE_ERROR) {
		MUST(wire_error_decode(pool, ret->message.body, &info, &why) == 0);
		bench_fail("the answer is an error, failInfo %d: %s", info.fail_info,
		    info.text != NULL ? info.text : "no text");
	}
	if (ret->message.body_type != WIRE_IP) {
		return;
	}
	MUST(wire_cert_rep_decode(pool, ret->message.body, 1, &responses, &n, &why) == 0);
	MUST(n == 1);
	ret->status = responses[0].status.status;
	ret->certificate = responses[0].certificate;
	if (ret->status == WIRE_REJECTION) {
		bench_fail("the request is rejected, failInfo %d: %s",
		    responses[0].status.fail_info,
		    responses[0].status.text != NULL ? responses[0].status.text : "no text");
	}
}

struct bytes
message_cert_conf(struct pool *pool, const struct sender *sender, const struct answer *answer)
{
	const struct wire_header *got = &answer->message.header;
	struct wire_header header = make_header(pool, sender);
	struct wire_der_build build = {.pool = pool};
	struct bytes parts[2];
	uint8_t hash[32];

	MUST(EVP_Digest(answer->certificate.data, answer->certificate.len, hash, NULL, EVP_sha256(),
		 NULL) == 1);
	header.transaction_id = got->transaction_id;
	header.recip_nonce = got->sender_nonce;
	parts[0] = wire_der_put1(&build, DER_OCTET_STRING, bytes_of(hash, sizeof(hash)));
	parts[1] = wire_der_put_int(&build, 0);
	return protect(pool, sender, &header,
	    wire_der_put1(&build, DER_CONSTRUCTED(WIRE_CERTCONF),
		wire_der_put1(&build, DER_SEQUENCE, wire_der_put(&build, DER_SEQUENCE, parts, 2))));
}
