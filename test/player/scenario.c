/*
 * The verbs of a scenario. Words are separated by spaces, "quoted ones" may
 * contain them; # begins a comment. The first comment line is the name of the test.
 *
 *   CA name [subject=/CN=x]            a trust anchor, as DIR/name.pem
 *   CERT name ca=x [subject=/CN=y] [key=ec:P-256] [expired] [ku=keyAgreement] [eku=cmcRA]; either with its key, as DIR/name.key
 *   LOAD name cert=FILE key=FILE       a certificate with its key that is there already
 *   ROOT name                          this CA is the one of cmpd, instead of what cmpd-ctl init made: answers lead to it
 *   CONFIG endpoint.key = value        before START; also profile.key, or any path of libconfig
 *   START, STOP, KILL (-9), RESTART (-9 and START)
 *   CONNECT 127.0.0.1:8080 ca=FILE [conf=FILE] [retry=60s]       first of all: no cmpd of our own but that one; conf is for cmpd-ctl
 *   PASS 10m                           both clocks of cmpd go on; STEP wall 2h: only one jumps (wall, mono)
 *   SECRET ref [uses=1] [ttl=1h] [subject=/CN=x] [until=confirmed] [overlap=1h]: rotates; clients made before keep the old one
 *   CLIENT a ref=dev1 [secret=x] | cert=name | from=b [id=0]      who it is; from: with what b was given under that certReqId
 *          [mac=pbmac1] [owf=sha256] [hmac=hmacWithSHA256] [prf=hmacWithSHA256] [iterations=500] [keylen=32] | [pss] [digest=sha384]
 *   CLIENTS c 100 ref=dev1 ...         c1 to c100; MAKE, SEND and EXPECT c* are for each of them, and % is its name
 *   TAKE b a                           b goes on with the transaction that a is in
 *   SEND a TYPE [options] [fault=name[:value]]...                 see request.c, send.c and fault.c
 *   MAKE a TYPE [options]              for an RA to bring, see nest.c
 *   EXPECT a TYPE [status] [key=value]... | EXPECT a same | EXPECT a http 415    see expect.c
 *   FINISH a [mixed] [within=60s], SHOW a, SAVE a NAME           goes on until nothing is open; prints, keeps: see finish.c
 *   STATE a pending [id=0]             of the entry; waits a little for it
 *   FILE name "line" ...               a file beside cmpd.conf
 *   CTL [exit=4] approve a [id=0] [version=1] | deny a badRequest "text" [id=0] | any other words of
 *                                    cmpd-ctl, where @a:7 stands for the id of that entry and %name for that file
 *   OUTPUT text | OUTPUT !text         the last CTL said this, or did not
 *   UNTIL text WORDS                   cmpd-ctl WORDS says this, soon
 *   SAME a b                           the last answers of both are the same bytes
 *   LAP text                           says how long cmpd took to answer since the last LAP
 *   REMEMBER, UNCHANGED                what was sent in between has changed nothing in the store
 *
 * The same story may be played otherwise: with --restart cmpd is killed and started before each message and each word of the
 * operator; with --sign each SECRET is a certificate of that subject (or /CN=ref) under a trusted CA, and its clients sign.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "player.h"

#define STATE_WAIT_MS 5000

static void
show_log(struct player *p)
{
	char path[128], line[1024];
	FILE *f;
	long size;

	snprintf(path, sizeof(path), "%s/log", p->dir);
	f = fopen(path, "r");
	if (f == NULL) {
		return;
	}
	fseek(f, 0, SEEK_END);
	size = ftell(f);
	fseek(f, size > 4000 ? size - 4000 : 0, SEEK_SET);
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		printf("# log: %s\n", line);
	}
	fclose(f);
}

void
fail(struct player *p, const char *format, ...)
{
	va_list args;

	printf("# %s:%d: ", p->file, p->line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	if (p->pid > 0) {
		pid_t pid = p->pid;

		p->pid = 0;
		kill(pid, SIGKILL);
	}
	show_log(p);
	fflush(stdout);
	_exit(1);
}

/* ---- words ---- */

