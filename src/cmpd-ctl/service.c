/*
 * Commands on the daemon: status, reload, backup; and init, which needs none.
 */
#include <inttypes.h>

#include "base/clock.h"
#include "cmpd-ctl/init.h"
#include "cmpd-ctl/queue.h"

static void
field_number(const char *label, const json_t *object, const char *key)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%" PRId64, json_number(object, key));
	output_field(label, text);
}

static void
field_entries(const json_t *entries)
{
	json_t *object = (json_t *)(uintptr_t)entries;
	const char *label = "requests";

	for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i)) {
		char text[96];
		json_int_t n = json_integer_value(json_object_iter_value(i));

		if (n > 0) {
			(void)snprintf(text, sizeof(text), "%-12s %lld", json_object_iter_key(i),
			    (long long)n);
			output_field(label, text);
			label = "";
		}
	}
}

static void
status_print(const json_t *status)
{
	const json_t *store = json_object_get(status, "store");
	char age[AGE_SIZE];
	char text[96];

	output_field("version", json_text(status, "version"));
	output_field("configuration", json_text(status, "configuration"));
	output_field("running for", output_age(json_number(status, "uptime") * 1000, age));
	field_number("workers", status, "workers");
	(void)snprintf(text, sizeof(text), "%" PRId64 " of %" PRId64 ", %" PRId64 " parked",
	    json_number(status, "queue"), json_number(status, "queue_max"),
	    json_number(status, "parked"));
	output_field("queue", text);
	(void)snprintf(text, sizeof(text),
	    "%" PRId64 ", %" PRId64 " refused, %" PRId64 " connections",
	    json_number(status, "requests"), json_number(status, "refused"),
	    json_number(status, "connections"));
	output_field("http", text);
	field_entries(json_object_get(status, "entries"));
	field_number("transactions", status, "transactions");
	field_number("certificates", status, "certificates");
	field_number("secrets", status, "secrets");
	(void)snprintf(text, sizeof(text), "%.1f MiB, %" PRId64 " commits, %" PRId64 " conflicts",
	    (double)json_number(store, "bytes") / (1024 * 1024), json_number(store, "commits"),
	    json_number(store, "conflicts"));
	output_field("store", text);
}

int
run_status(struct tool *tool)
{
	json_t *status = NULL;
	int code = tool_call(tool, "status", json_object(), &status);

	if (code == EXIT_OK && tool->json) {
		code = output_object(status);
	} else if (code == EXIT_OK) {
		status_print(status);
		code = output_flush();
	}
	json_decref(status);
	return code;
}

int
run_reload(struct tool *tool)
{
	json_t *data = NULL;
	int code = tool_call(tool, "reload", json_object(), &data);

	if (code == EXIT_OK && tool->json) {
		code = output_object(data);
	}
	json_decref(data);
	return code;
}

int
run_backup(struct tool *tool)
{
	json_t *data = NULL;
	int code = tool_call(tool, "backup", json_pack("{s:s}", "file", tool->words[0]), &data);

	if (code == EXIT_OK && tool->json) {
		code = output_object(data);
	} else if (code == EXIT_OK) {
		output_text(stdout, json_text(data, "file"));
		(void)putchar('\n');
		code = output_flush();
	}
	json_decref(data);
	return code;
}

static void
init_print_next(const char *dir)
{
	char *name = output_clean(dir);

	(void)printf(
	    "%s is ready: a demo CA in %s/ca and a configuration. Go on with\n"
	    "  cmpd -c %s/cmpd.conf                           start cmpd\n"
	    "  cmpd-ctl -c %s/cmpd.conf secret add device1    a secret for a first device\n"
	    "  cmpd-ctl -c %s/cmpd.conf list                  what devices ask for\n",
	    name, name, name, name, name);
	free(name);
}

int
run_init(struct tool *tool)
{
	struct diag diag = {0};
	const char *listen = tool->args.option[OPT_LISTEN];
	int r = init_run(tool->words[0], listen, &diag);

	if (r < 0) {
		return tool_fail(r == CMPD_EINVAL ? EXIT_USAGE : EXIT_ERROR, "%s",
		    diag.text[0] ? diag.text : cmpd_strerror(r));
	}
	if (!tool->json) {
		init_print_next(tool->words[0]);
	}
	return output_flush();
}
