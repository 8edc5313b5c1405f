/*
 * The states of an entry and the legal moves between them.
 */
#pragma once

#include "base/bytes.h"

enum entry_state {
	ENTRY_RECEIVED = 0, /* never stored */
	ENTRY_PENDING = 1,
	ENTRY_APPROVED = 2,
	ENTRY_ISSUED = 3,
	ENTRY_CONFIRMED = 4,
	ENTRY_DENIED = 5,
	ENTRY_ABORTED = 6,
	ENTRY_EXPIRED = 7,
	ENTRY_REFUSED = 8, /* the client did not want the certificate */
	ENTRY_UNCONFIRMED = 9, /* the client did not confirm in time */
	ENTRY_DONE = 10, /* rr, genm */
	ENTRY_STATES
};

/* "pending", ...; NULL if there is no such state. */
const char *entry_state_name(enum entry_state state);
/* CMPD_EINVAL. */
int entry_state_parse(const char *name, enum entry_state *ret) CMPD_MUST_CHECK;
bool entry_state_can_move(enum entry_state from, enum entry_state to);
/* Nothing can happen any more. */
bool entry_state_is_final(enum entry_state state);
