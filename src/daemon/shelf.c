#include "daemon/shelf.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "http/http.h"

#define ETAG_BYTES 16 /* of the SHA-256 of the body */

struct shelf_file {
	_Atomic unsigned references;
	const char *type;
	int64_t modified, fresh_until;
	char etag[2 * ETAG_BYTES + 3];
	size_t len;
	uint8_t body[];
};

struct item {
	char *path;
	struct shelf_file *file;
};

struct shelf {
	size_t n;
	struct item *items;
};

struct shelf_file *
shelf_file_new(struct bytes body, const char *type, int64_t modified, int64_t fresh_until)
{
	struct shelf_file *file = malloc(sizeof(*file) + body.len);
	uint8_t digest[DIGEST_SIZE];
	char hex[2 * ETAG_BYTES + 1];

	if (file == NULL || digest_sha256(body, digest) < 0) {
		free(file);
		return NULL;
	}
	atomic_init(&file->references, 1);
	file->type = type;
	file->modified = modified;
	file->fresh_until = fresh_until;
	hex_encode(bytes_of(digest, ETAG_BYTES), hex, sizeof(hex));
	snprintf(file->etag, sizeof(file->etag), "\"%s\"", hex);
	file->len = body.len;
	memcpy(file->body, body.data, body.len);
	return file;
}

static struct shelf_file *
file_get1(struct shelf_file *file)
{
	atomic_fetch_add_explicit(&file->references, 1, memory_order_relaxed);
	return file;
}

void
shelf_file_put(struct shelf_file *file)
{
	if (file != NULL &&
	    atomic_fetch_sub_explicit(&file->references, 1, memory_order_acq_rel) == 1) {
		free(file);
	}
}

struct shelf *
shelf_new(void)
{
	return calloc(1, sizeof(struct shelf));
}

void
shelf_free(struct shelf *shelf)
{
	if (shelf == NULL) {
		return;
	}
	for (size_t i = 0; i < shelf->n; i++) {
		free(shelf->items[i].path);
		shelf_file_put(shelf->items[i].file);
	}
	free(shelf->items);
	free(shelf);
}

static struct shelf_file *
find(const struct shelf *shelf, const char *path)
{
	for (size_t i = 0; shelf != NULL && i < shelf->n; i++) {
		if (strcmp(shelf->items[i].path, path) == 0) {
			return shelf->items[i].file;
		}
	}
	return NULL;
}

int
shelf_add(struct shelf *shelf, struct shelf_file *file, const char *prefix, const char *name,
    const char *suffix)
{
	struct item *items = realloc(shelf->items, (shelf->n + 1) * sizeof(*items));
	char *path = NULL;

	if (items == NULL) {
		return CMPD_ENOMEM;
	}
	shelf->items = items;
	if (asprintf(&path, "%s%s%s", prefix, name, suffix) < 0) {
		return CMPD_ENOMEM;
	}
	if (find(shelf, path) != NULL) {
		free(path);
		return 0;
	}
	items[shelf->n++] = (struct item){path, file_get1(file)};
	return 0;
}

static void
release(void *file)
{
	shelf_file_put(file);
}

int
shelf_find(const struct shelf *shelf, const char *path, struct http_file *ret)
{
	struct shelf_file *file = find(shelf, path);

	if (file == NULL) {
		return CMPD_ENOENT;
	}
	*ret = (struct http_file){.body = bytes_of(file->body, file->len),
	    .type = file->type,
	    .etag = file->etag,
	    .modified = file->modified,
	    .fresh_until = file->fresh_until,
	    .release = release,
	    .holder = file_get1(file)};
	return 0;
}
