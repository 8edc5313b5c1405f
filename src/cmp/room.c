#include "cmp/auth.h"
#include "cmp/serve.h"

/* What it is called, and how many it may have open. */
static int64_t
limit_of(const struct cmp_work *work, const char **ret_what)
{
	const struct desk_requester *requester = auth_requester(work->verified);
	const struct conf_limits *limits = &work->door->conf->limits;

	if (requester->ra) {
		*ret_what = "registration authority";
		return limits->open_per_ra;
	}
	if (requester->secret) {
		*ret_what = "secret";
		return limits->open_per_secret;
	}
	*ret_what = "certificate";
	return limits->open_per_certificate;
}

/* Workers look at it at the same time: a few more than the limit may get in. */
int
serve_check_room(struct cmp_work *work)
{
	const struct identity *identity = &auth_requester(work->verified)->identity;
	const char *what = "";
	int64_t limit = limit_of(work, &what);
	uint64_t n = 0;
	int error = store_open_count(work->desk->reader, identity, &n);

	if (!error && n >= (uint64_t)limit) {
		cmp_work_fault(work, "B3.19", FI_SYSTEM_UNAVAIL,
		    "too many transactions of this %s are open: try again later", what);
	}
	return error;
}
