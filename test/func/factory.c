/*
 * A device fresh from the factory (3GPP TS 33.310), with libcrypto's client as it is: it has a factory certificate and
 * knows no CA of the operator. What it believes is the root that comes in extraCerts of the ip, which libcrypto allows
 * by an option that `openssl cmp` has no word for.
 *
 *   factory PORT PATH CERT KEY NEWKEY OUT ROOTS      writes its new certificate, and the self-signed ones of extraCerts
 */
#include <stdio.h>
#include <stdlib.h>

#include <openssl/cmp.h>
#include <openssl/err.h>
#include <openssl/pem.h>

static void
need(int ok, const char *what)
{
	if (!ok) {
		(void)fprintf(stderr, "%s\n", what);
		ERR_print_errors_fp(stderr);
		exit(1);
	}
}

static X509 *
read_cert(const char *file)
{
	FILE *in = fopen(file, "r");
	X509 *x = in ? PEM_read_X509(in, NULL, NULL, NULL) : NULL;

	need(x != NULL, file);
	(void)fclose(in);
	return x;
}

static EVP_PKEY *
read_key(const char *file)
{
	FILE *in = fopen(file, "r");
	EVP_PKEY *key = in ? PEM_read_PrivateKey(in, NULL, NULL, NULL) : NULL;

	need(key != NULL, file);
	(void)fclose(in);
	return key;
}

/* The ip was believed: from here on its root is known. (Only for an ip does libcrypto look for roots in extraCerts.) */
static int
keep_roots(OSSL_CMP_CTX *ctx, X509 *cert, int fail_info, const char **text)
{
	X509_STORE *known = OSSL_CMP_CTX_get_certConf_cb_arg(ctx);
	STACK_OF(X509) *extra = OSSL_CMP_CTX_get1_extraCertsIn(ctx);

	(void)cert;
	(void)text;
	for (int i = 0; i < sk_X509_num(extra); i++) {
		if (X509_self_signed(sk_X509_value(extra, i), 1) == 1) {
			need(X509_STORE_add_cert(known, sk_X509_value(extra, i)), "root");
		}
	}
	sk_X509_pop_free(extra, X509_free);
	return fail_info;
}

static void
write_roots(const OSSL_CMP_CTX *ctx, const char *file)
{
	STACK_OF(X509) *extra = OSSL_CMP_CTX_get1_extraCertsIn(ctx);
	FILE *out = fopen(file, "w");

	need(out != NULL, file);
	for (int i = 0; i < sk_X509_num(extra); i++) {
		if (X509_self_signed(sk_X509_value(extra, i), 1) == 1) {
			need(PEM_write_X509(out, sk_X509_value(extra, i)), file);
		}
	}
	need(fclose(out) == 0, file);
	sk_X509_pop_free(extra, X509_free);
}

int
main(int argc, char **argv)
{
	OSSL_CMP_CTX *ctx = OSSL_CMP_CTX_new(NULL, NULL);
	X509_STORE *known = X509_STORE_new();
	X509 *factory, *got;
	EVP_PKEY *key, *fresh;
	FILE *out;

	need(argc == 8 && ctx != NULL && known != NULL, "usage: see factory.c");
	factory = read_cert(argv[3]);
	key = read_key(argv[4]);
	fresh = read_key(argv[5]);
	need(EVP_PKEY_up_ref(fresh) && OSSL_CMP_CTX_set1_server(ctx, "127.0.0.1") &&
		 OSSL_CMP_CTX_set_serverPort(ctx, atoi(argv[1])) &&
		 OSSL_CMP_CTX_set1_serverPath(ctx, argv[2]) &&
		 OSSL_CMP_CTX_set1_no_proxy(ctx, "127.0.0.1") &&
		 OSSL_CMP_CTX_set1_cert(ctx, factory) && OSSL_CMP_CTX_set1_pkey(ctx, key) &&
		 OSSL_CMP_CTX_set0_newPkey(ctx, 1, fresh) &&
		 OSSL_CMP_CTX_set1_subjectName(ctx, X509_get_subject_name(factory)) &&
		 OSSL_CMP_CTX_set0_trustedStore(ctx, known) &&
		 OSSL_CMP_CTX_set_option(ctx, OSSL_CMP_OPT_PERMIT_TA_IN_EXTRACERTS_FOR_IR, 1) &&
		 OSSL_CMP_CTX_set_certConf_cb(ctx, keep_roots) &&
		 OSSL_CMP_CTX_set_certConf_cb_arg(ctx, known) &&
		 OSSL_CMP_CTX_set_option(ctx, OSSL_CMP_OPT_TOTAL_TIMEOUT, 60),
	    "settings");
	got = OSSL_CMP_exec_IR_ses(ctx);
	need(got != NULL, "ir");
	out = fopen(argv[6], "w");
	need(out != NULL && PEM_write_X509(out, got) && fclose(out) == 0, argv[6]);
	write_roots(ctx, argv[7]);
	OSSL_CMP_CTX_free(ctx);
	X509_free(factory);
	EVP_PKEY_free(key);
	EVP_PKEY_free(fresh);
	return 0;
}
