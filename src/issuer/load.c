/* Keys and certificates from files and URIs. Nothing here ever asks a person. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/store.h>
#include <openssl/ui.h>

#include "issuer/internal.h"

/* ---- keys ---- */

/* A passphrase is asked for: note it, and answer that there is nobody. */
static int
ui_refuse(UI *ui, UI_STRING *string)
{
	bool *asked = UI_get0_user_data(ui);

	(void)string;
	if (asked != NULL) {
		*asked = true;
	}
	return -1;
}

static UI_METHOD *
ui_method_new(void)
{
	UI_METHOD *method = UI_create_method("cmpd never asks");

	if (method != NULL && UI_method_set_reader(method, ui_refuse) < 0) {
		UI_destroy_method(method);
		return NULL;
	}
	return method;
}

static EVP_PKEY *
load_first_key(OSSL_STORE_CTX *store)
{
	EVP_PKEY *key = NULL;

	while (key == NULL && !OSSL_STORE_eof(store)) {
		OSSL_STORE_INFO *info = OSSL_STORE_load(store);

		if (info == NULL) {
			if (OSSL_STORE_error(store)) {
				break;
			}
			continue;
		}
		if (OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY) {
			key = OSSL_STORE_INFO_get1_PKEY(info);
		}
		OSSL_STORE_INFO_free(info);
	}
	return key;
}

int
issuer_load_key(OSSL_LIB_CTX *libctx, const char *uri, EVP_PKEY **ret, struct diag *diag)
{
	UI_METHOD *method = ui_method_new();
	OSSL_STORE_CTX *store = NULL;
	EVP_PKEY *key = NULL;
	bool asked = false;
	int result = 0;

	if (method == NULL) {
		result = issuer_error(diag, CMPD_ENOMEM, "%s", uri);
		goto out;
	}
	/* Of a file that is not there OSSL_STORE says that its name is no URI. */
	if (uri[0] == '/' && access(uri, R_OK) < 0) {
		result = diag_set(diag, CMPD_ECONF, "%s: %s", uri, strerror(errno));
		goto out;
	}
	store = OSSL_STORE_open_ex(uri, libctx, NULL, method, &asked, NULL, NULL, NULL);
	if (store == NULL) {
		result = issuer_error(diag, CMPD_ECONF, "%s: cannot be opened", uri);
		goto out;
	}
	if (OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY) == 1) {
		key = load_first_key(store);
	}
	if (key != NULL) {
		*ret = key;
	} else if (asked) {
		result = issuer_error(diag, CMPD_ECONF,
		    "%s: the key is encrypted, and cmpd never asks for a passphrase", uri);
	} else {
		result = issuer_error(diag, CMPD_ECONF, "%s: no private key found", uri);
	}
out:
	OSSL_STORE_close(store);
	UI_destroy_method(method);
	ERR_clear_error();
	return result;
}

/* ---- certificates ---- */

static int
password_refuse(char *out, int size, int writing, void *arg)
{
	(void)out;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

/* *ret: NULL if there is no further certificate. */
static int
load_next_pem(OSSL_LIB_CTX *libctx, BIO *bio, X509 **ret)
{
	X509 *x509 = X509_new_ex(libctx, NULL);
	unsigned long error;

	*ret = NULL;
	if (x509 == NULL) {
		return CMPD_ENOMEM;
	}
	if (PEM_read_bio_X509(bio, &x509, password_refuse, NULL) != NULL) {
		*ret = x509;
		return 0;
	}
	X509_free(x509);
	error = ERR_peek_last_error();
	if (ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE) {
		ERR_clear_error();
		return 0;
	}
	return CMPD_ECONF;
}

static int
load_der(OSSL_LIB_CTX *libctx, BIO *bio, X509 **ret)
{
	X509 *x509 = X509_new_ex(libctx, NULL);

	if (x509 == NULL) {
		return CMPD_ENOMEM;
	}
	if (BIO_reset(bio) < 0 || d2i_X509_bio(bio, &x509) == NULL) {
		X509_free(x509);
		return CMPD_ECONF;
	}
	*ret = x509;
	return 0;
}

static int
load_all(OSSL_LIB_CTX *libctx, BIO *bio, STACK_OF(X509) * certs)
{
	X509 *x509 = NULL;
	int result;

	do {
		result = load_next_pem(libctx, bio, &x509);
		if (result == 0 && x509 == NULL && sk_X509_num(certs) == 0) {
			result = load_der(libctx, bio, &x509);
			if (result == 0) {
				return sk_X509_push(certs, x509) > 0 ? 0 : CMPD_ENOMEM;
			}
		}
		if (result == 0 && x509 != NULL && sk_X509_push(certs, x509) <= 0) {
			X509_free(x509);
			result = CMPD_ENOMEM;
		}
	} while (result == 0 && x509 != NULL);
	return result;
}

int
issuer_load_certs(OSSL_LIB_CTX *libctx, const char *file, STACK_OF(X509) * *ret, struct diag *diag)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	BIO *bio = NULL;
	struct stat status;
	int result = CMPD_ENOMEM;

	if (certs == NULL) {
		goto out;
	}
	/* Opening a pipe would wait for its other end. */
	if (stat(file, &status) == 0 && !S_ISREG(status.st_mode)) {
		result = diag_set(diag, CMPD_ECONF, "%s: not a file", file);
		goto out;
	}
	bio = BIO_new_file(file, "rb");
	if (bio == NULL) {
		result = issuer_error(diag, CMPD_EIO, "%s: cannot be opened", file);
		goto out;
	}
	result = load_all(libctx, bio, certs);
	if (result < 0) {
		result = issuer_error(diag, result, "%s: no certificates in PEM or DER", file);
		goto out;
	}
	*ret = certs;
	certs = NULL;
out:
	sk_X509_pop_free(certs, X509_free);
	BIO_free(bio);
	ERR_clear_error();
	return result;
}
