/*
 * Building answers.
 */
#include "ctl/object.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "ctl/protocol.h"

void
ctl_object_init(struct ctl_object *object)
{
	object->json = json_object();
	object->failed = !object->json;
}

void
ctl_object_fini(struct ctl_object *object)
{
	json_decref(object->json);
	object->json = NULL;
}

json_t *
ctl_object_end(struct ctl_object *object)
{
	json_t *json = object->json;

	object->json = NULL;
	if (object->failed) {
		json_decref(json);
		return NULL;
	}
	return json;
}

void
ctl_object_json(struct ctl_object *object, const char *key, json_t *value)
{
	if (json_object_set_new(object->json, key, value) < 0) {
		object->failed = true;
	}
}

static json_t *
text_new(const char *text)
{
	char *clean = ctl_text_clean(text, false, CTL_TEXT_MAX);
	json_t *value = clean ? json_string(clean) : NULL;

	free(clean);
	return value;
}

void
ctl_object_text(struct ctl_object *object, const char *key, const char *text)
{
	ctl_object_json(object, key, text ? text_new(text) : json_null());
}

void
ctl_object_texts(struct ctl_object *object, const char *key, const char *const *list)
{
	json_t *array = json_array();
	size_t n = 0;

	for (; list && list[n] && n < CTL_LIST_MAX; n++) {
		if (json_array_append_new(array, text_new(list[n])) < 0) {
			object->failed = true;
		}
	}
	if (list && list[n]) {
		char words[64];

		while (list[n]) {
			n++;
		}
		(void)snprintf(words, sizeof(words), "...(%zu more)", n - CTL_LIST_MAX);
		if (json_array_append_new(array, json_string(words)) < 0) {
			object->failed = true;
		}
	}
	ctl_object_json(object, key, array);
}

void
ctl_object_hex(struct ctl_object *object, const char *key, struct bytes value)
{
	char *text = value.data ? malloc(2 * value.len + 1) : NULL;

	if (value.data) {
		ctl_object_json(object, key,
		    text ? json_string(hex_encode(value, text, 2 * value.len + 1)) : NULL);
	} else {
		ctl_object_json(object, key, json_null());
	}
	free(text);
}

void
ctl_object_time(struct ctl_object *object, const char *key, int64_t wall_ms)
{
	char text[CLOCK_TEXT_SIZE];

	ctl_object_json(object, key,
	    wall_ms ? json_string(clock_format(wall_ms, text)) : json_null());
}

void
ctl_object_integer(struct ctl_object *object, const char *key, int64_t value)
{
	ctl_object_json(object, key, json_integer(value));
}

void
ctl_object_boolean(struct ctl_object *object, const char *key, bool value)
{
	ctl_object_json(object, key, json_boolean(value));
}

int
ctl_object_append(struct ctl_object *object, json_t *list)
{
	json_t *json = ctl_object_end(object);

	return json && json_array_append_new(list, json) == 0 ? 0 : CMPD_ENOMEM;
}

json_t *
ctl_page_new(json_t *items, uint64_t after)
{
	return json_pack("{s:o, s:I}", "items", items, "after", (json_int_t)after);
}
