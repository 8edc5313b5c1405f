/*
 * What all reads are made of: one moment of the store, between read_begin and read_end.
 */
#pragma once

#include "store/internal.h"

static inline int CMPD_MUST_CHECK
read_begin(struct store_reader *reader)
{
	return reader->view.store->backend->read_begin(&reader->view);
}

/* Returns error. */
static inline int
read_end(struct store_reader *reader, int error)
{
	reader->view.store->backend->read_end(&reader->view);
	return error;
}

/* What an index points at must be there. */
static inline int
must_be(int error)
{
	return error == CMPD_ENOENT ? CMPD_ECORRUPT : error;
}

/* Copies the record into the pool, where what is decoded from it may point. CMPD_ENOENT. */
int read_record(struct store_reader *reader, struct pool *pool, enum table table, struct key key,
    struct bytes *ret) CMPD_MUST_CHECK;
