/*
 * The CRL, to standard output or into a file.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cmpd-ctl/queue.h"

#define ATTEMPTS 5 /* a new one may be made while we read */
#define TEXT_MAX ((size_t)128 << 20)
#define PEM_LINE 64
#define BASE64                                                                                     \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"                                     \
	"0123456789+/="

/* All pieces of one CRL as base64; *ret_crl: what was said with the last. */
static int
fetch(struct tool *tool, struct buf *text, json_t **ret_crl)
{
	json_t *crl = NULL;
	int64_t after = 0;
	int code;

	do {
		json_t *request = json_pack("{s:I}", "after", (json_int_t)after);
		const char *piece;

		put_text(request, "ca", tool->args.option[OPT_CA]);
		if (crl) {
			(void)json_object_set(request, "number", json_object_get(crl, "number"));
			json_decref(crl);
			crl = NULL;
		}
		code = tool_call(tool, "crl", request, &crl);
		if (code != EXIT_OK) {
			return code;
		}
		piece = json_text(crl, "der");
		if (!piece || strspn(piece, BASE64) != strlen(piece)) {
			json_decref(crl);
			return tool_fail(EXIT_ERROR, "the answer does not decode");
		}
		buf_put_bytes(text, bytes_str(piece));
		after = json_number(crl, "after");
	} while (after > 0);
	if (buf_error(text) < 0) {
		json_decref(crl);
		return tool_fail(EXIT_ERROR, "the CRL is too large");
	}
	*ret_crl = crl;
	return EXIT_OK;
}

static void
put_pem(struct bytes text, struct buf *out)
{
	buf_put_bytes(out, bytes_str("-----BEGIN X509 CRL-----\n"));
	for (size_t i = 0; i < text.len; i += PEM_LINE) {
		size_t n = text.len - i < PEM_LINE ? text.len - i : PEM_LINE;

		buf_put(out, text.data + i, n);
		buf_put_u8(out, '\n');
	}
	buf_put_bytes(out, bytes_str("-----END X509 CRL-----\n"));
}

static int
put_der(struct bytes text, size_t len, struct buf *out)
{
	unsigned char *der = malloc(text.len + 1);
	int n = der && text.len < INT32_MAX ? EVP_DecodeBlock(der, text.data, (int)text.len) : -1;

	/* What it makes of the padding are zeros at the end. */
	if (n < 0 || (size_t)n < len || (size_t)n - len > 2) {
		free(der);
		return tool_fail(EXIT_ERROR, "the answer does not decode");
	}
	buf_put(out, der, len);
	free(der);
	return EXIT_OK;
}

/* Who reads the file meanwhile sees the old one or the new one. */
static int
write_file(const char *name, struct bytes data)
{
	char *new = NULL;
	FILE *file = NULL;
	bool ok;

	if (asprintf(&new, "%s.new", name) < 0) {
		return tool_fail(EXIT_ERROR, "out of memory");
	}
	file = fopen(new, "wb");
	ok = file && fwrite(data.data, 1, data.len, file) == data.len;
	ok = file && fclose(file) == 0 && ok;
	ok = ok && rename(new, name) == 0;
	if (!ok) {
		int code = tool_fail(EXIT_ERROR, "%s: %s", name, strerror(errno));

		if (file) {
			(void)remove(new);
		}
		free(new);
		return code;
	}
	free(new);
	return EXIT_OK;
}

static bool
wants_der(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && (strcmp(dot, ".crl") == 0 || strcmp(dot, ".der") == 0);
}

static int
deliver(struct tool *tool, struct bytes text, json_t *crl)
{
	const char *name = tool->args.option[OPT_OUT];
	struct buf out;
	int code = EXIT_OK;

	buf_init(&out, TEXT_MAX);
	if (name && wants_der(name)) {
		code = put_der(text, (size_t)json_number(crl, "bytes"), &out);
	} else {
		put_pem(text, &out);
	}
	if (code == EXIT_OK && buf_error(&out) < 0) {
		code = tool_fail(EXIT_ERROR, "out of memory");
	}
	if (code == EXIT_OK && name) {
		code = write_file(name, buf_get0(&out));
	} else if (code == EXIT_OK && !tool->json) {
		(void)fwrite(out.data, 1, out.len, stdout);
		code = output_flush();
	}
	if (code == EXIT_OK && tool->json) {
		(void)json_object_del(crl, "der");
		(void)json_object_del(crl, "after");
		if (!name) {
			buf_put_u8(&out, '\0');
			(void)json_object_set_new(crl, "pem", json_string((char *)out.data));
		}
		code = output_object(crl);
	}
	buf_fini(&out);
	return code;
}

int
run_crl(struct tool *tool)
{
	json_t *crl = NULL;
	struct buf text;
	int code = EXIT_OK;

	if (tool->args.option[OPT_NOW]) {
		json_t *request = json_object();

		put_text(request, "ca", tool->args.option[OPT_CA]);
		code = tool_call(tool, "crl make", request, NULL);
	}
	if (code != EXIT_OK) {
		return code;
	}
	code = EXIT_CONFLICT;
	for (int i = 0; i < ATTEMPTS && code == EXIT_CONFLICT; i++) {
		buf_init(&text, TEXT_MAX);
		code = fetch(tool, &text, &crl);
		if (code == EXIT_OK) {
			code = deliver(tool, buf_get0(&text), crl);
		}
		buf_fini(&text);
	}
	json_decref(crl);
	return code;
}
