/*
 * Commands on entries: list, show, approve, deny, comment.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "ctl/entry_json.h"
#include "ctl/handlers.h"
#include "ctl/object.h"
#include "ctl/protocol.h"
#include "enrol/desk.h"
#include "model/failinfo.h"
#include "store/store.h"

#define SHORT_MIN    6 /* digits of a shortened id */
#define NOTE_MAX     1000 /* bytes of a comment or a reason */
#define FIND_MAX_HEX (2 * ENTRY_ID_SIZE)
#define OLDER_MAX_MS (1000LL * 366 * 86400 * 1000)

/* ---- list ---- */

static int
filter_txn(struct ctl_context *context, struct txn_key *key, struct entry_filter *filter)
{
	const char *hex = ctl_arg_string(context, "txn");
	size_t len = 0;

	if (!hex) {
		return 0;
	}
	key->protocol = PROTOCOL_CMP;
	if (hex_decode(hex, key->id, sizeof(key->id), &len) < 0 || len == 0) {
		return diag_set(&context->diag, CMPD_EINVAL, "txn: not a transactionID in hex");
	}
	key->id_len = (uint8_t)len;
	filter->txn = key;
	return 0;
}

static int
explain_states(struct ctl_context *context)
{
	char names[160] = "";
	size_t len = 0;

	for (int i = ENTRY_PENDING; i < ENTRY_STATES && len < sizeof(names); i++) {
		const char *name = entry_state_name((enum entry_state)i);

		if (name) {
			len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s",
			    len ? ", " : "", name);
		}
	}
	return diag_set(&context->diag, CMPD_EINVAL, "no such state; there are %s", names);
}

static int
filter_init(struct ctl_context *context, struct txn_key *key, struct entry_filter *filter)
{
	const char *state = ctl_arg_string(context, "state");
	int64_t older = ctl_arg_integer(context, "older_than", 0);
	enum entry_state parsed;

	filter->state = -1;
	if (state) {
		if (entry_state_parse(state, &parsed) < 0) {
			return explain_states(context);
		}
		filter->state = (int)parsed;
	}
	if (older < 0 || older > OLDER_MAX_MS) {
		return diag_set(&context->diag, CMPD_EINVAL, "older_than is out of range");
	}
	filter->subject = ctl_arg_string(context, "subject");
	filter->received_before = older > 0 ? context->desk->now - older : 0;
	return filter_txn(context, key, filter);
}

/* The shortest beginning of its id that means this entry and no other now. */
static void
put_short_id(struct ctl_object *object, struct ctl_context *context, const struct entry *entry)
{
	char id[FIND_MAX_HEX + 1];
	char prefix[FIND_MAX_HEX + 1] = "";
	struct desk *desk = context->desk;

	(void)hex_encode(bytes_of(entry->id, sizeof(entry->id)), id, sizeof(id));
	for (size_t n = SHORT_MIN; n <= FIND_MAX_HEX; n++) {
		struct entry found;
		int r;

		memcpy(prefix, id, n);
		r = store_entry_by_id(desk->reader, desk->pool, prefix, &found);
		if (r != CMPD_EEXIST) {
			break;
		}
	}
	ctl_object_text(object, "short", prefix);
}

int
ctl_entry_list(struct ctl_context *context, json_t **ret_data)
{
	struct desk *desk = context->desk;
	struct entry_filter filter = {0};
	struct txn_key key = {0};
	struct entry *entries = NULL;
	size_t n = 0;
	uint64_t next = 0;
	json_t *items = NULL;
	int r = filter_init(context, &key, &filter);

	if (r == 0) {
		r = store_entry_list(desk->reader, desk->pool, &filter,
		    (uint64_t)ctl_arg_integer(context, "after", 0), ctl_arg_limit(context),
		    &entries, &n, &next);
	}
	if (r < 0) {
		return r;
	}
	items = json_array();
	for (size_t i = 0, bytes = 0; r == 0 && i < n; i++) {
		struct ctl_object object;

		if (bytes > CTL_PAGE_BYTES) {
			next = entries[i - 1].number;
			break;
		}
		ctl_object_init(&object);
		ctl_entry_put_summary(&object, &entries[i], entries[i].version);
		r = ctl_entry_put_txn(&object, context, &entries[i]);
		if (ctl_arg_boolean(context, "short")) {
			put_short_id(&object, context, &entries[i]);
		}
		bytes += json_dumpb(object.json, NULL, 0, JSON_COMPACT);
		if (r == 0) {
			r = ctl_object_append(&object, items);
		}
		ctl_object_fini(&object);
	}
	if (r < 0) {
		json_decref(items);
		return r;
	}
	*ret_data = ctl_page_new(items, next);
	return *ret_data ? 0 : CMPD_ENOMEM;
}

