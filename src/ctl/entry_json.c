/*
 * An entry as operators see it.
 */
#include "ctl/entry_json.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "base/pool.h"
#include "ctl/commands.h"
#include "ctl/object.h"
#include "enrol/desk.h"
#include "issuer/issuer.h"
#include "model/failinfo.h"
#include "model/name.h"
#include "store/store.h"

#define HISTORY_LOOKED_AT 4000 /* audit lines per place where history is looked for */
#define HISTORY_PAGE	  500
#define HISTORY_MAX	  200 /* lines told */
#define TXN_POOL_LIMIT	  (16u * 1024 * 1024)

static const char *
protocol_name(uint8_t protocol)
{
	return protocol == PROTOCOL_SCEP ? "scep" : "cmp";
}

static const char *
pop_name(enum pop_result pop)
{
	static const char *const names[] = {
	    [POP_NONE] = "none",
	    [POP_VERIFIED] = "verified",
	    [POP_RA_VERIFIED] = "raVerified",
	    [POP_NOT_NEEDED] = "not needed",
	};

	return (size_t)pop < sizeof(names) / sizeof(names[0]) ? names[pop] : "unknown";
}

/* Absent while there is no key: it is made later, or the request was refused for its form. */
static struct bytes
key_digest(const struct entry *entry)
{
	static const uint8_t none[DIGEST_SIZE];

	return memcmp(entry->spki_sha256, none, sizeof(none)) == 0
		   ? BYTES_NONE
		   : bytes_of(entry->spki_sha256, sizeof(entry->spki_sha256));
}

void
ctl_entry_put_summary(struct ctl_object *object, const struct entry *entry, uint64_t version)
{
	ctl_object_hex(object, "id", bytes_of(entry->id, sizeof(entry->id)));
	ctl_object_text(object, "state", entry_state_name(entry->state));
	ctl_object_text(object, "protocol", protocol_name(entry->txn.protocol));
	ctl_object_text(object, "endpoint", entry->endpoint);
	ctl_object_text(object, "profile", entry->profile);
	ctl_object_text(object, "type", request_type_name(entry->type));
	ctl_object_hex(object, "txn", bytes_of(entry->txn.id, entry->txn.id_len));
	ctl_object_integer(object, "cert_req_id", entry->cert_req_id);
	ctl_object_text(object, "subject", entry->subject);
	ctl_object_texts(object, "sans", (const char *const *)entry->sans);
	ctl_object_hex(object, "spki_sha256", key_digest(entry));
	ctl_object_text(object, "wants", entry->wants);
	ctl_object_text(object, "requester", entry->requester);
	ctl_object_text(object, "peer", entry->peer);
	ctl_object_time(object, "received", entry->received);
	ctl_object_integer(object, "check_after", entry->check_after / 1000);
	ctl_object_integer(object, "approvals_needed", entry->approvals_needed);
	ctl_object_texts(object, "approvals", (const char *const *)entry->approvals);
	ctl_object_integer(object, "version", (int64_t)version);
}

int
ctl_entry_put_txn(struct ctl_object *object, struct ctl_context *context, const struct entry *entry)
{
	/* A transaction holds whole messages: a page of them is not kept together. */
	struct pool *pool = pool_new(TXN_POOL_LIMIT);
	struct txn txn = {.n_ids = 0};
	int r = pool ? store_txn_get(context->desk->reader, pool, &entry->txn, &txn) : CMPD_ENOMEM;

	pool_free(pool);
	if (r < 0) {
		return r == CMPD_ENOENT ? 0 : r;
	}
	for (size_t i = 0; i < txn.n_ids && txn.n_ids > 1; i++) {
		if (txn.ids[i] == entry->cert_req_id) {
			ctl_object_integer(object, "txn_place", (int64_t)i + 1);
			ctl_object_integer(object, "txn_requests", (int64_t)txn.n_ids);
		}
	}
	return 0;
}

/* ---- templates ---- */

