#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store_lmdb.h"

/*
 * LMDB 0.9 trusts the file: it maps it and follows page numbers. So what must hold is looked at here, by reading: one
 * of the two meta pages is whole, and no page that is in use lies behind the end of the file. Free pages may:
 * LMDB does not write a page that was taken and given back by the same transaction. Those are looked up in
 * the list of free pages, a B+tree of its own. All sizes are those of the machine, as LMDB has them.
 */

#define MAGIC	     0xBEEFC0DEu
#define DATA_VERSION 1u
#define PAGE_HEADER  16u
#define PAGE_MAX     65536u
#define NO_PAGE	     SIZE_MAX
#define FLAG_BRANCH  0x01u
#define FLAG_LEAF    0x02u
#define FLAG_META    0x08u
#define NODE_HEADER  8u
#define NODE_BIGDATA 0x01u
#define DEPTH_MAX    32

struct tree {
	uint32_t pad; /* of the first tree: the page size */
	uint16_t flags, depth;
	size_t branch_pages, leaf_pages, overflow_pages, entries, root;
};

struct meta {
	uint32_t magic, version;
	void *address;
	size_t map_size;
	struct tree trees[2]; /* free pages, main */
	size_t last_page, txn;
};

struct data_file {
	int fd;
	size_t page_size;
	size_t n_pages; /* whole ones in the file */
	struct meta meta;
	size_t free_behind; /* free pages behind the end that were found */
	size_t visited; /* a damaged tree may go in circles */
};

static bool
read_at(int fd, void *out, size_t len, uint64_t at)
{
	return pread(fd, out, len, (off_t)at) == (ssize_t)len;
}

/* A meta page: false if it is none. */
static bool
read_meta(int fd, uint64_t at, struct meta *ret)
{
	uint8_t page[PAGE_HEADER + sizeof(struct meta)];
	uint16_t flags;

	if (!read_at(fd, page, sizeof(page), at)) {
		return false;
	}
	memcpy(&flags, page + sizeof(size_t) + 2, sizeof(flags));
	memcpy(ret, page + sizeof(size_t) + 8, sizeof(*ret));
	return (flags & FLAG_META) != 0 && ret->magic == MAGIC;
}

static bool
is_page_size(size_t size)
{
	return size >= 512 && size <= PAGE_MAX && (size & (size - 1)) == 0;
}

static int
read_metas(struct data_file *file, struct diag *diag)
{
	struct meta second;

	if (!read_meta(file->fd, 0, &file->meta)) {
		return diag_set(diag, CMPD_ECORRUPT, "the file is not a store of cmpd");
	}
	file->page_size = file->meta.trees[0].pad;
	if (file->meta.version != DATA_VERSION || !is_page_size(file->page_size)) {
		return diag_set(diag, CMPD_EVERSION,
		    "the file was written by another version of LMDB or on another machine");
	}
	if (!read_meta(file->fd, file->page_size, &second) || second.version != DATA_VERSION) {
		return diag_set(diag, CMPD_ECORRUPT, "the file is damaged: a meta page is missing");
	}
	if (second.txn > file->meta.txn) {
		file->meta = second;
	}
	return 0;
}

/* ---- the list of free pages ---- */

static size_t
count_behind(const struct data_file *file, const uint8_t *list, size_t len)
{
	size_t n, id, found = 0;

	if (len < sizeof(n)) {
		return 0;
	}
	memcpy(&n, list, sizeof(n));
	for (size_t i = 1; i <= n && (i + 1) * sizeof(id) <= len; i++) {
		memcpy(&id, list + i * sizeof(id), sizeof(id));
		found += id >= file->n_pages && id <= file->meta.last_page;
	}
	return found;
}

/* A list that did not fit into its leaf: whole pages of its own. */
static bool
walk_big(struct data_file *file, const uint8_t *node, size_t len)
{
	uint8_t *list;
	size_t page;
	bool ok;

	memcpy(&page, node, sizeof(page));
	if (page >= file->n_pages || len > file->n_pages * file->page_size) {
		return false;
	}
	list = malloc(len);
	ok = list != NULL &&
	     read_at(file->fd, list, len, (uint64_t)page * file->page_size + sizeof(size_t) + 8);
	if (ok) {
		file->free_behind += count_behind(file, list, len);
	}
	free(list);
	return ok;
}

struct node {
	size_t low, flags, key_len;
	const uint8_t *data;
	size_t room; /* bytes of the page from data on */
};

