#include "base/error.h"

#include <stdio.h>
#include <string.h>

static const char *const messages[] = {
    [-CMPD_OK] = "no error",
    [-CMPD_ENOMEM] = "out of memory",
    [-CMPD_EINVAL] = "value not allowed",
    [-CMPD_EFORMAT] = "data cannot be decoded",
    [-CMPD_ENOENT] = "not found",
    [-CMPD_EEXIST] = "exists already",
    [-CMPD_ECONFLICT] = "changed by somebody else in the meantime",
    [-CMPD_ESTATE] = "not possible in this state",
    [-CMPD_ELIMIT] = "a limit is reached",
    [-CMPD_EIO] = "input or output failed",
    [-CMPD_ENOSPC] = "no space left",
    [-CMPD_EACCES] = "not permitted",
    [-CMPD_ECRYPTO] = "a cryptographic operation failed",
    [-CMPD_ECONF] = "the configuration does not make sense",
    [-CMPD_EPLUGIN] = "a plugin failed",
    [-CMPD_EPARKED] = "the answer comes later",
    [-CMPD_ETIMEOUT] = "took too long",
    [-CMPD_ECLOSED] = "closed",
    [-CMPD_ECORRUPT] = "stored data is damaged",
    [-CMPD_EVERSION] = "written by another version",
    [-CMPD_EAUTH] = "authentication failed",
    [-CMPD_EPOP] = "proof of possession failed",
    [-CMPD_ETEMPLATE] = "the requested certificate cannot be made",
    [-CMPD_EEXTENSION] = "a requested extension is not allowed",
    [-CMPD_EALGORITHM] = "algorithm or key not allowed",
    [-CMPD_EREVOKED] = "the certificate is revoked",
    [-CMPD_ECERTID] = "no certificate fits the one named",
    [-CMPD_ENOINFO] = "needed information is missing",
    [-CMPD_EUNAVAILABLE] = "temporarily not available",
};

const char *
cmpd_strerror(int error)
{
	const int n = (int)(sizeof(messages) / sizeof(messages[0]));

	if (error > 0 || error <= -n || messages[-error] == NULL) {
		return "unknown error";
	}
	return messages[-error];
}

int
diag_set(struct diag *diag, int error, const char *format, ...)
{
	char text[sizeof(diag->text)];
	va_list args;

	if (diag == NULL) {
		return error;
	}
	/* By way of a copy: the arguments may point into diag itself. */
	va_start(args, format);
	if (vsnprintf(text, sizeof(text), format, args) < 0) {
		text[0] = '\0';
	}
	va_end(args);
	memcpy(diag->text, text, sizeof(text));
	return error;
}

void
diag_prefix(struct diag *diag, const char *format, ...)
{
	char text[sizeof(diag->text)];
	va_list args;
	size_t len;
	int n;

	if (diag == NULL) {
		return;
	}
	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n < 0) {
		return;
	}
	len = strlen(text);
	if (snprintf(text + len, sizeof(text) - len, ": %s", diag->text) < 0) {
		return;
	}
	memcpy(diag->text, text, sizeof(text));
}
