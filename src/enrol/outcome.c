/* What is told of a request. */
#include <string.h>

#include "enrol/internal.h"

bool
desk_is_fault(int error)
{
	switch (error) {
	case CMPD_EPOP:
	case CMPD_ETEMPLATE:
	case CMPD_EEXTENSION:
	case CMPD_EALGORITHM:
	case CMPD_ECERTID:
	case CMPD_ENOINFO:
	case CMPD_EACCES:
	case CMPD_EREVOKED:
	case CMPD_ELIMIT:
	case CMPD_EINVAL:
	case CMPD_EFORMAT:
		return true;
	default:
		return false;
	}
}

void
desk_outcome_init(struct desk_outcome *ret, int64_t cert_req_id)
{
	memset(ret, 0, sizeof(*ret));
	ret->cert_req_id = cert_req_id;
	ret->fail_info = FI_NONE;
}

void
desk_outcome_granted(struct desk_outcome *ret, struct bytes certificate)
{
	const struct entry *entry = &ret->entry;

	ret->status = entry->mods ? DESK_GRANTED_WITH_MODS : DESK_GRANTED;
	ret->text = entry->mods;
	ret->certificate = certificate;
	ret->confirmed = entry->state == ENTRY_CONFIRMED;
}

void
desk_outcome_waiting(struct desk_outcome *ret)
{
	ret->status = DESK_WAITING;
	ret->check_after = ret->entry.check_after;
	ret->text = ret->entry.reason;
}

void
desk_outcome_rejected(struct desk_outcome *ret, int fail_info, const char *text)
{
	ret->status = DESK_REJECTED;
	ret->fail_info = fail_info;
	ret->text = text;
}