/* ---- one entry ---- */

static int
entry_find(struct ctl_context *context, struct entry *ret)
{
	struct desk *desk = context->desk;

	return ctl_explain_find(context, "request", "id", FIND_MAX_HEX,
	    store_entry_by_id(desk->reader, desk->pool, ctl_arg_string(context, "id"), ret));
}

int
ctl_entry_show(struct ctl_context *context, json_t **ret_data)
{
	struct ctl_object object;
	struct entry entry;
	int r = entry_find(context, &entry);

	if (r < 0) {
		return r;
	}
	ctl_object_init(&object);
	ctl_entry_put_summary(&object, &entry, entry.version);
	r = ctl_entry_put_txn(&object, context, &entry);
	if (r == 0) {
		r = ctl_entry_put_detail(&object, context, &entry);
	}
	if (r < 0) {
		ctl_object_fini(&object);
		return r;
	}
	*ret_data = ctl_object_end(&object);
	return *ret_data ? 0 : CMPD_ENOMEM;
}

/* The entry as it is now, for who lost. */
static void
detail_now(struct ctl_context *context)
{
	struct ctl_object object;
	struct entry entry;

	if (entry_find(context, &entry) == 0) {
		ctl_object_init(&object);
		ctl_entry_put_summary(&object, &entry, entry.version);
		context->detail = ctl_object_end(&object);
	}
}

static int
decide(struct ctl_context *context, struct decision *decision, json_t **ret_data)
{
	int64_t version = ctl_arg_integer(context, "version", 0);
	struct ctl_object object;
	struct entry entry;
	struct entry before;
	int r;

	if (version < 0) {
		return diag_set(&context->diag, CMPD_EINVAL, "version is out of range");
	}
	/* Tells what is wrong with an id in our words; what desk_decide then says of it is about the entry. */
	r = entry_find(context, &before);
	if (r < 0) {
		return r;
	}
	decision->actor = context->actor;
	decision->version = (uint64_t)version;
	r = desk_decide(context->desk, ctl_arg_string(context, "id"), decision, &entry,
	    &context->diag);
	if (r == CMPD_ECONFLICT || r == CMPD_ESTATE) {
		struct diag said = context->diag;

		detail_now(context);
		context->diag = said;
	}
	if (r < 0) {
		return r;
	}
	ctl_object_init(&object);
	ctl_entry_put_summary(&object, &entry, entry.version + 1);
	*ret_data = ctl_object_end(&object);
	return *ret_data ? 0 : CMPD_ENOMEM;
}

int
ctl_entry_approve(struct ctl_context *context, json_t **ret_data)
{
	struct decision decision = {.kind = DECISION_APPROVE, .fail_info = FI_NONE};

	return decide(context, &decision, ret_data);
}

/* An operator's words: one line, not too long; in the desk's pool. */
static int
take_note(struct ctl_context *context, const char **ret)
{
	const char *text = ctl_arg_string(context, "text");
	char *clean;

	if (!text) {
		return 0;
	}
	if (strlen(text) > NOTE_MAX) {
		return diag_set(&context->diag, CMPD_ELIMIT, "the text is longer than %d bytes",
		    NOTE_MAX);
	}
	clean = ctl_text_clean(text, false, 3 * NOTE_MAX);
	*ret = clean ? pool_strdup(context->desk->pool, clean) : NULL;
	free(clean);
	return *ret ? 0 : CMPD_ENOMEM;
}

int
ctl_entry_deny(struct ctl_context *context, json_t **ret_data)
{
	const char *reason = ctl_arg_string(context, "reason");
	struct decision decision = {.kind = DECISION_DENY, .fail_info = FI_NONE};
	int r = take_note(context, &decision.text);

	if (r < 0) {
		return r;
	}
	if (reason) {
		decision.fail_info = failinfo_parse(reason);
		if (decision.fail_info == FI_NONE) {
			return diag_set(&context->diag, CMPD_EINVAL,
			    "no such failInfo; RFC 9810 has badRequest, badCertTemplate, "
			    "notAuthorized, ...");
		}
	}
	return decide(context, &decision, ret_data);
}

int
ctl_entry_comment(struct ctl_context *context, json_t **ret_data)
{
	struct decision decision = {.kind = DECISION_COMMENT, .fail_info = FI_NONE};
	int r = take_note(context, &decision.text);

	if (r < 0) {
		return r;
	}
	return decide(context, &decision, ret_data);
}
