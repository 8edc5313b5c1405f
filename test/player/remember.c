/*
 * REMEMBER and UNCHANGED: did what was sent in between change the store?
 */
#include <stdlib.h>
#include <string.h>

#include "player.h"

/* What a message could change, as operators see it: pairs of a name and the arguments of cmpd-ctl. */
static const struct {
	const char *name;
	const char *args[5];
} views[] = {
    {"entries", {"list", "-n", "1000"}},
    {"certificates", {"cert", "list", "-n", "1000"}},
    {"secrets", {"secret", "list"}},
    {"counts", {"status"}},
};

/* Of the status only what is counted in the store. */
static json_t *
view_counts(struct player *p, json_t *status)
{
	json_t *out = json_pack("{s:O, s:O, s:O, s:O, s:O}", "entries",
	    json_object_get(status, "entries"), "transactions",
	    json_object_get(status, "transactions"), "certificates",
	    json_object_get(status, "certificates"), "secrets", json_object_get(status, "secrets"),
	    "audit_lines", json_object_get(status, "audit_lines"));

	need(p, out != NULL);
	json_decref(status);
	return out;
}

static const char *
view(struct player *p, size_t i)
{
	json_t *root = place_ctl_json(p, views[i].args);
	const char *out;
	char *text;

	if (strcmp(views[i].name, "counts") == 0) {
		root = view_counts(p, root);
	}
	text = json_dumps(root, JSON_SORT_KEYS | JSON_INDENT(1));
	need(p, text != NULL);
	out = pool_strdup(p->pool, text);
	free(text);
	json_decref(root);
	return out;
}

void
place_remember(struct player *p)
{
	size_t i;

	for (i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
		p->remembered[i] = view(p, i);
	}
}

void
place_unchanged(struct player *p)
{
	size_t i;

	for (i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
		const char *before = p->remembered[i], *now = view(p, i);

		need(p, before != NULL);
		if (strcmp(before, now) != 0) {
			fail(p, "the %s have changed:\n%s\n-- they were:\n%s", views[i].name, now,
			    before);
		}
	}
}