static void
split(struct player *p, char *line, struct words *ret)
{
	bool quoted;
	char *out;

	memset(ret, 0, sizeof(*ret));
	line += strspn(line, " \t");
	ret->rest = pool_strdup(p->pool, line + strcspn(line, " \t"));
	while (*line != '\0' && *line != '#') {
		if (ret->n == WORDS_MAX) {
			fail(p, "too many words");
		}
		ret->word[ret->n++] = out = line;
		for (quoted = false; *line != '\0' && (quoted || !strchr(" \t", *line)); line++) {
			if (*line == '"') {
				quoted = !quoted;
			} else {
				*out++ = *line;
			}
		}
		if (*line != '\0') {
			line++;
		}
		*out = '\0';
		line += strspn(line, " \t");
	}
}

const char *
word_get(const struct words *words, const char *key)
{
	size_t len = strlen(key);
	int i;

	for (i = 1; i < words->n; i++) {
		if (strncmp(words->word[i], key, len) == 0 && words->word[i][len] == '=') {
			return words->word[i] + len + 1;
		}
	}
	return NULL;
}

const char *
word_get_for(const struct words *words, const char *key, int64_t id)
{
	char own[64];
	const char *value;

	snprintf(own, sizeof(own), "%s:%lld", key, (long long)id);
	value = word_get(words, own);
	return value != NULL ? value : word_get(words, key);
}

bool
word_has(const struct words *words, const char *word)
{
	int i;

	for (i = 3; i < words->n; i++) {
		if (strcmp(words->word[i], word) == 0) {
			return true;
		}
	}
	return false;
}

int64_t
word_duration(struct player *p, const char *text)
{
	bool minus = text[0] == '-';
	int64_t ms;

	if (clock_parse_duration(text + (minus ? 1 : 0), &ms) != 0) {
		fail(p, "no duration: %s", text);
	}
	return minus ? -ms : ms;
}

struct bytes
word_hex(struct player *p, const char *text)
{
	size_t size = strlen(text) / 2 + 1, len;
	uint8_t *out = pool_alloc(p->pool, size);

	if (out == NULL || hex_decode(text, out, size, &len) != 0) {
		fail(p, "no hex: %s", text);
	}
	return bytes_of(out, len);
}

const char *
word_at(struct player *p, const struct words *words, int i)
{
	if (i >= words->n) {
		fail(p, "a word is missing");
	}
	return words->word[i];
}

int64_t
word_id(const struct words *words)
{
	const char *id = word_get(words, "id");

	return id == NULL ? 0 : strtoll(id, NULL, 10);
}

/* ---- cmpd and time ---- */

static void
do_ca(struct player *p, const struct words *words)
{
	credential_make(p, words, true);
}

static void
do_cert(struct player *p, const struct words *words)
{
	credential_make(p, words, false);
}

static void
do_root(struct player *p, const struct words *words)
{
	p->ca = credential_find(p, word_at(p, words, 1))->certificate;
}

static void
do_remember(struct player *p, const struct words *words)
{
	(void)words;
	place_remember(p);
}

static void
do_unchanged(struct player *p, const struct words *words)
{
	(void)words;
	place_unchanged(p);
}

static void
do_config(struct player *p, const struct words *words)
{
	place_config(p, words->rest);
}

static void
do_start(struct player *p, const struct words *words)
{
	(void)words;
	place_start(p);
}

static void
do_stop(struct player *p, const struct words *words)
{
	(void)words;
	place_stop(p, SIGTERM);
}

static void
do_kill(struct player *p, const struct words *words)
{
	(void)words;
	place_stop(p, SIGKILL);
}

static void
do_restart(struct player *p, const struct words *words)
{
	(void)words;
	place_stop(p, SIGKILL);
	place_start(p);
}

static void
do_pass(struct player *p, const struct words *words)
{
	int64_t ms = word_duration(p, word_at(p, words, 1));

	place_clock(p, p->wall_ms + ms, p->mono_ms + ms);
}

static void
do_step(struct player *p, const struct words *words)
{
	int64_t ms = word_duration(p, word_at(p, words, 2));
	bool wall = strcmp(words->word[1], "wall") == 0;

	place_clock(p, p->wall_ms + (wall ? ms : 0), p->mono_ms + (wall ? 0 : ms));
}

/* ---- the operator ---- */

