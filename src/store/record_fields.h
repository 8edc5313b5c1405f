/*
 * What a stored record consists of behind its head: one row per field, the
 * same for writing and reading. Only record.c and record_get.c look here.
 */
#pragma once

#include <limits.h>

#include "store/record.h"

/* Most texts in one list. */
#define RECORD_LIST_MAX 4096u
/* Where the number stands: behind kind, format, state (1 each), version and due (8 each). */
#define RECORD_NUMBER_AT 19

enum record_field_type {
	FIELD_END,
	FIELD_U8,
	FIELD_BOOL,
	FIELD_INT, /* int or enum, from min to max */
	FIELD_U64, /* or int64_t */
	FIELD_SIZED, /* a length byte and so many of max bytes behind it */
	FIELD_FIXED, /* max bytes */
	FIELD_BYTES, /* struct bytes, at most max long */
	FIELD_TEXT, /* const char * */
	FIELD_LIST, /* const char **, NULL-ended */
	FIELD_IDS /* n_ids and ids of struct txn */
};

struct record_field {
	enum record_field_type type;
	size_t at;
	int min;
	unsigned int max;
	uint8_t
	    since; /* the first format that has it; 0: all. An older record leaves it zero, or empty */
};

extern const struct record_field record_txn_fields[];
extern const struct record_field record_entry_fields[];
extern const struct record_field record_cert_fields[];
extern const struct record_field record_crl_fields[];
extern const struct record_field record_secret_fields[];
extern const struct record_field record_inventory_fields[];
extern const struct record_field record_audit_fields[];
extern const struct record_field record_tally_fields[];
