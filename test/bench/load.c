/*
 * load: sends pre-made transactions over kept HTTP connections to 127.0.0.1, each connection one after the other, and prints what the server
 * process spent on them, as JSON.
 *
 *   -p PORT -u PATH -P PID        the server; PID: whose CPU time is measured
 *   -n COUNT -w WARM -k CONNS     WARM transactions before the measurement, COUNT in it
 *   -r REF -s SECRET | -c CERT -y KEY      MAC or signature
 *   -a rsa                        RSA-2048 keys in the requests instead of P-256
 *   -i                            asks for implicit confirmation; otherwise a certConf follows each certificate
 *   -H                            the requests are held: "waiting" ends a transaction
 *   -o                            a new connection for each transaction
 *
 * The requests are made and protected before the first is sent. A certConf is made from the answer in between: that is CPU time of
 * this program, not of the server.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "message.h"

#define CONNS_MAX   1024
#define ANSWER_MAX  65536
#define PATIENCE_MS 30000

struct conn {
	int fd;
	unsigned number; /* of the transaction */
	bool confirming;
	bool closes; /* the server does not keep the connection */
	double started;
	struct pool *pool; /* of the certConf and of reading answers */
	struct bytes out; /* what is still to be sent */
	size_t got;
	char in[ANSWER_MAX + 1];
};

struct load {
	int port, pid, epoll;
	const char *path, *ref, *secret, *certificate, *key;
	unsigned count, warm, n_conns;
	bool rsa, implicit, held, once;
	struct sender sender;
	struct pool *pool;
	struct bytes *requests;
	unsigned next, done;
	double *latency;
	double cpu_start, start;
	struct conn *conns;
};

static double
now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* User and system time of all threads of the server. */
static double
server_cpu(const struct load *load)
{
	unsigned long long user = 0, sys = 0;
	char path[64], text[1024] = "", *end;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", load->pid);
	file = fopen(path, "r");
	MUST(file != NULL && fgets(text, sizeof(text), file) != NULL);
	fclose(file);
	end = strrchr(text, ')');
	MUST(end != NULL);
	MUST(sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user,
		 &sys) == 2);
	return (double)(user + sys) / (double)sysconf(_SC_CLK_TCK);
}

/* ---- what is sent ---- */

static struct bytes
http_post(const struct load *load, struct pool *pool, struct bytes body)
{
	static const char format[] = "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
				     "Content-Type: application/pkixcmp\r\n"
				     "Connection: keep-alive\r\nContent-Length: %zu\r\n\r\n";
	char *head = pool_printf(pool, format, load->path, body.len);
	size_t len = strlen(head);
	uint8_t *out = pool_alloc(pool, len + body.len);

	MUST(out != NULL);
	memcpy(out, head, len);
	memcpy(out + len, body.data, body.len);
	return bytes_of(out, len + body.len);
}

static void
make_requests(struct load *load)
{
	unsigned n = load->count + load->warm;
	struct pool *scratch = pool_new(1 << 20);

	load->pool = pool_new(SIZE_MAX / 2);
	load->requests = calloc(n, sizeof(*load->requests));
	load->latency = calloc(load->count, sizeof(*load->latency));
	MUST(scratch != NULL && load->pool != NULL && load->requests != NULL &&
	     load->latency != NULL);
	for (unsigned i = 0; i < n; i++) {
		load->requests[i] = http_post(load, load->pool,
		    message_ir(scratch, &load->sender, i, load->implicit));
		pool_reset(scratch);
	}
	pool_free(scratch);
}

/* ---- connections ---- */

static void
watch(struct load *load, struct conn *conn, int how, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = conn};

	MUST(epoll_ctl(load->epoll, how, conn->fd, &event) == 0);
}

static void
conn_open(struct load *load, struct conn *conn)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)load->port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int one = 1;

	conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	MUST(conn->fd >= 0);
	MUST(setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0);
	if (connect(conn->fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		bench_fail("connecting to port %d: %s", load->port, strerror(errno));
	}
	watch(load, conn, EPOLL_CTL_ADD, EPOLLIN);
}

/* A message fits the socket's buffer, so this never waits long. */
static void
conn_send(struct conn *conn, struct bytes out)
{
	conn->got = 0;
	while (out.len > 0) {
		ssize_t n = send(conn->fd, out.data, out.len, MSG_NOSIGNAL);

		if (n <= 0) {
			bench_fail("sending: %s", strerror(errno));
		}
		out.data += n;
		out.len -= (size_t)n;
	}
}

/* The next transaction on this connection; without one it is closed. */
static void
conn_next(struct load *load, struct conn *conn)
{
	bool more = load->next < load->count + load->warm;

	if (conn->fd >= 0 && (load->once || conn->closes || !more)) {
		close(conn->fd);
		conn->fd = -1;
	}
	if (!more) {
		return;
	}
	conn->number = load->next++;
	conn->confirming = false;
	conn->started = now_seconds();
	if (conn->fd < 0) {
		conn_open(load, conn);
	}
	conn_send(conn, load->requests[conn->number]);
}

static void
conn_done(struct load *load, struct conn *conn)
{
	double now = now_seconds();

	if (load->done >= load->warm) {
		load->latency[load->done - load->warm] = now - conn->started;
	}
	load->done++;
	if (load->done == load->warm) {
		load->cpu_start = server_cpu(load);
		load->start = now;
	}
	conn_next(load, conn);
}

