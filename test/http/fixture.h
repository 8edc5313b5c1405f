/*
 * A server on its own event base in its own thread, and a client of raw bytes.
 *
 * Endpoints: "/cmp" answers at once with the body in reverse; "/cmp/slow" after 200 ms; "/cmp/never" keeps the exchange until fixture_stop;
 * "/cmp/full" says CMPD_ELIMIT. Files: "/file" ("the file", modified 1994-11-06 08:49:37, stale, entity tag "tag"), "/big" (8 MiB).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "conf/conf.h"
#include "http/http.h"

struct fixture;

/* Free ports and a scratch folder; limits may be changed before fixture_start. */
struct fixture *fixture_new(void);
struct conf *fixture_conf(struct fixture *fixture);
const char *fixture_dir(const struct fixture *fixture);
int fixture_port(const struct fixture *fixture);
int fixture_health_port(const struct fixture *fixture);
void fixture_start(struct fixture *fixture);
void fixture_set_ready(struct fixture *fixture, bool ready);
void fixture_drain(struct fixture *fixture);
struct http_stats fixture_stats(struct fixture *fixture);
/* Files that are being sent. */
int fixture_held(const struct fixture *fixture);
void fixture_free(struct fixture *fixture);

int client_connect(int port);
/* The same in two steps, for tests where the server takes every descriptor it can get. */
int client_socket(void);
int client_connect_with(int fd, int port);
int client_connect_unix(const char *path, const char *own_path);
void client_send(int fd, const char *text);
void client_send_bytes(int fd, const void *data, size_t len);
/* Reads one answer (by Content-Length) into out; its status, 0 when the connection was closed without one, -1 after timeout_ms. */
int client_answer(int fd, char *out, size_t size, int timeout_ms);
/* One connection, one request, one answer. */
int client_ask(int port, const char *request, char *out, size_t size);
/* The other side closes within timeout_ms; nothing but an end arrives. */
bool client_sees_end(int fd, int timeout_ms);