static const char *
entry_named(struct player *p, const char *name, int64_t cert_req_id)
{
	const struct client *client = client_find(p, name);
	const char *state, *id = place_entry(p, client, cert_req_id, &state);

	if (id == NULL) {
		fail(p, "there is no entry of %s", client->name);
	}
	return id;
}

/* "@a:7", "%name"; another word is what it is. */
static const char *
ctl_word(struct player *p, const char *word)
{
	const char *colon = strchr(word, ':');

	if (word[0] == '%') {
		return place_path(p, pool_printf(p->pool, "d/%s", word + 1));
	}
	if (word[0] != '@') {
		return word;
	}
	return entry_named(p,
	    colon == NULL ? word + 1 : pool_strndup(p->pool, word + 1, (size_t)(colon - word - 1)),
	    colon == NULL ? 0 : strtoll(colon + 1, NULL, 10));
}

static const char *
entry_of(struct player *p, const struct words *words, int at)
{
	const char *version = word_get(words, "version");
	const char *id = entry_named(p, word_at(p, words, at), word_id(words));

	return version == NULL ? id : pool_printf(p->pool, "%s@%s", id, version);
}

static void
do_file(struct player *p, const struct words *words)
{
	struct buf text;

	buf_init(&text, 1 << 20);
	for (int i = 2; i < words->n; i++) {
		buf_put_bytes(&text, bytes_str(words->word[i]));
		buf_put_u8(&text, '\n');
	}
	need(p, buf_error(&text) == 0);
	place_write(p, place_path(p, pool_printf(p->pool, "d/%s", word_at(p, words, 1))), text.data,
	    text.len);
	buf_fini(&text);
}

static void
do_ctl(struct player *p, const struct words *words)
{
	const char *wanted = word_get(words, "exit"), *args[WORDS_MAX + 2] = {NULL};
	int at = wanted != NULL ? 2 : 1, n = 0, status;
	const char *verb = word_at(p, words, at);

	args[n++] = verb;
	if (strcmp(verb, "approve") == 0 && word_at(p, words, at + 1)[0] != '-') {
		args[n++] = entry_of(p, words, at + 1);
		args[n++] = "--yes";
	} else if (strcmp(verb, "deny") == 0 && word_at(p, words, at + 1)[0] != '-') {
		args[n++] = entry_of(p, words, at + 1);
		args[n++] = "--yes";
		args[n++] = "--reason";
		args[n++] = word_at(p, words, at + 2);
		args[n++] = "--text";
		args[n++] = word_at(p, words, at + 3);
	} else {
		while (++at < words->n) {
			args[n++] = ctl_word(p, words->word[at]);
		}
	}
	status = place_ctl(p, args);
	if (status != (wanted == NULL ? 0 : atoi(wanted))) {
		fail(p, "cmpd-ctl %s: exit status %d: %s", verb, status, p->output);
	}
}

/* UNTIL text WORDS: what housekeeping does takes its time. */
static void
do_until(struct player *p, const struct words *words)
{
	const char *text = word_at(p, words, 1), *args[WORDS_MAX + 2] = {NULL};
	int waited;

	for (int at = 2; at < words->n; at++) {
		args[at - 2] = words->word[at];
	}
	for (waited = 0; waited <= STATE_WAIT_MS; waited += 50) {
		if (place_ctl(p, args) == 0 && strstr(p->output, text) != NULL) {
			return;
		}
		usleep(50000);
	}
	fail(p, "never in the output: %s\n# %s", text, p->output);
}

static void
do_output(struct player *p, const struct words *words)
{
	const char *text = word_at(p, words, 1);
	bool unwanted = text[0] == '!';

	if (p->output == NULL ||
	    (strstr(p->output, text + (unwanted ? 1 : 0)) != NULL) == unwanted) {
		fail(p, "%s the output: %s\n# %s", unwanted ? "in" : "not in", text, p->output);
	}
}

static void
do_state(struct player *p, const struct words *words)
{
	const struct client *client = client_find(p, word_at(p, words, 1));
	const char *wanted = word_at(p, words, 2), *state = NULL;
	int waited;

	for (waited = 0; waited <= STATE_WAIT_MS; waited += 50) {
		state = NULL;
		if (place_entry(p, client, word_id(words), &state) == NULL) {
			state = "none";
		}
		if (strcmp(state, wanted) == 0) {
			return;
		}
		usleep(50000);
	}
	fail(p, "the entry of %s is %s, not %s", client->name, state, wanted);
}

