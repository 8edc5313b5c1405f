#include <string.h>

#include "enrol/internal.h"
#include "model/name.h"

static bool
list_has(const char *const *list, const char *item)
{
	for (; *list; list++) {
		if (!strcmp(*list, item)) {
			return true;
		}
	}
	return false;
}

/* Nobody's names: a secret that was made without a bound subject. Policy's verdict stands. */
static bool
has_no_names(const struct desk_requester *requester)
{
	return requester->secret && !requester->secret->subject;
}

static int
subject_fits(struct desk *desk, const struct desk_requester *requester, struct bytes subject,
    bool *ret)
{
	struct bytes own = requester->signer_subject;

	if (requester->secret) {
		int error = name_from_text(desk->pool, requester->secret->subject, &own);

		if (error) {
			return error;
		}
	}
	*ret = own.data && name_equal(own, subject);
	return 0;
}

int
desk_names_check(struct desk *desk, const struct desk_requester *requester,
    const struct conf_profile *profile, struct bytes subject, struct bytes extensions,
    bool *ret_bound, const char **ret_why)
{
	const char *none[] = {NULL};
	const char **wanted = none, **own = none;
	bool fits = false;
	int error;

	*ret_bound = true;
	*ret_why = NULL;
	if (profile->names == CONF_NAMES_ANY || requester->ra || has_no_names(requester)) {
		return 0;
	}
	error = subject_fits(desk, requester, subject, &fits);
	if (error) {
		return error;
	}
	if (!fits) {
		*ret_bound = false;
		*ret_why = "the subject is not the requester's own";
		return 0;
	}
	error = name_sans_to_text(desk->pool, extensions, &wanted);
	if (!error && requester->signer_extensions.data) {
		error = name_sans_to_text(desk->pool, requester->signer_extensions, &own);
	}
	if (error) {
		return error;
	}
	for (; *wanted; wanted++) {
		if (list_has((const char *const *)own, *wanted)) {
			continue;
		}
		*ret_bound = false;
		*ret_why = pool_printf(desk->pool, "%s is not the requester's own", *wanted);
		return *ret_why ? 0 : CMPD_ENOMEM;
	}
	return 0;
}
