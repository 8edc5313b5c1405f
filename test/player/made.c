/*
 * Keys that cmpd makes: the wish for one, and the opening of what comes, with libcrypto's CMS.
 */
#include <string.h>

#include <openssl/cms.h>
#include <openssl/err.h>

#include "base/buf.h"
#include "model/spki.h"
#include "player.h"

struct bytes
made_wish(struct player *p, const char *spec)
{
	static const uint8_t empty[] = {DER_BIT_STRING, 1, 0};
	struct bytes wish;
	struct buf buf;
	size_t mark;

	if (strncmp(spec, "made:", 5) != 0) {
		return BYTES_NONE;
	}
	buf_init(&buf, 256);
	mark = der_begin(&buf, DER_CONSTRUCTED(6));
	spki_word_algorithm(spec + 5, &buf);
	buf_put(&buf, empty, sizeof(empty));
	der_end(&buf, mark);
	need(p, buf_error(&buf) == 0);
	wish = pool_bytes(p->pool, buf_get0(&buf));
	buf_fini(&buf);
	return wish;
}

/* ContentInfo of that type. */
static CMS_ContentInfo *
content_info(struct player *p, int type, struct bytes content)
{
	struct wire_der_build build = {.pool = p->pool};
	struct bytes oid =
	    bytes_of(OBJ_get0_data(OBJ_nid2obj(type)), OBJ_length(OBJ_nid2obj(type)));
	struct bytes parts[] = {wire_der_put1(&build, DER_OID, oid),
	    wire_der_put1(&build, DER_CONSTRUCTED(0), content)};
	struct bytes der = wire_der_put(&build, DER_SEQUENCE, parts, 2);
	const unsigned char *at = der.data;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)der.len);

	if (cms == NULL) {
		fail(p, "the private key's %s does not decode", OBJ_nid2ln(type));
	}
	return cms;
}

static struct bytes
drain(struct player *p, BIO *bio)
{
	char *data = NULL;
	long len = BIO_get_mem_data(bio, &data);
	struct bytes out = pool_bytes(p->pool, bytes_of(data, (size_t)len));

	BIO_free(bio);
	return out;
}

static struct bytes
decrypt(struct player *p, const struct client *client, struct bytes enveloped)
{
	CMS_ContentInfo *cms = content_info(p, NID_pkcs7_enveloped, enveloped);
	struct bytes secret = pool_bytes(p->pool, client->secret);
	BIO *out = BIO_new(BIO_s_mem());

	if (client->ref != NULL &&
	    CMS_decrypt_set1_password(cms, (unsigned char *)(uintptr_t)secret.data,
		(ossl_ssize_t)secret.len) != 1) {
		fail(p, "the private key is not encrypted under the client's secret");
	}
	if (CMS_decrypt(cms, client->ref != NULL ? NULL : client->signer.key,
		client->ref != NULL ? NULL : client->signer.certificate, NULL, out, 0) != 1) {
		fail(p, "the private key cannot be decrypted by the client");
	}
	CMS_ContentInfo_free(cms);
	return drain(p, out);
}

EVP_PKEY *
made_open(struct player *p, const struct client *client, struct bytes enveloped)
{
	CMS_ContentInfo *cms = content_info(p, NID_pkcs7_signed, decrypt(p, client, enveloped));
	BIO *out = BIO_new(BIO_s_mem());
	PKCS8_PRIV_KEY_INFO *info = NULL;
	EVP_PKEY *key = NULL;
	struct bytes package;
	const unsigned char *at;

	/* Whom it is signed by is not the scenarios' matter. */
	if (CMS_verify(cms, NULL, NULL, NULL, out, CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY) != 1) {
		fail(p, "the signature over the private key does not verify");
	}
	CMS_ContentInfo_free(cms);
	if (der_only(drain(p, out), DER_SEQUENCE, &package) == 0) {
		at = package.data;
		info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)package.len);
		key = info == NULL ? NULL : EVP_PKCS82PKEY(info);
	}
	if (key == NULL || at != package.data + package.len) {
		fail(p, "there is no package of one private key");
	}
	PKCS8_PRIV_KEY_INFO_free(info);
	ERR_clear_error();
	return key;
}