/* "keyUsage" for what libcrypto knows, else the OID. */
static const char *
extension_name(const X509_EXTENSION *extension, char *buffer, int size)
{
	const ASN1_OBJECT *object =
	    X509_EXTENSION_get_object((X509_EXTENSION *)(uintptr_t)extension);
	int nid = OBJ_obj2nid(object);

	if (nid != NID_undef) {
		return OBJ_nid2sn(nid);
	}
	return OBJ_obj2txt(buffer, size, object, 1) > 0 ? buffer : NULL;
}

/* The names of the extensions that are in DER Extensions, "critical" behind those that are. */
static json_t *
extension_names(struct bytes der)
{
	const uint8_t *p = der.data;
	X509_EXTENSIONS *extensions =
	    der.data ? d2i_X509_EXTENSIONS(NULL, &p, (long)der.len) : NULL;
	json_t *list = json_array();

	for (int i = 0; i < sk_X509_EXTENSION_num(extensions) && i < CTL_LIST_MAX; i++) {
		const X509_EXTENSION *extension = sk_X509_EXTENSION_value(extensions, i);
		char buffer[128], words[160];
		const char *name = extension_name(extension, buffer, sizeof(buffer));

		if (name) {
			(void)snprintf(words, sizeof(words), "%s%s", name,
			    X509_EXTENSION_get_critical(extension) ? " critical" : "");
			(void)json_array_append_new(list, json_string(words));
		}
	}
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	ERR_clear_error();
	return list;
}

static json_t *
template_json(struct pool *pool, const struct template *template)
{
	struct ctl_object object;
	const char *subject = NULL;
	const char **sans = NULL;

	ctl_object_init(&object);
	if (template->subject.data && name_to_text(pool, template->subject, &subject) < 0) {
		subject = "(does not decode)";
	}
	if (template->extensions.data && name_sans_to_text(pool, template->extensions, &sans) < 0) {
		static const char *undecodable[] = {"(does not decode)", NULL};

		sans = undecodable;
	}
	ctl_object_text(&object, "subject", subject);
	ctl_object_texts(&object, "sans", (const char *const *)sans);
	ctl_object_json(&object, "extensions", extension_names(template->extensions));
	ctl_object_time(&object, "not_before", template->not_before);
	ctl_object_time(&object, "not_after", template->not_after);
	if (template->validity > 0) {
		ctl_object_integer(&object, "validity", template->validity / 1000);
	}
	return ctl_object_end(&object);
}

/* What approval would make of it now: as it was resolved, or as the profile would resolve it. */
static json_t *
issued_json(struct ctl_context *context, const struct entry *entry)
{
	struct desk *desk = context->desk;
	struct template template = entry->resolved;
	json_t *json = template_json(desk->pool, &template);

	if (json && !template.subject.data) {
		/* Not resolved yet: the names that were shown to policy are what it will carry. */
		struct ctl_object names;

		ctl_object_init(&names);
		ctl_object_text(&names, "subject", entry->subject);
		ctl_object_texts(&names, "sans", (const char *const *)entry->sans);
		if (json_object_update_new(json, ctl_object_end(&names)) < 0) {
			json_decref(json);
			return NULL;
		}
	}
	return json;
}

/* ---- history ---- */

/* Collects lines about an entry and its certificate from the audit log. */
struct history {
	struct ctl_context *context;
	char entry[2 * ENTRY_ID_SIZE + 1];
	char serial[2 * SERIAL_MAX + 1]; /* of its certificate; empty: none */
	json_t *lines;
	uint64_t next; /* looked at up to here */
	bool cut;
};

/* The number of the last line before that time: lines are in the order of time, but for small steps of the clock. */
static int
history_seek(const struct history *history, int64_t time, uint64_t total, uint64_t *ret)
{
	struct desk *desk = history->context->desk;
	uint64_t low = history->next;
	uint64_t high = total > low ? total : low;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		struct audit *line = NULL;
		size_t n = 0;
		uint64_t after = 0;
		int r = store_audit_list(desk->reader, desk->pool, middle, 1, &line, &n, &after);

		if (r < 0) {
			return r;
		}
		if (n > 0 && line[0].time < time) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	*ret = low;
	return 0;
}

static int
history_line(struct history *history, const struct audit *audit)
{
	struct ctl_object object;

	ctl_object_init(&object);
	ctl_object_time(&object, "time", audit->time);
	ctl_object_text(&object, "actor", audit->actor);
	ctl_object_text(&object, "what", audit->what);
	ctl_object_text(&object, "text", audit->text);
	return ctl_object_append(&object, history->lines);
}

