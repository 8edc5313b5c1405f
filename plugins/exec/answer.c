#include "answer.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include <jansson.h>

#define DURATION_MAX (INT64_C(1000) * 365 * 86400000)
#define SANS_MAX     128

/* ---- request ---- */

/* true: there was memory. */
static bool
put(json_t *object, const char *key, json_t *value)
{
	return json_object_set_new(object, key, value) == 0;
}

static bool
put_text(json_t *object, const char *key, const char *text)
{
	return put(object, key, text != NULL ? json_string(text) : json_null());
}

static bool
put_base64(json_t *object, const char *key, const unsigned char *der, size_t len)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *text = der != NULL ? malloc((len + 2) / 3 * 4 + 1) : NULL;
	size_t used = 0;
	bool ok;

	if (der == NULL) {
		return put(object, key, json_null());
	}
	for (size_t i = 0; text != NULL && i < len; i += 3) {
		unsigned v = (unsigned)der[i] << 16 |
			     (i + 1 < len ? (unsigned)der[i + 1] << 8 : 0) |
			     (i + 2 < len ? der[i + 2] : 0);

		text[used++] = digits[v >> 18];
		text[used++] = digits[v >> 12 & 63];
		text[used++] = i + 1 < len ? digits[v >> 6 & 63] : '=';
		text[used++] = i + 2 < len ? digits[v & 63] : '=';
	}
	ok = text != NULL && put(object, key, json_stringn(text, used));
	free(text);
	return ok;
}

static bool
put_time(json_t *object, const char *key, int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	char text[32] = "";
	struct tm tm;

	if (gmtime_r(&seconds, &tm) != NULL) {
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	}
	return put_text(object, key, text);
}

static bool
put_sans(json_t *object, const struct cmpd_request *request)
{
	json_t *sans = json_array();
	const char *san;

	for (size_t i = 0; (san = cmpd_request_san(request, i)) != NULL; i++) {
		if (json_array_append_new(sans, json_string(san)) != 0) {
			json_decref(sans);
			return false;
		}
	}
	return put(object, "sans", sans);
}

static bool
put_ders(json_t *object, const struct cmpd_request *request)
{
	static const struct {
		const char *key;
		const unsigned char *(*get)(const struct cmpd_request *request, size_t *ret_len);
	} ders[] = {
	    {"signer", cmpd_request_signer},
	    {"spki", cmpd_request_spki},
	    {"template", cmpd_request_template},
	};
	size_t len;

	for (size_t i = 0; i < sizeof(ders) / sizeof(ders[0]); i++) {
		const unsigned char *der = ders[i].get(request, &len);

		if (!put_base64(object, ders[i].key, der, len)) {
			return false;
		}
	}
	return true;
}

char *
answer_request_to_json(const struct cmpd_request *request)
{
	static const struct {
		const char *key;
		const char *(*get)(const struct cmpd_request *request);
	} texts[] = {
	    {"type", cmpd_request_type},
	    {"wants", cmpd_request_wants},
	    {"endpoint", cmpd_request_endpoint},
	    {"profile", cmpd_request_profile},
	    {"subject", cmpd_request_subject},
	    {"requester", cmpd_request_requester},
	    {"requesterKind", cmpd_request_requester_kind},
	    {"reference", cmpd_request_reference},
	    {"signerSubject", cmpd_request_signer_subject},
	    {"keyType", cmpd_request_key_type},
	    {"peer", cmpd_request_peer},
	    {"txn", cmpd_request_txn},
	};
	json_t *object = json_object();
	char *json = NULL, *line = NULL;
	bool ok = object != NULL && put(object, "version", json_integer(1));

	for (size_t i = 0; ok && i < sizeof(texts) / sizeof(texts[0]); i++) {
		ok = put_text(object, texts[i].key, texts[i].get(request));
	}
	ok = ok && put_sans(object, request) &&
	     put(object, "certReqId", json_integer(cmpd_request_cert_req_id(request))) &&
	     put_time(object, "received", cmpd_request_received(request)) &&
	     put_ders(object, request);
	if (ok) {
		json = json_dumps(object, JSON_COMPACT);
	}
	if (json != NULL && asprintf(&line, "%s\n", json) < 0) {
		line = NULL;
	}
	free(json);
	json_decref(object);
	return line;
}

/* ---- verdict ---- */

/* By bit number (RFC 9810 5.2.3). */
static const char *const FAIL_INFO[] = {"badAlg", "badMessageCheck", "badRequest", "badTime",
    "badCertId", "badDataFormat", "wrongAuthority", "incorrectData", "missingTimeStamp", "badPOP",
    "certRevoked", "certConfirmed", "wrongIntegrity", "badRecipientNonce", "timeNotAvailable",
    "unacceptedPolicy", "unacceptedExtension", "addInfoNotAvailable", "badSenderNonce",
    "badCertTemplate", "signerNotTrusted", "transactionIdInUse", "unsupportedVersion",
    "notAuthorized", "systemUnavail", "systemFailure", "duplicateCertReq"};

/* In the order of enum cmpd_answer, and with the exit status that means the same. */
static const struct {
	const char *name;
	int exit_status;
} ANSWERS[] = {{"pass", 2}, {"grant", 0}, {"deny", 1}, {"hold", 3}};
#define N_ANSWERS (sizeof(ANSWERS) / sizeof(ANSWERS[0]))

int64_t
answer_duration(const char *text)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = {
	    {"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
	int64_t n = 0;

	if (*text < '0' || *text > '9') {
		return -1;
	}
	for (; *text >= '0' && *text <= '9'; text++) {
		n = n * 10 + (*text - '0');
		if (n > DURATION_MAX) {
			return -1;
		}
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(units[i].unit, text) == 0) {
			return n <= DURATION_MAX / units[i].ms ? n * units[i].ms : -1;
		}
	}
	return -1;
}

