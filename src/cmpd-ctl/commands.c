/*
 * The table of commands. The manual page has a paragraph for each; a test compares.
 */
#include <stdlib.h>
#include <string.h>

#include "cmpd-ctl/tool.h"

#define BIT OPT_BIT

static const struct command commands[] = {
    {"init", "DIR [--listen ADDR:PORT]",
	"Makes a folder ready to run: a configuration, a demo CA, keys.\n", BIT(OPT_LISTEN), 1, 1,
	run_init},
    {"list", "[--state S] [--subject GLOB] [--older-than AGE] [--txn ID] [-n N]",
	"Shows requests, the oldest first. States: pending approved issued confirmed denied\n"
	"aborted expired refused unconfirmed done. AGE: 90s, 30m, 2h, 7d. --txn: only those of\n"
	"one transaction, named by any of its requests or by the whole transactionID.\n",
	BIT(OPT_STATE) | BIT(OPT_SUBJECT) | BIT(OPT_OLDER_THAN) | BIT(OPT_TXN) | BIT(OPT_NUMBER), 0,
	0, run_list},
    {"show", "ID",
	"Shows everything about one request. An id may be shortened while it is unique.\n", 0, 1, 1,
	run_show},
    {"approve", "ID[@VERSION]... | --txn ID",
	"Lets requests be issued. Without @VERSION it shows them and asks. --txn: all that wait "
	"of\n"
	"the transaction of that request.\n",
	BIT(OPT_TXN), 0, 1 << 20, run_approve},
    {"deny", "ID[@VERSION]... | --txn ID [--reason FAILINFO] [--text TEXT]",
	"Refuses requests. The client is told failInfo (badRequest, badCertTemplate, ...) and\n"
	"text. Without @VERSION it shows them and asks. --txn as with approve.\n",
	BIT(OPT_TXN) | BIT(OPT_REASON) | BIT(OPT_TEXT), 0, 1 << 20, run_deny},
    {"comment", "ID TEXT", "Writes a remark to a request; clients never see it.\n", 0, 2, 2,
	run_comment},
    {"secret add",
	"REF [--endpoint E] [--secret-file F] [--uses N] [--ttl AGE] [--profile P] "
	"[--subject DN] [--until-confirmed]",
	"Adds a shared secret for the reference value REF. It comes from a file (-: standard\n"
	"input), or is made at random and printed, once.\n",
	BIT(OPT_ENDPOINT) | BIT(OPT_SECRET_FILE) | BIT(OPT_USES) | BIT(OPT_TTL) | BIT(OPT_PROFILE) |
	    BIT(OPT_SUBJECT) | BIT(OPT_UNTIL_CONFIRMED),
	1, 1, run_secret_add},
    {"secret rotate", "REF [--overlap AGE] [--endpoint E] [--secret-file F] [--uses N] [--ttl AGE]",
	"Gives the reference value REF a new secret. The old one stays good for 7d, or as long\n"
	"as --overlap says (0: not at all).\n",
	BIT(OPT_OVERLAP) | BIT(OPT_ENDPOINT) | BIT(OPT_SECRET_FILE) | BIT(OPT_USES) | BIT(OPT_TTL),
	1, 1, run_secret_rotate},
    {"secret list", "", "Shows the shared secrets, without their values.\n", 0, 0, 0,
	run_secret_list},
    {"secret remove", "REF [--endpoint E] [--retiring]",
	"Removes a shared secret. With --retiring only the one that another has replaced.\n"
	"Transactions that it opened still end.\n",
	BIT(OPT_ENDPOINT) | BIT(OPT_RETIRING), 1, 1, run_secret_remove},
    {"cert list", "[--status S] [-n N]",
	"Shows the certificates that were issued. S: valid, revoked, held.\n",
	BIT(OPT_STATUS) | BIT(OPT_NUMBER), 0, 0, run_cert_list},
    {"cert show", "SERIAL [--pem]", "Shows one certificate, or prints it.\n", BIT(OPT_PEM), 1, 1,
	run_cert_show},
    {"cert revoke", "SERIAL [--reason R]",
	"Revokes a certificate for good. R: keyCompromise, superseded, cessationOfOperation, ...\n"
	"Shows it and asks.\n",
	BIT(OPT_REASON), 1, 1, run_cert_revoke},
    {"crl", "[--ca NAME] [--out F] [--now]",
	"Prints the newest CRL as PEM, or writes it to a file. That is DER if its name ends in\n"
	".crl or .der. --now makes one first. NAME: of a CA, or NAME-ID of an older generation.\n",
	BIT(OPT_CA) | BIT(OPT_OUT) | BIT(OPT_NOW), 0, 0, run_crl},
    {"inventory load", "FILE",
	"Replaces the inventory by a CSV file (-: standard input). The first line names the\n"
	"columns: serial subject issuer new_subject new_san profile. If any line is wrong,\n"
	"nothing is changed.\n",
	0, 1, 1, run_inventory_load},
    {"inventory list", "[-n N]", "Shows the inventory, in the order of the file.\n",
	BIT(OPT_NUMBER), 0, 0, run_inventory_list},
    {"inventory show", "KEY [--issuer DN]",
	"Shows what the inventory says about a device. KEY: serial or subject of its factory\n"
	"certificate.\n",
	BIT(OPT_ISSUER), 1, 1, run_inventory_show},
    {"inventory remove", "KEY [--issuer DN]",
	"Takes a device out of the inventory. Certificates that it has stay as they are.\n",
	BIT(OPT_ISSUER), 1, 1, run_inventory_remove},
    {"status", "", "Shows how cmpd is doing.\n", 0, 0, 0, run_status},
    {"reload", "", "Lets cmpd read its configuration again, as SIGHUP does.\n", 0, 0, 0,
	run_reload},
    {"backup", "FILE",
	"Copies the running store to a new file. It is made in the folder control.backup_dir.\n", 0,
	1, 1, run_backup},
    {"help", "[COMMAND]", "Shows all commands, or one.\n", 0, 0, 2, run_help},
};