static bool
history_wants(const struct history *history, const struct audit *audit)
{
	return audit->object && *audit->object &&
	       (strcmp(audit->object, history->entry) == 0 ||
		   strcmp(audit->object, history->serial) == 0);
}

/* Looks at a bounded number of lines from that time on. */
static int
history_look(struct history *history, int64_t time, uint64_t total)
{
	struct desk *desk = history->context->desk;
	uint64_t after = 0;
	size_t looked = 0;
	int r;

	if (time == 0) {
		return 0;
	}
	r = history_seek(history, time - 2000, total, &after);
	if (r < 0) {
		return r;
	}
	while (looked < HISTORY_LOOKED_AT) {
		struct pool *pool = pool_new(16u * 1024 * 1024);
		struct audit *lines = NULL;
		uint64_t next = 0;
		size_t n = 0;

		r = pool ? store_audit_list(desk->reader, pool, after, HISTORY_PAGE, &lines, &n,
			       &next)
			 : CMPD_ENOMEM;
		for (size_t i = 0; r == 0 && i < n; i++) {
			history->next = lines[i].number;
			if (!history_wants(history, &lines[i])) {
				continue;
			}
			if (json_array_size(history->lines) >= HISTORY_MAX) {
				history->cut = true;
				break;
			}
			r = history_line(history, &lines[i]);
		}
		pool_free(pool);
		if (r < 0 || next == 0 || history->cut) {
			return r;
		}
		after = next;
		looked += n;
	}
	history->cut = true;
	return 0;
}

/* There is no index from objects to lines: looks where something must have happened. */
static int
put_history(struct ctl_object *object, struct ctl_context *context, const struct entry *entry)
{
	struct history history = {.context = context, .lines = json_array()};
	struct store_stats stats;
	int r = history.lines ? store_stats(context->desk->reader, &stats) : CMPD_ENOMEM;

	(void)hex_encode(bytes_of(entry->id, sizeof(entry->id)), history.entry,
	    sizeof(history.entry));
	if (r == 0) {
		r = history_look(&history, entry->received, stats.audit);
	}
	if (r == 0 && history.cut) {
		r = history_look(&history, entry->decided, stats.audit);
	}
	if (r < 0) {
		json_decref(history.lines);
		return r;
	}
	ctl_object_json(object, "history", history.lines);
	ctl_object_boolean(object, "history_complete", !history.cut);
	return 0;
}

/* ---- all of it ---- */

int
ctl_entry_put_detail(struct ctl_object *object, struct ctl_context *context,
    const struct entry *entry)
{
	char key_type[ISSUER_KEY_TYPE_SIZE];
	struct pool *pool = context->desk->pool;

	if (!entry->requested.spki.data || issuer_key_type(entry->requested.spki, key_type) < 0) {
		key_type[0] = '\0';
	}
	ctl_object_text(object, "key_type",
	    entry->make_key ? entry->make_key
	    : key_type[0]   ? key_type
			    : NULL);
	ctl_object_boolean(object, "key_made_here", entry->make_key != NULL);
	ctl_object_json(object, "requested", template_json(pool, &entry->requested));
	ctl_object_json(object, "issue", issued_json(context, entry));
	ctl_object_text(object, "mods", entry->mods);
	ctl_object_text(object, "pop", pop_name(entry->pop));
	ctl_object_boolean(object, "names_bound", entry->names_bound);
	ctl_object_time(object, "expires", entry->expires);
	ctl_object_time(object, "decided", entry->decided);
	ctl_object_text(object, "decided_by", entry->decided_by);
	ctl_object_text(object, "reason", entry->reason);
	ctl_object_text(object, "fail_info",
	    entry->state == ENTRY_DENIED ? failinfo_name(entry->fail_info) : NULL);
	ctl_object_text(object, "text", entry->text);
	ctl_object_texts(object, "comments", (const char *const *)entry->comments);
	ctl_object_hex(object, "serial", entry->serial);
	ctl_object_time(object, "confirm_until", entry->confirm_until);
	return put_history(object, context, entry);
}