static bool
take_text(const json_t *value, struct cmpd_request *request, const char **ret)
{
	const char *text = json_string_value(value);

	*ret = text != NULL ? cmpd_request_printf(request, "%s", text) : NULL;
	return *ret != NULL;
}

/* Seconds as a number, or a duration as a text. */
static bool
take_duration(const json_t *value, int64_t *ret)
{
	*ret = -1;
	if (json_is_string(value)) {
		*ret = answer_duration(json_string_value(value));
	} else if (json_is_integer(value) && json_integer_value(value) <= DURATION_MAX / 1000) {
		*ret = json_integer_value(value) * 1000;
	}
	return *ret >= 0;
}

static bool
take_sans(const json_t *value, struct cmpd_request *request, const char *const **ret)
{
	size_t n = json_array_size(value);
	const char **sans;

	if (!json_is_array(value) || n > SANS_MAX) {
		return false;
	}
	sans = cmpd_request_alloc(request, (n + 1) * sizeof(*sans));
	for (size_t i = 0; sans != NULL && i < n; i++) {
		if (!take_text(json_array_get(value, i), request, &sans[i])) {
			return false;
		}
	}
	*ret = sans;
	return sans != NULL;
}

static bool
take_answer(const json_t *value, enum cmpd_answer *ret)
{
	for (size_t i = 0; json_is_string(value) && i < N_ANSWERS; i++) {
		if (strcmp(ANSWERS[i].name, json_string_value(value)) == 0) {
			*ret = (enum cmpd_answer)i;
			return true;
		}
	}
	return false;
}

static bool
take_fail_info(const json_t *value, int *ret)
{
	for (size_t i = 0; json_is_string(value) && i < sizeof(FAIL_INFO) / sizeof(FAIL_INFO[0]);
	     i++) {
		if (strcmp(FAIL_INFO[i], json_string_value(value)) == 0) {
			*ret = (int)i;
			return true;
		}
	}
	return false;
}

static bool
take_approvals(const json_t *value, unsigned *ret)
{
	json_int_t n = json_integer_value(value);

	*ret = (unsigned)n;
	return json_is_integer(value) && n >= 0 && n <= 1000;
}

/* false: the key is not known or its value makes no sense. */
static bool
take_member(const char *key, const json_t *value, struct cmpd_request *request,
    struct cmpd_verdict *to)
{
	return strcmp(key, "answer") == 0	? take_answer(value, &to->answer)
	       : strcmp(key, "text") == 0	? take_text(value, request, &to->text)
	       : strcmp(key, "failInfo") == 0	? take_fail_info(value, &to->fail_info)
	       : strcmp(key, "checkAfter") == 0 ? take_duration(value, &to->check_after_ms)
	       : strcmp(key, "approvals") == 0	? take_approvals(value, &to->approvals)
	       : strcmp(key, "subject") == 0	? take_text(value, request, &to->subject)
	       : strcmp(key, "sans") == 0	? take_sans(value, request, &to->sans)
	       : strcmp(key, "validity") == 0	? take_duration(value, &to->validity_ms)
	       : strcmp(key, "profile") == 0	? take_text(value, request, &to->profile)
						: false;
}

static const char *
from_json(const char *text, size_t len, struct cmpd_request *request, struct cmpd_verdict *to)
{
	json_t *object = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	const char *key, *error = NULL;
	json_t *value;

	if (!json_is_object(object)) {
		json_decref(object);
		return "the command's output is not a JSON object";
	}
	json_object_foreach (object, key, value) {
		if (!take_member(key, value, request, to)) {
			error = cmpd_request_printf(request,
			    "\"%.40s\" in the command's output makes no sense", key);
			error = error != NULL ? error : "out of memory";
			break;
		}
	}
	json_decref(object);
	return error;
}

/* Deny and hold may say why in plain words: the first line counts. */
static void
from_line(const char *text, struct cmpd_request *request, struct cmpd_verdict *to)
{
	int len = (int)strcspn(text, "\r\n");

	if (len > 0) {
		to->text = cmpd_request_printf(request, "%.*s", len, text);
	}
}

static const char *
from_output(const struct child_result *result, struct cmpd_request *request,
    struct cmpd_verdict *to)
{
	enum cmpd_answer meant = to->answer;
	const char *text = result->out, *error;

	while (*text != '\0' && strchr(" \t\r\n", *text) != NULL) {
		text++;
	}
	if (meant == CMPD_PASS || text == result->out + result->out_len) {
		return NULL;
	}
	if (meant != CMPD_GRANT && *text != '{') {
		from_line(text, request, to);
		return NULL;
	}
	error = from_json(text, (size_t)(result->out + result->out_len - text), request, to);
	if (error == NULL && meant != CMPD_GRANT && to->answer != meant) {
		error = "the command's output contradicts its exit status";
	}
	return error;
}

const char *
answer_to_verdict(const struct child_result *result, struct cmpd_request *request,
    struct cmpd_verdict *ret)
{
	for (size_t i = 0; WIFEXITED(result->status) && i < N_ANSWERS; i++) {
		if (WEXITSTATUS(result->status) == ANSWERS[i].exit_status) {
			ret->answer = (enum cmpd_answer)i;
			return from_output(result, request, ret);
		}
	}
	return WIFSIGNALED(result->status)
		   ? "the command was ended by a signal"
		   : "the command ended with an exit status that means nothing";
}
