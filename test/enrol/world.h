/*
 * A desk on the memory store with the CA of the issuer's fixture: what tests of the desk begin with.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "enrol/desk.h"
#include "issuer/fixture.h"
#include "policy/policy.h"
#include "store/store.h"

struct world {
	struct fixture f;
	struct conf_endpoint endpoint;
	struct store *store;
	struct store_reader *reader;
	struct policy *policy;
	struct desk desk;
	struct desk_requester requester; /* by MAC */
	struct secret secret;
	struct txn txn; /* of an ir, not stored */
};

struct world *world_new(int64_t now);
void world_free(struct world *world);

/* A new unit, and putting it into the store. */
void world_begin(struct world *world, int64_t now);
void world_commit(struct world *world);
/* An ir of the world's transaction, with certReqId 0. */
struct desk_outcome world_submit(struct world *world, const struct template *template,
    enum pop_result pop);
