/*
 * A row of the inventory as an operator writes it, and as he is shown it.
 */
#pragma once

#include "ctl/commands.h"
#include "ctl/object.h"
#include "model/record.h"

/* Columns of a row in "inventory add"; all are texts, "" for nothing, but the first, the line of
 * the file. */
enum inventory_column {
	INVENTORY_LINE,
	INVENTORY_SERIAL,
	INVENTORY_SUBJECT,
	INVENTORY_ISSUER,
	INVENTORY_NEW_SUBJECT,
	INVENTORY_NEW_SAN,
	INVENTORY_PROFILE,
	INVENTORY_COLUMNS
};

/* Names in the form the desk compares, and everything checked. CMPD_EFORMAT with "line N: ..." in
 * the context's diag. Memory in the desk's pool. */
int inventory_row_parse(struct ctl_context *context, const json_t *columns,
    struct inventory *ret) CMPD_MUST_CHECK;
/* A serial as people write it: hex, ":" between bytes, any number of leading zeros.
 * CMPD_EFORMAT. */
int inventory_serial_parse(struct ctl_context *context, const char *text,
    struct bytes *ret) CMPD_MUST_CHECK;
/* A name in the form that is stored. CMPD_EFORMAT. */
int inventory_name_parse(struct ctl_context *context, const char *text,
    const char **ret) CMPD_MUST_CHECK;

void inventory_row_put(struct ctl_object *object, const struct inventory *row);
