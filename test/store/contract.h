/*
 * The contract of store.h as stories, told to a store in memory and to one on
 * disk. contract.c runs them; each file brings a list ended by an empty row.
 */
#pragma once

#include "store_test.h"

struct story {
	const char *name;
	void (*tell)(struct bench *bench); /* on an open, empty store */
};

extern const struct story contract_changes[];
extern const struct story contract_reads[];
extern const struct story contract_secrets[];
extern const struct story contract_revoked[];
extern const struct story contract_open[];
extern const struct story contract_inventory[];
