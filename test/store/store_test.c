#include "store_test.h"

#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAP_SIZE ((uint64_t)1 << 30)

void
write_file(const char *path, const void *data, size_t len, unsigned int mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

bool
file_holds(const char *path, struct bytes needle)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data;
	struct stat st;
	bool found;

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &st), 0);
	data = malloc((size_t)st.st_size + 1);
	assert_non_null(data);
	assert_int_equal(fread(data, 1, (size_t)st.st_size, file), st.st_size);
	found = memmem(data, (size_t)st.st_size, needle.data, needle.len) != NULL;
	free(data);
	fclose(file);
	return found;
}

void
bench_init(struct bench *bench, bool on_disk)
{
	const char *base = getenv("TMPDIR");

	memset(bench, 0, sizeof(*bench));
	snprintf(bench->dir, sizeof(bench->dir) - 16, "%s/cmpd-store-XXXXXX",
	    base == NULL ? "/tmp" : base);
	assert_non_null(mkdtemp(bench->dir));
	snprintf(bench->key_file, sizeof(bench->key_file), "%.240s/key", bench->dir);
	write_file(bench->key_file, "0123456789abcdef0123456789ABCDEF", 32, 0600);
	strcat(bench->dir, "/state");
	bench->options = (struct store_options){.dir = on_disk ? bench->dir : NULL,
	    .key_file = bench->key_file,
	    .map_size = MAP_SIZE,
	    .sync = false};
	bench->pool = pool_new((size_t)64 << 20);
	assert_non_null(bench->pool);
}

void
bench_open(struct bench *bench)
{
	struct diag diag = {""};

	if (store_open(&bench->options, &bench->store, &diag) != 0) {
		fail_msg("store_open: %s", diag.text);
	}
	assert_int_equal(store_reader_open(bench->store, &bench->reader), 0);
}

void
bench_close(struct bench *bench)
{
	store_reader_close(bench->reader);
	store_close(bench->store);
	bench->reader = NULL;
	bench->store = NULL;
}

void
bench_reopen(struct bench *bench)
{
	bench_close(bench);
	bench_open(bench);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
bench_fini(struct bench *bench)
{
	char *end;

	bench_close(bench);
	pool_free(bench->pool);
	end = strrchr(bench->dir, '/');
	*end = '\0';
	nftw(bench->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int
bench_commit(struct bench *bench, struct unit *unit)
{
	return store_commit_wait(bench->store, unit);
}

struct all {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	size_t left;
};

struct one {
	struct all *all;
	int *result;
};

static void
one_done(void *arg, int result)
{
	struct one *one = arg;
	struct all *all = one->all;

	*one->result = result;
	free(one);
	pthread_mutex_lock(&all->lock);
	all->left--;
	pthread_cond_signal(&all->wake);
	pthread_mutex_unlock(&all->lock);
}

void
bench_commit_all(struct bench *bench, struct unit **units, size_t n, int *ret_results)
{
	struct all all = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, n};

	for (size_t i = 0; i < n; i++) {
		struct one *one = malloc(sizeof(*one));

		assert_non_null(one);
		*one = (struct one){&all, &ret_results[i]};
		store_commit(bench->store, units[i], one_done, one);
	}
	pthread_mutex_lock(&all.lock);
	while (all.left > 0) {
		pthread_cond_wait(&all.wake, &all.lock);
	}
	pthread_mutex_unlock(&all.lock);
	pthread_cond_destroy(&all.wake);
	pthread_mutex_destroy(&all.lock);
}

struct txn_key
make_txn_key(unsigned int n)
{
	struct txn_key key = {.protocol = PROTOCOL_CMP, .id_len = 16};

	memcpy(key.id, &n, sizeof(n));
	return key;
}

struct txn
make_txn(unsigned int n)
{
	return (struct txn){.key = make_txn_key(n),
	    .endpoint = "/.well-known/cmp",
	    .identity = {.kind = IDENTITY_SECRET, .secret = 7},
	    .type = REQUEST_IR,
	    .pvno = 2,
	    .n_ids = 2,
	    .ids = {0, -1},
	    .told = 2,
	    .our_nonce = {16, {1, 2, 3}},
	    .first_nonce = {16, {4, 5, 6}},
	    .last_hash = {9, 8, 7},
	    .answer = bytes_str("answer"),
	    .answer_certs = bytes_of("0123456789abcdef0123456789abcdef", 32),
	    .received = 1000,
	    .last_seen = 2000,
	    .deadline = 9000};
}

struct entry
make_entry(unsigned int n)
{
	static const char *sans[] = {"DNS:a.example", "IP:10.0.0.1", NULL};
	struct entry entry = {.state = ENTRY_PENDING,
	    .txn = make_txn_key(n),
	    .type = REQUEST_IR,
	    .endpoint = "/.well-known/cmp",
	    .profile = "device",
	    .requested = {.subject = bytes_str("subject"), .spki = bytes_str("spki")},
	    .subject = "/CN=device",
	    .sans = sans,
	    .pop = POP_VERIFIED,
	    .names_bound = true,
	    .requester = "mac ref=dev1",
	    .peer = "127.0.0.1",
	    .received = 1000 + n,
	    .expires = 100000,
	    .check_after = 5000,
	    .reason = "waits for an operator",
	    .fail_info = -1,
	    .approvals_needed = 1};

	/* Big-endian, so that ids sort like n and share their first digits. */
	for (int i = 0; i < 4; i++) {
		entry.id[i] = (uint8_t)(n >> (24 - 8 * i));
	}
	return entry;
}

struct cert
make_cert(unsigned int n)
{
	static uint8_t serials[64][SERIAL_MAX];
	uint8_t *serial = serials[n % 64];

	memset(serial, 0x11, SERIAL_MAX);
	for (int i = 0; i < 4; i++) {
		serial[i] = (uint8_t)(n >> (24 - 8 * i));
	}
	serial[0] |= 0x40;
	return (struct cert){.ca = {1, 2, 3},
	    .serial = bytes_of(serial, SERIAL_MAX),
	    .der = bytes_str("der"),
	    .sha256 = {1},
	    .spki_sha256 = {2},
	    .subject = "/CN=device",
	    .profile = "device",
	    .entry = {1},
	    .not_before = 1000,
	    .not_after = 90000,
	    .reason = -1};
}

struct secret
make_secret(const char *ref, const char *value)
{
	return (struct secret){
	    .ref = ref, .value = bytes_str(value), .uses_left = -1, .created = 1000};
}
