/*
 * chain STATE_DIR: the audit chain of a store that no cmpd has open is whole, and these are its lines: "what object actor".
 */
#include <stdio.h>

#include "base/pool.h"
#include "store/store.h"

#define PAGE	   500
#define POOL_LIMIT (64u << 20)

static int
print_lines(struct store_reader *reader)
{
	uint64_t after = 0;
	int error = 0;

	do {
		struct pool *pool = pool_new(POOL_LIMIT);
		struct audit *lines = NULL;
		size_t n = 0, i;

		error = store_audit_list(reader, pool, after, PAGE, &lines, &n, &after);
		for (i = 0; error == 0 && i < n; i++) {
			printf("%s %s %s\n", lines[i].what,
			    lines[i].object == NULL ? "-" : lines[i].object, lines[i].actor);
		}
		pool_free(pool);
	} while (error == 0 && after != 0);
	return error;
}

int
main(int argc, char **argv)
{
	char key[512];
	struct store_options options = {
	    .dir = argc == 2 ? argv[1] : "", .key_file = key, .map_size = 1u << 30, .sync = true};
	struct store_reader *reader = NULL;
	struct store *store = NULL;
	struct diag diag = {""};
	uint64_t bad = 0;
	int error;

	snprintf(key, sizeof(key), "%s/store.key", options.dir);
	error = store_open(&options, &store, &diag);
	if (error == 0) {
		error = store_reader_open(store, &reader);
	}
	if (error == 0) {
		error = store_audit_verify(reader, &bad);
	}
	if (error == 0) {
		error = print_lines(reader);
	}
	if (error != 0) {
		fprintf(stderr, "%s: %s %s; line %llu\n", options.dir, cmpd_strerror(error),
		    diag.text, (unsigned long long)bad);
	}
	store_reader_close(reader);
	store_close(store);
	return error == 0 ? 0 : 1;
}
