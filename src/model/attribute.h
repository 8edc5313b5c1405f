/*
 * The attribute types of names that have a short name. Our own table: the text of a name must not
 * change with the version of libcrypto.
 */
#pragma once

#include "base/bytes.h"

struct attribute {
	const char *name; /* "CN" */
	uint8_t tag; /* string type to write (der.h) */
	struct bytes oid; /* contents of the OBJECT IDENTIFIER */
};

/* NULL: not in the table. Names are compared without regard to case. */
const struct attribute *attribute_by_oid(struct bytes oid);
const struct attribute *attribute_by_name(struct bytes name);
