/*
 * replay FOLDER [ROUNDS]: gives a fuzz target every file of its corpus and ROUNDS mutations of each
 * (default 300). The mutations depend on the file's name and the round only, so a crash can be
 * repeated: the input at hand is written to the file named by $REPLAY_KEEP before each call.
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX  (256u * 1024)
#define GROWTH_MAX 64u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

struct input {
	uint8_t *data;
	size_t size;
};

static uint64_t
random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static uint64_t
seed_of(const char *name, unsigned round)
{
	uint64_t hash = 1469598103934665603u;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 1099511628211u;
	return (hash ^ round) * 0x9e3779b97f4a7c15u | 1;
}

static void
mutate_once(struct input *input, uint64_t *state)
{
	static const uint8_t corners[] = {0, 1, 0x7f, 0x80, 0x81, 0x82, 0x84, 0xa0, 0xff};
	size_t at = input->size ? random_next(state) % input->size : 0;
	size_t rest = input->size - at;

	switch (random_next(state) % 6) {
	case 0: /* flip a bit */
		if (rest)
			input->data[at] ^= (uint8_t)(1u << random_next(state) % 8);
		break;
	case 1: /* a byte that means something in DER and in lengths */
		if (rest)
			input->data[at] = corners[random_next(state) % sizeof(corners)];
		break;
	case 2: /* cut the end */
		input->size = at;
		break;
	case 3: { /* take a piece out */
		size_t n = rest ? 1 + random_next(state) % rest : 0;
		memmove(input->data + at, input->data + at + n, rest - n);
		input->size -= n;
		break;
	}
	case 4: { /* say a piece twice */
		size_t n = rest < GROWTH_MAX ? rest : GROWTH_MAX;
		memmove(input->data + at + n, input->data + at, rest);
		input->size += n;
		break;
	}
	default: /* off by one */
		if (rest)
			input->data[at] += random_next(state) % 2 ? 1 : 0xff;
	}
}

static int
run(const uint8_t *data, size_t size)
{
	const char *keep = getenv("REPLAY_KEEP");
	uint8_t *exact = malloc(size ? size : 1); /* no slack: reading past the end is seen */

	if (!exact)
		return -1;
	memcpy(exact, data, size);
	if (keep) {
		FILE *file = fopen(keep, "wb");
		if (!file || fwrite(exact, 1, size, file) != size || fclose(file))
			perror(keep);
	}
	(void)LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	return 0;
}

static int
replay_file(const char *folder, const char *name, unsigned rounds)
{
	char path[4096];
	FILE *file = NULL;
	struct input seed = {malloc(INPUT_MAX), 0};
	struct input input = {malloc(INPUT_MAX + 8 * GROWTH_MAX), 0};
	int rc = -1;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "rb");
	if (!file || !seed.data || !input.data) {
		perror(path);
		goto out;
	}
	seed.size = fread(seed.data, 1, INPUT_MAX, file);
	rc = run(seed.data, seed.size);
	for (unsigned round = 0; rc == 0 && round < rounds; round++) {
		uint64_t state = seed_of(name, round);
		unsigned steps = 1 + random_next(&state) % 8;

		memcpy(input.data, seed.data, seed.size);
		input.size = seed.size;
		while (steps--)
			mutate_once(&input, &state);
		rc = run(input.data, input.size);
	}
out:
	if (file)
		fclose(file);
	free(seed.data);
	free(input.data);
	return rc;
}

static int
visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int
main(int argc, char **argv)
{
	unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 300;
	struct dirent **names = NULL;
	int n = argc > 1 ? scandir(argv[1], &names, visible, alphasort) : 0;

	if (n <= 0) {
		fprintf(stderr, "usage: %s FOLDER [ROUNDS]; the folder must hold files\n", argv[0]);
		return 2;
	}
	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 0; i < n; i++) {
		if (replay_file(argv[1], names[i]->d_name, rounds) != 0)
			return 1;
		free(names[i]);
	}
	free(names);
	printf("%d files, %u mutations of each\n", n, rounds);
	return 0;
}