static void
do_same(struct player *p, const struct words *words)
{
	const struct client *a = client_find(p, word_at(p, words, 1));
	const struct client *b = client_find(p, word_at(p, words, 2));

	if (!bytes_equal(a->answer, b->answer)) {
		fail(p, "%s and %s were answered differently", a->name, b->name);
	}
}

static const struct verb {
	const char *name;
	void (*run)(struct player *p, const struct words *words);
	bool anew; /* with --restart: cmpd has just been killed and started */
	bool is_for_each; /* of c* */
} verbs[] = {
    {"CA", do_ca},
    {"CERT", do_cert},
    {"LOAD", credential_load},
    {"ROOT", do_root},
    {"CONFIG", do_config},
    {"CONNECT", place_connect},
    {"START", do_start},
    {"STOP", do_stop},
    {"KILL", do_kill},
    {"RESTART", do_restart},
    {"PASS", do_pass},
    {"STEP", do_step},
    {"SECRET", client_secret},
    {"CLIENT", client_make},
    {"CLIENTS", client_make_many},
    {"TAKE", client_take},
    {"MAKE", make_only, false, true},
    {"SEND", send_message, true, true},
    {"EXPECT", expect, false, true},
    {"FINISH", finish},
    {"SHOW", show},
    {"SAVE", save},
    {"STATE", do_state},
    {"FILE", do_file},
    {"CTL", do_ctl, true},
    {"OUTPUT", do_output},
    {"UNTIL", do_until},
    {"SAME", do_same},
    {"LAP", http_lap},
    {"REMEMBER", do_remember},
    {"UNCHANGED", do_unchanged},
};

/* The word with the name in place of %. */
static char *
put_name(struct player *p, char *word, const char *name)
{
	char *at = strchr(word, '%');

	return at == NULL ? word
			  : pool_printf(p->pool, "%.*s%s%s", (int)(at - word), word, name, at + 1);
}

static void
run_for_each(struct player *p, const struct verb *verb, const struct words *words)
{
	struct words one;

	for (size_t i = 0; i < p->n_clients; i++) {
		if (!name_fits(words->word[1], p->clients[i].name)) {
			continue;
		}
		one = *words;
		one.word[1] = p->clients[i].name;
		for (int k = 2; k < one.n; k++) {
			one.word[k] = put_name(p, one.word[k], p->clients[i].name);
		}
		verb->run(p, &one);
	}
}

static void
play_line(struct player *p, char *line)
{
	struct words words;
	size_t i;

	line[strcspn(line, "\n")] = '\0';
	split(p, line, &words);
	if (words.n == 0) {
		return;
	}
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].name, words.word[0]) == 0) {
			if (!p->made && verbs[i].run != place_connect) {
				place_make(p);
			}
			if (p->restarting && verbs[i].anew && p->pid > 0) {
				do_restart(p, &words);
			}
			if (verbs[i].is_for_each && words.n > 1 && strchr(words.word[1], '*')) {
				run_for_each(p, &verbs[i], &words);
			} else {
				verbs[i].run(p, &words);
			}
			return;
		}
	}
	fail(p, "no such verb: %s", words.word[0]);
}

void
scenario_line(struct player *p, const char *format, ...)
{
	char line[1024];
	va_list args;

	va_start(args, format);
	need(p, vsnprintf(line, sizeof(line), format, args) < (int)sizeof(line));
	va_end(args);
	play_line(p, line);
}

void
scenario_play(struct player *p)
{
	FILE *f = strcmp(p->file, "-") == 0 ? stdin : fopen(p->file, "r");
	char *line = NULL;
	size_t size = 0;

	need(p, p->pool != NULL);
	if (f == NULL) {
		fail(p, "cannot be read");
	}
	while (getline(&line, &size, f) >= 0) {
		p->line++;
		play_line(p, line);
	}
	if (p->pid > 0) {
		place_stop(p, SIGTERM);
	}
	free(line);
	fclose(f);
}
