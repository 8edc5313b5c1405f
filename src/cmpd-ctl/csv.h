/*
 * Tables as text: RFC 4180, read record by record. Lines end with LF or CRLF; a field in quotes may hold commas, line ends
 * and doubled quotes; a byte order mark before the first line is skipped, and so are empty lines. Fields are UTF-8 without NUL.
 */
#pragma once

#include "base/buf.h"
#include "base/error.h"

#define CSV_FIELDS_MAX 64
#define CSV_RECORD_MAX (60u * 1024)

struct csv {
	/* The next byte, or negative at the end. */
	int (*next)(void *arg);
	void *arg;
	/* What follows is the reader's. */
	int ahead; /* a byte that was looked at; -1: none */
	bool begun;
	int64_t at; /* line of the byte to come */
	struct buf text; /* the fields, one behind the other, each with a NUL */
	size_t offsets[CSV_FIELDS_MAX];
	/* The record read last. */
	int64_t line; /* where it begins, from 1 on */
	size_t n;
	const char *fields[CSV_FIELDS_MAX]; /* until the next call */
};

void csv_init(struct csv *csv, int (*next)(void *arg), void *arg);
void csv_fini(struct csv *csv);
/* 0: a record; CMPD_ENOENT: the end; CMPD_EFORMAT with "line N: ..." in diag; CMPD_ENOMEM. */
int csv_read(struct csv *csv, struct diag *diag) CMPD_MUST_CHECK;
