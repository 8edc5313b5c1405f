/*
 * A server with everything around it: an I/O thread, a housekeeping thread, a store in memory. The test itself is the client.
 */
#pragma once

#include <jansson.h>

#include "conf/conf.h"
#include "ctl/server.h"

struct fixture {
	struct conf conf;
	struct conf_endpoint endpoints[2];
	char dir[64];
	char socket[96];
	struct store *store;
	struct ctl_server *server;
	struct event_base *base;
	struct hk *hk;
	int order[2]; /* pipe: what the I/O thread shall do */
	unsigned long io;
	unsigned long housekeeper;
	_Atomic bool paused; /* the housekeeping thread waits */
	_Atomic int reloads;
	size_t pending;
};

/* Everything but the server. */
void fixture_init(struct fixture *fixture);
void fixture_fini(struct fixture *fixture);
/* The server with its threads. */
int fixture_start(struct fixture *fixture, struct diag *diag);
void fixture_stop(struct fixture *fixture);
/* On the I/O thread: 'd': drain, 'r': reconfigure, 'p': fill pending. Waits until it is done. */
void fixture_order(struct fixture *fixture, char what);

/* Both clocks, from now on. */
void fixture_advance(int64_t ms);

/* The client's side; reads and writes give up after some seconds. */
int client_open(const struct fixture *fixture);
void client_send(int fd, const char *command, json_t *args /* stolen */);
void client_send_raw(int fd, const void *data, size_t len);
/* NULL: closed. */
json_t *client_receive(int fd);
/* Opens, asks, closes. */
json_t *client_ask(const struct fixture *fixture, const char *command, json_t *args);
/* The same; the answer must be ok: its data. */
json_t *client_data(const struct fixture *fixture, const char *command, json_t *args);
/* The same; the answer must be this error: its text, to be freed by nobody before the next call. */
const char *client_error(const struct fixture *fixture, const char *command, json_t *args,
    int code);
/* Is the connection closed by the other side (waits for it)? */
bool client_is_closed(int fd);
