/*
 * Commands on the daemon itself: version, status, reload, backup.
 */
#include "base/clock.h"
#include "conf/conf.h"
#include "ctl/backup.h"
#include "ctl/call.h"
#include "ctl/handlers.h"
#include "ctl/object.h"
#include "enrol/desk.h"
#include "model/state.h"
#include "store/store.h"

int
ctl_service_version(struct ctl_context *context, json_t **ret_data)
{
	struct ctl_status status = {0};
	struct ctl_object object;

	context->core->host.status(context->core->host.arg, &status);
	ctl_object_init(&object);
	ctl_object_text(&object, "version", status.version);
	*ret_data = ctl_object_end(&object);
	return *ret_data ? 0 : CMPD_ENOMEM;
}

static json_t *
entries_json(const struct store_stats *stats)
{
	struct ctl_object object;

	ctl_object_init(&object);
	for (int i = ENTRY_PENDING; i < ENTRY_STATES; i++) {
		ctl_object_integer(&object, entry_state_name((enum entry_state)i),
		    (int64_t)stats->entries[i]);
	}
	return ctl_object_end(&object);
}

static json_t *
store_json(const struct store_stats *stats)
{
	struct ctl_object object;

	ctl_object_init(&object);
	ctl_object_integer(&object, "bytes", (int64_t)stats->used_bytes);
	ctl_object_integer(&object, "map_bytes", (int64_t)stats->map_bytes);
	ctl_object_integer(&object, "commits", (int64_t)stats->commits);
	ctl_object_integer(&object, "units", (int64_t)stats->units);
	ctl_object_integer(&object, "conflicts", (int64_t)stats->conflicts);
	return ctl_object_end(&object);
}

int
ctl_service_status(struct ctl_context *context, json_t **ret_data)
{
	struct ctl_status status = {0};
	struct store_stats stats;
	struct ctl_object object;
	int r = store_stats(context->desk->reader, &stats);

	if (r < 0) {
		return r;
	}
	context->core->host.status(context->core->host.arg, &status);
	ctl_object_init(&object);
	ctl_object_text(&object, "version", status.version);
	ctl_object_time(&object, "started", status.started);
	ctl_object_integer(&object, "uptime", (context->desk->now - status.started) / 1000);
	ctl_object_text(&object, "configuration", context->desk->conf->file);
	ctl_object_integer(&object, "workers", status.workers);
	ctl_object_integer(&object, "queue", status.queue);
	ctl_object_integer(&object, "queue_max", status.queue_max);
	ctl_object_integer(&object, "parked", status.parked);
	ctl_object_integer(&object, "requests", (int64_t)status.requests);
	ctl_object_integer(&object, "refused", (int64_t)status.refused);
	ctl_object_integer(&object, "connections", status.http_connections);
	ctl_object_json(&object, "entries", entries_json(&stats));
	ctl_object_integer(&object, "transactions", (int64_t)stats.txns);
	ctl_object_integer(&object, "certificates", (int64_t)stats.certs);
	ctl_object_integer(&object, "secrets", (int64_t)stats.secrets);
	ctl_object_integer(&object, "audit_lines", (int64_t)stats.audit);
	ctl_object_integer(&object, "conflicts", (int64_t)stats.conflicts);
	ctl_object_json(&object, "store", store_json(&stats));
	*ret_data = ctl_object_end(&object);
	return *ret_data ? 0 : CMPD_ENOMEM;
}

int
ctl_service_reload(struct ctl_context *context, json_t **ret_data)
{
	int r = context->core->host.reload(context->core->host.arg, &context->diag);

	if (r < 0) {
		return r;
	}
	*ret_data = json_object();
	return *ret_data ? 0 : CMPD_ENOMEM;
}

int
ctl_service_backup(struct ctl_context *context, json_t **ret_data)
{
	const char *dir = context->desk->conf->control.backup_dir;

	(void)ret_data;
	if (!dir) {
		return diag_set(&context->diag, CMPD_ECONF,
		    "control.backup_dir is not set in the configuration");
	}
	return ctl_backup_start(context->core->backup, context->call, dir,
	    ctl_arg_string(context, "file"), &context->diag);
}
