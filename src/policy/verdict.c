/*
 * From the verdict a plugin gives to the one the desk may believe.
 */
#include <string.h>

#include <cmpd/request.h>

#include "base/pool.h"
#include "base/utf8.h"
#include "model/failinfo.h"
#include "model/name.h"
#include "policy/chain.h"
#include "policy/request.h"

#define CHECK_POOL (256 * 1024)

/* The text goes to a client and to a terminal: one line of UTF-8, cut to POLICY_TEXT_MAX, '?' for what is not. */
static const char *
clean_text(struct cmpd_request *request, const char *text)
{
	char out[POLICY_TEXT_MAX + 1];
	size_t used = 0, n;
	uint32_t c = 0;

	for (; *text != '\0'; text += n) {
		bool good;

		n = utf8_decode(bytes_of(text, strnlen(text, 4)), &c);
		good = n > 0;
		n = good ? n : 1;
		if (used + n > POLICY_TEXT_MAX) {
			break;
		}
		memcpy(out + used, text, n);
		if (!good) {
			out[used] = '?';
		} else if (c < 0x20 || c == 0x7f) {
			out[used] = ' ';
		}
		used += n;
	}
	out[used] = '\0';
	return used > 0 ? policy_request_strdup(request, out) : NULL;
}

static int
take_subject(struct cmpd_request *request, struct pool *pool, const char *subject, const char **ret,
    struct diag *diag)
{
	struct bytes der;

	if (strnlen(subject, POLICY_NAME_MAX + 1) > POLICY_NAME_MAX ||
	    name_from_text(pool, subject, &der) != 0) {
		return diag_set(diag, CMPD_EPLUGIN, "the subject it wants cannot be read");
	}
	*ret = policy_request_strdup(request, subject);
	return *ret != NULL ? 0 : diag_set(diag, CMPD_ENOMEM, "out of memory");
}

static int
take_sans(struct cmpd_request *request, struct pool *pool, const char *const *sans,
    const char ***ret, struct diag *diag)
{
	struct bytes der;
	const char **copied;
	size_t n = 0;

	while (sans[n] != NULL) {
		if (++n > POLICY_SANS_MAX ||
		    strnlen(sans[n - 1], POLICY_NAME_MAX + 1) > POLICY_NAME_MAX) {
			return diag_set(diag, CMPD_EPLUGIN,
			    "the SANs it wants are too many or too long");
		}
	}
	if (name_sans_replace(pool, BYTES_NONE, sans, false, &der) != 0) {
		return diag_set(diag, CMPD_EPLUGIN, "the SANs it wants cannot be read");
	}
	copied = cmpd_request_alloc(request, (n + 1) * sizeof(*copied));
	for (size_t i = 0; copied != NULL && i < n; i++) {
		copied[i] = policy_request_strdup(request, sans[i]);
		if (copied[i] == NULL) {
			copied = NULL;
		}
	}
	*ret = copied;
	return copied != NULL ? 0 : diag_set(diag, CMPD_ENOMEM, "out of memory");
}

static int
take_profile(const struct policy *policy, const char *profile, const char **ret, struct diag *diag)
{
	for (size_t i = 0; policy->profiles[i] != NULL; i++) {
		if (strcmp(policy->profiles[i], profile) == 0) {
			*ret = policy->profiles[i];
			return 0;
		}
	}
	return diag_set(diag, CMPD_EPLUGIN, "the profile it wants is not configured");
}

static int
take_changes(const struct policy *policy, struct cmpd_request *request,
    const struct cmpd_verdict *from, struct policy_verdict *to, struct diag *diag)
{
	struct pool *pool = NULL;
	int rc = 0;

	if (from->validity_ms < 0 || from->validity_ms > POLICY_VALIDITY_MAX) {
		return diag_set(diag, CMPD_EPLUGIN, "the validity it wants makes no sense");
	}
	to->validity = from->validity_ms;
	if (from->profile != NULL) {
		rc = take_profile(policy, from->profile, &to->profile, diag);
	}
	if (rc != 0 || (from->subject == NULL && from->sans == NULL)) {
		return rc;
	}
	pool = pool_new(CHECK_POOL + 2 * POLICY_SANS_MAX * POLICY_NAME_MAX);
	if (pool == NULL) {
		return diag_set(diag, CMPD_ENOMEM, "out of memory");
	}
	if (from->subject != NULL) {
		rc = take_subject(request, pool, from->subject, &to->subject, diag);
	}
	if (rc == 0 && from->sans != NULL) {
		rc = take_sans(request, pool, from->sans, &to->sans, diag);
	}
	pool_free(pool);
	return rc;
}

static int
take_hold(const struct cmpd_verdict *from, struct policy_verdict *to, struct diag *diag)
{
	if (from->check_after_ms < 0 || from->check_after_ms > POLICY_CHECK_AFTER_MAX) {
		return diag_set(diag, CMPD_EPLUGIN, "its checkAfter makes no sense");
	}
	if (from->approvals > POLICY_APPROVALS_MAX) {
		return diag_set(diag, CMPD_EPLUGIN, "it asks for %u approvals, more than %d",
		    from->approvals, POLICY_APPROVALS_MAX);
	}
	to->check_after = from->check_after_ms;
	to->approvals = (uint8_t)from->approvals;
	return 0;
}

int
policy_verdict_take(const struct policy *policy, const struct policy_link *link,
    struct cmpd_request *request, const struct cmpd_verdict *from, struct policy_verdict *ret,
    struct diag *diag)
{
	struct policy_verdict to = {.plugin = link->plugin->api->name, .fail_info = FI_NONE};
	int rc = 0;

	switch ((int)from->answer) {
	case CMPD_PASS:
		to.answer = POLICY_PASS;
		to.plugin = NULL;
		break;
	case CMPD_GRANT:
		to.answer = POLICY_GRANT;
		rc = take_changes(policy, request, from, &to, diag);
		break;
	case CMPD_DENY:
		to.answer = POLICY_DENY;
		to.fail_info = from->fail_info;
		if (from->fail_info < FI_NONE || from->fail_info >= FI_COUNT) {
			rc = diag_set(diag, CMPD_EPLUGIN, "failInfo %d does not exist",
			    from->fail_info);
		}
		break;
	case CMPD_HOLD:
		to.answer = POLICY_HOLD;
		rc = take_hold(from, &to, diag);
		if (rc == 0) {
			rc = take_changes(policy, request, from, &to, diag);
		}
		break;
	default:
		rc = diag_set(diag, CMPD_EPLUGIN, "answer %d does not exist", (int)from->answer);
	}
	if (rc != 0) {
		return rc;
	}
	if (from->text != NULL && (to.answer == POLICY_DENY || to.answer == POLICY_HOLD)) {
		to.text = clean_text(request, from->text);
	}
	*ret = to;
	return 0;
}
