/*
 * Words in which the rows of the schema are written. For its files only.
 */
#pragma once

#include "conf/schema.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define YEAR   (365 * DAY)
#define KIB    INT64_C(1024)
#define MIB    (1024 * KIB)
#define TIB    (1024 * 1024 * MIB)

#define REQUIRED       (CONF_REQUIRED | CONF_RELOADABLE)
#define AT(tag, field) .offset = offsetof(struct tag, field)

/* What a value may be. */
#define RANGE(low, high) .min = (low), .max = (high)
#define WORDS(list)	 .words = (list)
#define CHECK(function)	 .check = (function)
#define ANY		 .check = NULL

#define LIST(type) CONF_LIST, .element = (type)
#define KEY(tag, key, kind, how, value, allowed, text)                                             \
	{                                                                                          \
		.name = #key, .type = kind, AT(tag, key), .flags = (how), .initial = (value),      \
		allowed, .help = (text)                                                            \
	}
#define GROUP(tag, key)                                                                            \
	{                                                                                          \
		.name = #key, .type = CONF_GROUP, AT(tag, key), .section = &(key)                  \
	}
#define GROUPS(tag, key, how)                                                                      \
	{                                                                                          \
		.name = #key, .type = CONF_GROUPS, .flags = (how), AT(tag, key),                   \
		.count = offsetof(struct tag, n_##key), .section = &(key)                          \
	}
#define END                                                                                        \
	{                                                                                          \
		.name = NULL                                                                       \
	}

/* schema_endpoint.c */
extern const struct conf_section conf_endpoints;