static void
conn_answer(struct load *load, struct conn *conn, struct bytes body)
{
	struct answer answer;

	pool_reset(conn->pool);
	message_read(conn->pool, body, &answer);
	if (conn->confirming) {
		MUST(answer.message.body_type == WIRE_PKICONF);
		conn_done(load, conn);
		return;
	}
	MUST(answer.message.body_type == WIRE_IP);
	if (load->held) {
		MUST(answer.status == WIRE_WAITING);
	} else {
		MUST(answer.certificate.data != NULL);
	}
	if (load->held || load->implicit) {
		conn_done(load, conn);
		return;
	}
	conn->confirming = true;
	conn_send(conn,
	    http_post(load, conn->pool, message_cert_conf(conn->pool, &load->sender, &answer)));
}

static void
conn_read(struct load *load, struct conn *conn)
{
	ssize_t n = recv(conn->fd, conn->in + conn->got, ANSWER_MAX - conn->got, 0);
	const char *head = conn->in, *end, *length, *closes;
	size_t skip, len;
	int status = 0;

	if (n <= 0) {
		bench_fail("the server has closed a connection: %s", n < 0 ? strerror(errno) : "");
	}
	conn->got += (size_t)n;
	conn->in[conn->got] = '\0';
	end = strstr(head, "\r\n\r\n");
	if (end == NULL) {
		return;
	}
	length = strcasestr(head, "\r\nContent-Length:");
	closes = strcasestr(head, "\r\nConnection: close");
	conn->closes = closes != NULL && closes < end;
	if (sscanf(head, "HTTP/1.%*d %d", &status) != 1 || status != 200 || length == NULL) {
		bench_fail("HTTP status %d", status);
	}
	len = strtoul(length + 17, NULL, 10);
	skip = (size_t)(end - head) + 4;
	MUST(len <= ANSWER_MAX - skip);
	if (conn->got >= skip + len) {
		conn_answer(load, conn, bytes_of(conn->in + skip, len));
	}
}

/* ---- the run ---- */

static void
run(struct load *load)
{
	struct epoll_event events[64];

	load->epoll = epoll_create1(EPOLL_CLOEXEC);
	load->conns = calloc(load->n_conns, sizeof(*load->conns));
	MUST(load->epoll >= 0 && load->conns != NULL);
	if (load->warm == 0) {
		load->cpu_start = server_cpu(load);
		load->start = now_seconds();
	}
	for (unsigned i = 0; i < load->n_conns; i++) {
		load->conns[i].fd = -1;
		load->conns[i].pool = pool_new(1 << 20);
		MUST(load->conns[i].pool != NULL);
		conn_next(load, &load->conns[i]);
	}
	while (load->done < load->count + load->warm) {
		int n = epoll_wait(load->epoll, events, 64, PATIENCE_MS);

		if (n == 0) {
			bench_fail("the server says nothing any more");
		}
		for (int i = 0; i < n; i++) {
			conn_read(load, events[i].data.ptr);
		}
	}
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void
report(const struct load *load)
{
	double cpu = server_cpu(load) - load->cpu_start, seconds = now_seconds() - load->start;
	unsigned n = load->count;

	qsort(load->latency, n, sizeof(*load->latency), compare);
	printf("{\"transactions\": %u, \"seconds\": %.3f, \"cpu_us\": %.2f, \"p50_ms\": %.2f, "
	       "\"p99_ms\": %.2f}\n",
	    n, seconds, cpu * 1e6 / n, load->latency[n / 2] * 1e3,
	    load->latency[n - 1 - n / 100] * 1e3);
}

static void
finish(struct load *load)
{
	for (unsigned i = 0; i < load->n_conns; i++) {
		pool_free(load->conns[i].pool);
	}
	free(load->conns);
	free(load->requests);
	free(load->latency);
	pool_free(load->pool);
	sender_fini(&load->sender);
	close(load->epoll);
}

static unsigned
number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*end != '\0' || value > 100000000) {
		bench_fail("no number: %s", text);
	}
	return (unsigned)value;
}

int
main(int argc, char **argv)
{
	struct load load = {.path = "/.well-known/cmp", .count = 100, .n_conns = 1};
	int option;

	while ((option = getopt(argc, argv, "p:u:P:n:w:k:r:s:c:y:a:iHo")) != -1) {
		switch (option) {
		case 'p':
			load.port = (int)number(optarg);
			break;
		case 'u':
			load.path = optarg;
			break;
		case 'P':
			load.pid = (int)number(optarg);
			break;
		case 'n':
			load.count = number(optarg);
			break;
		case 'w':
			load.warm = number(optarg);
			break;
		case 'k':
			load.n_conns = number(optarg);
			break;
		case 'r':
			load.ref = optarg;
			break;
		case 's':
			load.secret = optarg;
			break;
		case 'c':
			load.certificate = optarg;
			break;
		case 'y':
			load.key = optarg;
			break;
		case 'a':
			load.rsa = strcmp(optarg, "rsa") == 0;
			break;
		case 'i':
			load.implicit = true;
			break;
		case 'H':
			load.held = true;
			break;
		case 'o':
			load.once = true;
			break;
		default:
			bench_fail("usage: see the beginning of load.c");
		}
	}
	if (load.port == 0 || load.pid == 0 || load.count == 0 || load.n_conns == 0 ||
	    load.n_conns > CONNS_MAX || (load.ref == NULL) == (load.certificate == NULL) ||
	    (load.ref == NULL) != (load.secret == NULL) ||
	    (load.key == NULL) != (load.certificate == NULL)) {
		bench_fail("usage: see the beginning of load.c");
	}
	sender_init(&load.sender, load.ref, load.secret, load.certificate, load.key, load.rsa);
	make_requests(&load);
	run(&load);
	report(&load);
	finish(&load);
	return 0;
}