static bool
get_node(const struct data_file *file, const uint8_t *page, size_t i, struct node *ret)
{
	uint16_t at, word[4];

	memcpy(&at, page + PAGE_HEADER + 2 * i, sizeof(at));
	if (at < PAGE_HEADER || at + NODE_HEADER > file->page_size) {
		return false;
	}
	memcpy(word, page + at, sizeof(word)); /* low, high, flags, length of the key */
	ret->low = word[0] | (size_t)word[1] << 16;
	ret->flags = word[2];
	ret->key_len = word[3];
	ret->data = page + at + NODE_HEADER;
	ret->room = file->page_size - at - NODE_HEADER;
	return true;
}

static bool walk(struct data_file *file, size_t number, int depth);

static bool
walk_branch(struct data_file *file, const struct node *node, int depth)
{
	size_t page = node->low;

	/* A branch has no data: its flags are the upper part of the page number. */
	if (sizeof(size_t) > 4) {
		page |= (node->flags << 16) << 16;
	}
	return walk(file, page, depth + 1);
}

static bool
walk_leaf(struct data_file *file, const struct node *node)
{
	if (node->key_len > node->room) {
		return false;
	}
	if ((node->flags & NODE_BIGDATA) != 0) {
		return node->room - node->key_len >= sizeof(size_t) &&
		       walk_big(file, node->data + node->key_len, node->low);
	}
	if (node->low > node->room - node->key_len) {
		return false;
	}
	file->free_behind += count_behind(file, node->data + node->key_len, node->low);
	return true;
}

static bool
walk(struct data_file *file, size_t number, int depth)
{
	uint8_t *page = NULL;
	uint16_t flags, lower;
	struct node node;
	bool ok = false;

	if (number >= file->n_pages || depth > DEPTH_MAX || file->visited++ > file->n_pages) {
		return false;
	}
	page = malloc(file->page_size);
	if (page == NULL ||
	    !read_at(file->fd, page, file->page_size, (uint64_t)number * file->page_size)) {
		goto out;
	}
	memcpy(&flags, page + sizeof(size_t) + 2, sizeof(flags));
	memcpy(&lower, page + sizeof(size_t) + 4, sizeof(lower));
	if (lower < PAGE_HEADER || lower > file->page_size ||
	    (flags & (FLAG_BRANCH | FLAG_LEAF)) == 0) {
		goto out;
	}
	ok = true;
	for (size_t i = 0; i < (lower - PAGE_HEADER) / 2u && ok; i++) {
		ok = get_node(file, page, i, &node) &&
		     ((flags & FLAG_BRANCH) != 0 ? walk_branch(file, &node, depth)
						 : walk_leaf(file, &node));
	}
out:
	free(page);
	return ok;
}

/* ---- the whole ---- */

static int
check_length(struct data_file *file, uint64_t size, struct diag *diag)
{
	size_t missing;

	file->n_pages = (size_t)(size / file->page_size);
	if (file->n_pages > file->meta.last_page) {
		return 0;
	}
	missing = file->meta.last_page + 1 - file->n_pages;
	if (file->n_pages >= 2 && file->meta.trees[0].root != NO_PAGE &&
	    walk(file, file->meta.trees[0].root, 0) && file->free_behind == missing) {
		return 0;
	}
	return diag_set(diag, CMPD_ECORRUPT,
	    "the file is cut off: it has %zu pages and should have %zu", file->n_pages,
	    file->meta.last_page + 1);
}

int
lmdb_file_check(const char *path, bool *ret_exists, struct diag *diag)
{
	struct data_file file = {.fd = -1};
	struct stat st;
	int error = 0;

	*ret_exists = false;
	file.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file.fd < 0 && errno == ENOENT) {
		return 0;
	}
	if (file.fd < 0 || fstat(file.fd, &st) != 0) {
		error =
		    diag_set(diag, errno == EACCES ? CMPD_EACCES : CMPD_EIO, "%s", strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		error = diag_set(diag, CMPD_ECORRUPT, "it is not a regular file");
	} else if (st.st_size > 0) {
		*ret_exists = true;
		error = read_metas(&file, diag);
		if (error == 0) {
			error = check_length(&file, (uint64_t)st.st_size, diag);
		}
	}
	if (file.fd >= 0) {
		close(file.fd);
	}
	if (error != 0) {
		diag_prefix(diag, "%s", path);
	}
	return error;
}
