#include "cmp/answer.h"
#include "cmp/auth.h"
#include "cmp/mac.h"
#include "cmp/seal.h"
#include "model/name.h"

/* An error message (RFC 9810 5.3.21). An rr gets its rp for faults of the message too, unless the version is foreign: then what
 * an rr looks like is not ours to know (RFC 9810 7). */
static struct bytes
error_body(struct cmp_work *work, const struct wire_status_info *status)
{
	if (work->in.body_raw.data && work->in.body_type == WIRE_RR &&
	    status->fail_info != FI_UNSUPPORTED_VERSION) {
		return wire_rev_rep_encode(work->desk->pool, status, 1);
	}
	return wire_error_encode(work->desk->pool, status);
}

int
answer_error(struct cmp_work *work, int fail_info, const char *text)
{
	struct seal_options options = {.pvno = 0};
	struct wire_status_info status = {
	    .status = WIRE_REJECTION, .fail_info = fail_info, .text = text};
	int64_t pvno = work->in.header.pvno;
	struct sealed sealed;
	int error;

	/* RFC 9810 7: the nearest version that is ours. */
	if (pvno != 2 && pvno != 3) {
		options.pvno = pvno > 3 ? 3 : 2;
	}
	error = seal_body(work, error_body(work, &status), &options, &sealed);
	if (error) {
		return error;
	}
	work->answer->body = sealed.message;
	work->answer->fault = true;
	return 0;
}

static void
drop_changes(struct cmp_work *work)
{
	unit_free(work->desk->unit);
	work->desk->unit = NULL;
	work->answer->n_log = 0;
}

/* Who it was; or, where that is not proved, who he says he is. */
static void
log_who(const struct cmp_work *work, struct log_line *line)
{
	struct bytes name = wire_directory_name(work->in.header.sender);
	const char *text;

	if (work->verified) {
		log_str(line, "requester", auth_requester(work->verified)->words);
		return;
	}
	if (name.data && name_to_text(work->desk->pool, name, &text) == 0) {
		log_str(line, "claimsSender", text);
	}
	if (mac_is(&work->in.header.protection_alg)) {
		log_bytes(line, "claimsRef", work->in.header.sender_kid);
	}
}

int
answer_fault(struct cmp_work *work)
{
	struct log_line *line;

	drop_changes(work);
	line = cmp_work_log(work, LOG_LEVEL_INFO, "cmp.fault");
	if (line) {
		log_str(line, "check", work->fault.id);
		log_str(line, "failInfo", failinfo_name(work->fault.fail_info));
		log_str(line, "text", work->fault.why.text);
		log_str(line, "peer", work->request->peer);
		log_who(work, line);
	}
	return answer_error(work, work->fault.fail_info, work->fault.why.text);
}

int
answer_replay(struct cmp_work *work)
{
	struct log_line *line = cmp_work_log(work, LOG_LEVEL_INFO, "cmp.again");
	int error = seal_again(work, &work->txn, &work->answer->body);

	if (line) {
		log_str(line, "peer", work->request->peer);
	}
	unit_free(work->desk->unit);
	work->desk->unit = NULL;
	return error;
}
