#include "http/server.h"

#include <event2/http.h>
#include <event2/http_struct.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"
#include "http/listener.h"

#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

const char *
http_request_version(struct evhttp_request *request, bool *ret_http11)
{
	bool known = request->major == 1 && request->minor >= 0;

	/* evhttp answers in the version that was claimed, whatever it was. */
	*ret_http11 = known && request->minor >= 1;
	request->major = 1;
	request->minor = *ret_http11;
	return known ? NULL : "this is not HTTP/1.0 or HTTP/1.1";
}

void
http_server_full(void *arg, bool is_full)
{
	struct http_server *server = arg;

	/* The health listener stays open: its few connections are counted, but a crowd must not make us look dead. */
	for (size_t i = 0; i < server->n_listeners; i++) {
		http_listener_stop(server->listeners[i], is_full);
	}
}

void
http_server_free_proxies(char **proxies)
{
	for (size_t i = 0; proxies != NULL && proxies[i] != NULL; i++) {
		free(proxies[i]);
	}
	free(proxies);
}

int
http_server_set_proxies(struct http_server *server, const struct conf *conf)
{
	char **proxies;
	size_t n = 0;

	while (conf->proxies != NULL && conf->proxies[n] != NULL) {
		n++;
	}
	proxies = calloc(n + 1, sizeof(*proxies));
	for (size_t i = 0; proxies != NULL && i < n; i++) {
		proxies[i] = strdup(conf->proxies[i]);
		if (proxies[i] == NULL) {
			http_server_free_proxies(proxies);
			proxies = NULL;
		}
	}
	if (proxies == NULL) {
		return CMPD_ENOMEM;
	}
	http_server_free_proxies(server->proxies);
	server->proxies = proxies;
	return 0;
}

struct passed {
	int fd;
	bool is_health;
	struct http_address address;
};

/* Sockets that systemd holds for us. */
static int
find_passed(struct passed *passed, size_t max, size_t *ret_n, struct diag *diag)
{
	*ret_n = 0;
#ifdef HAVE_SYSTEMD
	char **names = NULL;
	int n = sd_listen_fds_with_names(1, &names);

	for (int i = 0; i < n && *ret_n < max; i++) {
		struct passed *p = &passed[*ret_n];

		p->fd = SD_LISTEN_FDS_START + i;
		p->is_health = names != NULL && strcmp(names[i], "health") == 0;
		p->address.len = sizeof(p->address.sa);
		if (sd_is_socket(p->fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0 ||
		    getsockname(p->fd, (struct sockaddr *)&p->address.sa, &p->address.len) != 0 ||
		    evutil_make_socket_nonblocking(p->fd) != 0) {
			diag_set(diag, CMPD_EIO,
			    "descriptor %d from systemd is no listening stream socket", p->fd);
			*ret_n = SIZE_MAX;
			break;
		}
		(*ret_n)++;
	}
	for (int i = 0; names != NULL && i < n; i++) {
		free(names[i]);
	}
	free(names);
	return *ret_n == SIZE_MAX ? CMPD_EIO : 0;
#else
	(void)passed;
	(void)max;
	(void)diag;
	return 0;
#endif
}

static int
adopt(struct http_server *server, const struct passed *passed, struct diag *diag)
{
	size_t *n = passed->is_health ? &server->n_health_listeners : &server->n_listeners;
	struct http_listener **slots =
	    passed->is_health ? server->health_listeners : server->listeners;
	int r;

	if (*n == HTTP_LISTENERS_MAX) {
		return diag_set(diag, CMPD_ELIMIT, "more than %d listeners", HTTP_LISTENERS_MAX);
	}
	r = http_listener_adopt(server->base, passed->is_health ? server->health : server->cmp,
	    passed->fd, &slots[*n], diag);
	*n += r == 0;
	return r;
}

static bool
is_passed(const struct passed *passed, size_t n, const char *text)
{
	struct http_address address;

	if (http_address_parse(text, &address, NULL) < 0) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (http_address_equal(&passed[i].address, &address)) {
			return true;
		}
	}
	return false;
}

int
http_server_listen(struct http_server *server, const struct conf *conf, struct diag *diag)
{
	struct passed passed[HTTP_LISTENERS_MAX];
	size_t n = 0;
	int r;

	r = find_passed(passed, HTTP_LISTENERS_MAX, &n, diag);
	for (size_t i = 0; r == 0 && i < n; i++) {
		r = adopt(server, &passed[i], diag);
	}
	for (size_t i = 0; r == 0 && conf->listen != NULL && conf->listen[i] != NULL; i++) {
		if (is_passed(passed, n, conf->listen[i])) {
			continue;
		}
		if (server->n_listeners == HTTP_LISTENERS_MAX) {
			return diag_set(diag, CMPD_ELIMIT, "more than %d listeners",
			    HTTP_LISTENERS_MAX);
		}
		r = http_listener_open(server->base, server->cmp, conf->listen[i],
		    &server->listeners[server->n_listeners], diag);
		server->n_listeners += r == 0;
	}
	if (r == 0 && conf->health != NULL && !is_passed(passed, n, conf->health)) {
		r = http_listener_open(server->base, server->health, conf->health,
		    &server->health_listeners[server->n_health_listeners], diag);
		server->n_health_listeners += r == 0;
	}
	return r;
}

void
http_server_drain(struct http_server *server)
{
	server->draining = true;
	for (size_t i = 0; i < server->n_listeners; i++) {
		http_listener_close(server->listeners[i]);
	}
	http_conns_close_idle(server->conns);
}

void
http_server_unlisten(struct http_server *server)
{
	for (size_t i = 0; i < server->n_listeners; i++) {
		http_listener_free(server->listeners[i]);
	}
	for (size_t i = 0; i < server->n_health_listeners; i++) {
		http_listener_free(server->health_listeners[i]);
	}
}

int
http_address_check(const char *address, struct diag *diag)
{
	struct http_address parsed;

	return http_address_parse(address, &parsed, diag);
}
