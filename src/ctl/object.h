/*
 * Building answers: a JSON object with a sticky error, so that one can put as often as one likes and look once at the
 * end. Texts are made harmless on the way (ctl_text_clean).
 */
#pragma once

#include <jansson.h>

#include "base/bytes.h"

#define CTL_TEXT_MAX 4096 /* a longer text is cut */
#define CTL_LIST_MAX 256 /* more lines are left out, and the last one says so */

struct ctl_object {
	json_t *json;
	bool failed;
};

void ctl_object_init(struct ctl_object *object);
/* The caller's now. NULL: something failed (memory). */
json_t *ctl_object_end(struct ctl_object *object);
/* For who does not get to the end. */
void ctl_object_fini(struct ctl_object *object);

/* NULL: null. */
void ctl_object_text(struct ctl_object *object, const char *key, const char *text);
/* NULL-ended, NULL: empty. */
void ctl_object_texts(struct ctl_object *object, const char *key, const char *const *list);
/* Lower case; absent: null. */
void ctl_object_hex(struct ctl_object *object, const char *key, struct bytes value);
/* RFC 3339; 0: null. */
void ctl_object_time(struct ctl_object *object, const char *key, int64_t wall_ms);
void ctl_object_integer(struct ctl_object *object, const char *key, int64_t value);
void ctl_object_boolean(struct ctl_object *object, const char *key, bool value);
/* value is stolen; NULL: that has failed. */
void ctl_object_json(struct ctl_object *object, const char *key, json_t *value);

/* The object into the list; 0 or CMPD_ENOMEM. */
int ctl_object_append(struct ctl_object *object, json_t *list) CMPD_MUST_CHECK;

/* A page: { "items": [...], "after": n }; items is stolen. 0 = nothing is left. */
json_t *ctl_page_new(json_t *items, uint64_t after);
/* How much of an answer a page may fill. */
#define CTL_PAGE_BYTES (1024u * 1024)
#define CTL_PAGE_ITEMS 100
