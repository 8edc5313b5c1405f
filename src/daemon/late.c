#include "daemon/late.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/pool.h"
#include "daemon/housekeeping.h"
#include "daemon/job.h"
#include "enrol/desk.h"
#include "policy/policy.h"
#include "store/store.h"

#define POOL_LIMIT (4u * 1024 * 1024)

struct late {
	struct store *store;
	struct pool *own; /* of the verdict's strings */
	struct txn_key txn;
	int64_t cert_req_id;
	struct policy_verdict verdict;
};

static void
late_free(struct late *late)
{
	pool_free(late->own);
	free(late);
}

static int
copy_text(struct pool *pool, const char **text)
{
	if (*text != NULL) {
		*text = pool_strdup(pool, *text);
		return *text == NULL ? CMPD_ENOMEM : 0;
	}
	return 0;
}

static int
copy_verdict(struct pool *pool, const struct policy_verdict *in, struct policy_verdict *ret)
{
	struct policy_verdict out = *in;
	size_t n = 0;

	if (in->sans != NULL) {
		while (in->sans[n] != NULL) {
			n++;
		}
		out.sans = pool_alloc(pool, (n + 1) * sizeof(*out.sans));
		if (out.sans == NULL) {
			return CMPD_ENOMEM;
		}
		for (size_t i = 0; i < n; i++) {
			out.sans[i] = in->sans[i];
			if (copy_text(pool, &out.sans[i]) < 0) {
				return CMPD_ENOMEM;
			}
		}
	}
	if (copy_text(pool, &out.plugin) < 0 || copy_text(pool, &out.text) < 0 ||
	    copy_text(pool, &out.subject) < 0 || copy_text(pool, &out.profile) < 0) {
		return CMPD_ENOMEM;
	}
	*ret = out;
	return 0;
}

static void
log_late(const struct late *late, const struct entry *entry, int error, const struct diag *diag)
{
	struct log_line line;

	log_begin(&line, error < 0 ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, "enrol.late");
	log_hex(&line, "txn", bytes_of(late->txn.id, late->txn.id_len));
	log_int(&line, "certReqId", late->cert_req_id);
	log_str(&line, "plugin", late->verdict.plugin);
	if (error < 0) {
		log_str(&line, "error", cmpd_strerror(error));
		log_str(&line, "msg", diag->text[0] == '\0' ? NULL : diag->text);
	} else {
		log_hex(&line, "entry", bytes_of(entry->id, sizeof(entry->id)));
		log_str(&line, "state", entry_state_name(entry->state));
	}
	log_end(&line);
}

static int
decide_once(struct late *late, struct desk *desk, struct entry *ret, struct diag *diag)
{
	int r;

	pool_reset(desk->pool);
	desk->now = clock_wall_ms();
	desk->unit = unit_new();
	if (desk->unit == NULL) {
		return CMPD_ENOMEM;
	}
	r = desk_decide_late(desk, &late->txn, late->cert_req_id, &late->verdict, ret, diag);
	if (r < 0) {
		unit_free(desk->unit);
		return r;
	}
	return store_commit_wait(late->store, desk->unit);
}

static void
decide(void *arg, struct desk *desk)
{
	struct late *late = arg;
	struct entry entry;
	struct diag diag = {""};
	int r = CMPD_ECONFLICT;

	if (desk != NULL) {
		desk->pool = pool_new(POOL_LIMIT);
		if (desk->pool == NULL) {
			r = CMPD_ENOMEM;
		}
		/* Decided by somebody else in between: the desk says so on the next round. */
		for (int i = 0; i < JOB_ATTEMPTS && r == CMPD_ECONFLICT; i++) {
			r = decide_once(late, desk, &entry, &diag);
		}
		log_late(late, &entry, r, &diag);
		pool_free(desk->pool);
	}
	late_free(late);
}

void
late_verdict(void *arg, const struct txn_key *txn, int64_t cert_req_id,
    const struct policy_verdict *verdict)
{
	struct flow *flow = arg;
	struct late *late = calloc(1, sizeof(*late));
	int r = CMPD_ENOMEM;

	if (late == NULL) {
		return;
	}
	late->store = flow->store;
	late->txn = *txn;
	late->cert_req_id = cert_req_id;
	late->own = pool_new(POOL_LIMIT);
	if (late->own != NULL) {
		r = copy_verdict(late->own, verdict, &late->verdict);
	}
	if (r == 0) {
		r = housekeeping_post_always(flow->housekeeping, decide, late);
	}
	if (r < 0) {
		late_free(late);
	}
}