const struct command *
command_at(size_t i)
{
	return i < sizeof(commands) / sizeof(commands[0]) ? &commands[i] : NULL;
}

const struct command *
command_find(char **words, int n, int *ret_words)
{
	const struct command *command;

	for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
		const char *second = strchr(command->name, ' ');
		size_t len = second ? (size_t)(second - command->name) : strlen(command->name);

		if (n < 1 || strlen(words[0]) != len ||
		    strncmp(words[0], command->name, len) != 0) {
			continue;
		}
		if (!second) {
			*ret_words = 1;
			return command;
		}
		if (n >= 2 && strcmp(words[1], second + 1) == 0) {
			*ret_words = 2;
			return command;
		}
	}
	return NULL;
}

bool
command_is_half(const char *word)
{
	const struct command *command;
	size_t len = strlen(word);

	for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
		if (strncmp(command->name, word, len) == 0 && command->name[len] == ' ') {
			return true;
		}
	}
	return false;
}

void
command_usage(FILE *out, const struct command *command)
{
	(void)fprintf(out, "usage: cmpd-ctl %s%s%s\n", command->name, *command->usage ? " " : "",
	    command->usage);
}

static void
print_all(void)
{
	const struct command *command;

	(void)printf("usage: cmpd-ctl [-c FILE | -s SOCKET] [--json] [--yes] COMMAND ...\n\n");
	for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
		/* Its first sentence. */
		(void)printf("  %-16s %.*s\n", command->name,
		    (int)(strpbrk(command->help, ".\n") - command->help), command->help);
	}
	(void)printf("\ncmpd-ctl help COMMAND says how it is used; all of it is in cmpd-ctl(1).\n");
}

int
run_help(struct tool *tool)
{
	const struct command *command;
	bool found = false;

	if (tool->n == 0) {
		print_all();
		return output_flush();
	}
	/* "help secret" shows all that begin with secret. */
	for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
		size_t len = strlen(tool->words[0]);
		const char *rest = command->name + len;

		if (strncmp(command->name, tool->words[0], len) != 0 || (*rest && *rest != ' ') ||
		    (tool->n > 1 && strcmp(*rest ? rest + 1 : rest, tool->words[1]) != 0)) {
			continue;
		}
		if (found) {
			(void)printf("\n");
		}
		found = true;
		command_usage(stdout, command);
		(void)printf("%s", command->help);
	}
	if (!found) {
		return tool_fail(EXIT_USAGE, "no such command: %s", tool->words[0]);
	}
	return output_flush();
}
