/*
 * Runs a program in a process group of its own and waits for it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define CHILD_OUT_MAX (64 * 1024)
#define CHILD_ERR_MAX 400

struct child_result {
	int status; /* of waitpid */
	size_t out_len;
	char out[CHILD_OUT_MAX + 1]; /* standard output, NUL-terminated */
	char err[CHILD_ERR_MAX + 1]; /* the beginning of standard error, NUL-terminated */
};

/* Milliseconds of the monotonic clock. */
int64_t child_now(void);

/*
 * argv[0] is the path. The program reads in from its standard input, has no other descriptor, a minimal environment, "/" as
 * working directory; no shell. Until it ends, or deadline (child_now) has come, or it has written too
 * much; whatever is left of its process group is then killed. NULL, or a sentence that says why there is no result.
 */
const char *child_run(char *const *argv, const char *in, size_t in_len, int64_t deadline,
    struct child_result *ret);
