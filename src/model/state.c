#include "model/state.h"

#include <string.h>

/* bit s of moves: a move to state s is legal. */
#define TO(state) (1u << ENTRY_##state)

static const struct {
	const char *name;
	unsigned int moves;
} states[ENTRY_STATES] = {
    [ENTRY_RECEIVED] = {"received", TO(PENDING) | TO(APPROVED) | TO(DENIED)},
    /* pending to pending is an edit */
    [ENTRY_PENDING] = {"pending",
	TO(PENDING) | TO(APPROVED) | TO(DENIED) | TO(ABORTED) | TO(EXPIRED)},
    /* done: revocations and general messages; back to pending: it can no longer be made as approved */
    [ENTRY_APPROVED] = {"approved", TO(PENDING) | TO(ISSUED) | TO(CONFIRMED) | TO(DENIED) |
					TO(ABORTED) | TO(EXPIRED) | TO(DONE)},
    [ENTRY_ISSUED] = {"issued", TO(CONFIRMED) | TO(REFUSED) | TO(UNCONFIRMED)},
    [ENTRY_CONFIRMED] = {"confirmed", 0},
    [ENTRY_DENIED] = {"denied", 0},
    [ENTRY_ABORTED] = {"aborted", 0},
    [ENTRY_EXPIRED] = {"expired", 0},
    [ENTRY_REFUSED] = {"refused", 0},
    [ENTRY_UNCONFIRMED] = {"unconfirmed", 0},
    [ENTRY_DONE] = {"done", 0},
};

static bool
is_state(enum entry_state state)
{
	return (unsigned int)state < ENTRY_STATES;
}

const char *
entry_state_name(enum entry_state state)
{
	return is_state(state) ? states[state].name : NULL;
}

int
entry_state_parse(const char *name, enum entry_state *ret)
{
	for (unsigned int i = 0; i < ENTRY_STATES; i++) {
		if (strcmp(states[i].name, name) == 0) {
			*ret = (enum entry_state)i;
			return 0;
		}
	}
	return CMPD_EINVAL;
}

bool
entry_state_can_move(enum entry_state from, enum entry_state to)
{
	return is_state(from) && is_state(to) && (states[from].moves & (1u << to)) != 0;
}

bool
entry_state_is_final(enum entry_state state)
{
	return is_state(state) && states[state].moves == 0;
}
