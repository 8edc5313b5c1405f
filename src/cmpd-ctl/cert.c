/*
 * Commands on certificates.
 */
#include "cmpd-ctl/list.h"
#include "cmpd-ctl/queue.h"

static const struct table_column columns[] = {
    {"SERIAL", 12, false, false},
    {"STATUS", 7, false, false},
    {"UNTIL", 20, false, false},
    {"PROFILE", 0.1, true, false},
    {"SUBJECT", 0.4, true, false},
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static void
cert_row(struct table *table, const json_t *cert)
{
	table_row(table, (const char *const[COLUMNS]){json_text(cert, "serial"),
			     json_text(cert, "status"), json_text(cert, "not_after"),
			     json_text(cert, "profile"), json_text(cert, "subject")});
}

int
run_cert_list(struct tool *tool)
{
	static const struct list list = {"cert list", columns, COLUMNS, cert_row};
	json_t *request = NULL;
	int64_t n = 0;
	int code = tool_count(&tool->args, &n);

	if (code != EXIT_OK) {
		return code;
	}
	request = json_object();
	put_text(request, "status", tool->args.option[OPT_STATUS]);
	return list_show(tool, &list, request, n);
}

static void
cert_print(const json_t *cert)
{
	output_field("serial", json_text(cert, "serial"));
	output_field("status", json_text(cert, "status"));
	output_field("reason", json_text(cert, "reason"));
	output_field("revoked", json_text(cert, "revoked"));
	output_field("in CRL of", json_text(cert, "crl_made"));
	output_field("subject", json_text(cert, "subject"));
	output_field("profile", json_text(cert, "profile"));
	output_field("valid from", json_text(cert, "not_before"));
	output_field("valid until", json_text(cert, "not_after"));
	output_field("confirmed", json_is_true(json_object_get(cert, "confirmed")) ? "yes" : "no");
	output_field("request", json_text(cert, "entry"));
	output_field("SHA-256", json_text(cert, "sha256"));
	output_field("key SHA-256", json_text(cert, "spki_sha256"));
}

/* PEM has lines; each of them is made harmless for itself. */
static int
print_pem(const json_t *cert)
{
	const char *pem = json_text(cert, "pem");
	char line[80];
	size_t len = 0;

	for (; pem && *pem; pem++) {
		if (*pem != '\n' && len < sizeof(line) - 1) {
			line[len++] = *pem;
			continue;
		}
		line[len] = '\0';
		output_text(stdout, line);
		(void)putchar('\n');
		len = 0;
	}
	return output_flush();
}

static int
cert_get(struct tool *tool, json_t **ret)
{
	return tool_call(tool, "cert show", json_pack("{s:s}", "serial", tool->words[0]), ret);
}

int
run_cert_show(struct tool *tool)
{
	json_t *cert = NULL;
	int code = cert_get(tool, &cert);

	if (code == EXIT_OK && tool->json) {
		code = output_object(cert);
	} else if (code == EXIT_OK && tool->args.option[OPT_PEM]) {
		code = print_pem(cert);
	} else if (code == EXIT_OK) {
		cert_print(cert);
		code = output_flush();
	}
	json_decref(cert);
	return code;
}

/* What the person has seen is what is revoked: the whole serial, not the prefix. */
static int
ask(struct tool *tool, json_t **ret_cert)
{
	int code;

	if (!output_is_terminal()) {
		return tool_fail(EXIT_USAGE,
		    "cert revoke asks on a terminal; without one give --yes");
	}
	code = cert_get(tool, ret_cert);
	if (code != EXIT_OK) {
		return code;
	}
	cert_print(*ret_cert);
	tool_disconnect(tool);
	return output_ask("\nRevoke this certificate for good?")
		   ? EXIT_OK
		   : tool_fail(EXIT_ERROR, "nothing was revoked");
}

int
run_cert_revoke(struct tool *tool)
{
	json_t *shown = NULL;
	json_t *cert = NULL;
	json_t *request = NULL;
	int code = tool->yes ? EXIT_OK : ask(tool, &shown);

	if (code == EXIT_OK) {
		const char *serial = json_text(shown, "serial");

		request = json_pack("{s:s}", "serial", serial ? serial : tool->words[0]);
		put_text(request, "reason", tool->args.option[OPT_REASON]);
		code = tool_call(tool, "cert revoke", request, &cert);
	}
	if (code == EXIT_OK && tool->json) {
		code = output_object(cert);
	} else if (code == EXIT_OK) {
		output_text(stdout, json_text(cert, "serial"));
		(void)fputs(" revoked\n", stdout);
		code = output_flush();
	}
	json_decref(shown);
	json_decref(cert);
	return code;
}
