#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/record.h"
#include "store_test.h"

static struct pool *
new_pool(void)
{
	struct pool *pool = pool_new((size_t)16 << 20);

	assert_non_null(pool);
	return pool;
}

/* One record of each kind, as bytes. */
static void
encode_all(struct buf out[6])
{
	static const char *list[] = {"one", "two", NULL};
	const struct audit audit = {.number = 5,
	    .time = 1000,
	    .actor = "client",
	    .what = "entry.held",
	    .object = "00ff",
	    .hmac = {1}};
	const struct tally tally = {.last_entry = 7, .entries = {0, 7}};
	struct entry entry = make_entry(3);
	struct secret secret = make_secret("ref", "value");
	struct txn txn = make_txn(3);
	struct cert cert = make_cert(3);

	entry.comments = list;
	for (int i = 0; i < 6; i++) {
		buf_init(&out[i], 65536);
	}
	assert_int_equal(record_put_txn(&out[0], &txn, 1), 0);
	assert_int_equal(record_put_entry(&out[1], &entry, 1), 0);
	assert_int_equal(record_put_cert(&out[2], &cert, 1), 0);
	assert_int_equal(record_put_secret(&out[3], &secret, 1), 0);
	assert_int_equal(record_put_audit(&out[4], &audit), 0);
	assert_int_equal(record_put_tally(&out[5], &tally), 0);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(buf_error(&out[i]), 0);
	}
}

static int
decode(int kind, struct bytes in, struct pool *pool)
{
	struct txn txn;
	struct entry entry;
	struct cert cert;
	struct secret secret;
	struct audit audit;
	struct tally tally;

	switch (kind) {
	case 0:
		return record_get_txn(in, pool, &txn);
	case 1:
		return record_get_entry(in, pool, &entry);
	case 2:
		return record_get_cert(in, pool, &cert);
	case 3:
		return record_get_secret(in, pool, &secret);
	case 4:
		return record_get_audit(in, pool, &audit);
	default:
		return record_get_tally(in, &tally);
	}
}

static void
a_kind_is_read_as_no_other(void **state)
{
	struct pool *pool = new_pool();
	struct buf out[6];

	(void)state;
	encode_all(out);
	for (int kind = 0; kind < 6; kind++) {
		for (int as = 0; as < 6; as++) {
			assert_int_equal(decode(as, buf_get0(&out[kind]), pool),
			    as == kind ? 0 : CMPD_ECORRUPT);
		}
		buf_fini(&out[kind]);
	}
	pool_free(pool);
}

static void
no_shorter_or_longer_record_decodes(void **state)
{
	struct pool *pool = new_pool();
	struct buf out[6];

	(void)state;
	encode_all(out);
	for (int kind = 0; kind < 6; kind++) {
		struct bytes in = buf_get0(&out[kind]);

		for (size_t len = 0; len < in.len; len++) {
			uint8_t *copy = malloc(len + 1); /* so that a step too far is seen */

			assert_non_null(copy);
			memcpy(copy, in.data, len);
			assert_int_equal(decode(kind, bytes_of(copy, len), pool), CMPD_ECORRUPT);
			free(copy);
			pool_reset(pool);
		}
		buf_put_u8(&out[kind], 0);
		assert_int_equal(decode(kind, buf_get0(&out[kind]), pool), CMPD_ECORRUPT);
		buf_fini(&out[kind]);
	}
	pool_free(pool);
}

static void
another_format_is_told_as_such(void **state)
{
	struct pool *pool = new_pool();
	struct buf out[6];

	(void)state;
	encode_all(out);
	for (int kind = 0; kind < 6; kind++) {
		out[kind].data[1] = RECORD_FORMAT + 1;
		assert_int_equal(decode(kind, buf_get0(&out[kind]), pool), CMPD_EVERSION);
		buf_fini(&out[kind]);
	}
	pool_free(pool);
}

static void
absent_and_empty_are_told_apart(void **state)
{
	struct pool *pool = new_pool();
	struct entry in = make_entry(1), out;
	struct buf buf;

	(void)state;
	in.requested.subject = bytes_of("", 0);
	in.requested.extensions = BYTES_NONE;
	in.reason = "";
	in.text = NULL;
	buf_init(&buf, 65536);
	assert_int_equal(record_put_entry(&buf, &in, 9), 0);
	assert_int_equal(record_get_entry(buf_get0(&buf), pool, &out), 0);
	assert_non_null(out.requested.subject.data);
	assert_int_equal(out.requested.subject.len, 0);
	assert_null(out.requested.extensions.data);
	assert_string_equal(out.reason, "");
	assert_null(out.text);
	assert_int_equal(out.version, 9);
	assert_non_null(out.comments);
	assert_null(out.comments[0]);
	buf_fini(&buf);
	pool_free(pool);
}

static void
the_largest_fits(void **state)
{
	struct pool *pool = new_pool();
	struct txn in = make_txn(1), out;
	struct buf buf;

	(void)state;
	in.key.id_len = TXN_ID_MAX;
	in.n_ids = TXN_IDS_MAX;
	in.ids[TXN_IDS_MAX - 1] = INT64_MIN;
	in.our_nonce.len = TXN_NONCE_MAX;
	memset(in.our_nonce.data, 0xee, TXN_NONCE_MAX);
	buf_init(&buf, 65536);
	assert_int_equal(record_put_txn(&buf, &in, 1), 0);
	assert_int_equal(record_get_txn(buf_get0(&buf), pool, &out), 0);
	assert_true(out.ids[TXN_IDS_MAX - 1] == INT64_MIN);
	assert_memory_equal(&out.our_nonce, &in.our_nonce, sizeof(in.our_nonce));
	buf_fini(&buf);
	pool_free(pool);
}

static void
a_text_with_a_nul_inside_is_corrupt(void **state)
{
	struct pool *pool = new_pool();
	struct secret in = make_secret("abcdef", "value"), out;
	uint8_t *text;
	struct buf buf;

	(void)state;
	buf_init(&buf, 65536);
	assert_int_equal(record_put_secret(&buf, &in, 1), 0);
	text = memmem(buf.data, buf.len, "abcdef", 7);
	assert_non_null(text);
	text[2] = '\0';
	assert_int_equal(record_get_secret(buf_get0(&buf), pool, &out), CMPD_ECORRUPT);
	text[2] = 'c';
	text[6] = 'x'; /* no end */
	assert_int_equal(record_get_secret(buf_get0(&buf), pool, &out), CMPD_ECORRUPT);
	buf_fini(&buf);
	pool_free(pool);
}

/* What cmpd wrote when format 1 was the newest: test/fuzz/corpus/record/format-1-*. */
static void
format_1_still_reads(void **state)
{
	static const char *const names[6] = {"txn", "entry", "cert", "secret", "audit", "tally"};
	const char *dir = getenv("CMPD_RECORDS");
	struct pool *pool = new_pool();
	struct entry entry;
	uint8_t bytes[4096];

	(void)state;
	assert_non_null(dir);
	for (int kind = 0; kind < 6; kind++) {
		char path[512];
		FILE *f;
		size_t len;

		snprintf(path, sizeof(path), "%s/format-1-%s", dir, names[kind]);
		f = fopen(path, "rb");
		assert_non_null(f);
		len = fread(bytes, 1, sizeof(bytes), f);
		fclose(f);
		assert_int_equal(bytes[1], 1);
		assert_int_equal(decode(kind, bytes_of(bytes, len), pool), 0);
		if (kind == 1) {
			assert_int_equal(record_get_entry(bytes_of(bytes, len), pool, &entry), 0);
			assert_string_equal(entry.subject, "/CN=device");
			assert_string_equal(entry.comments[1], "two");
			assert_null(entry.wants);
		}
	}
	pool_free(pool);
}

/* Seeds for the fuzz target. */
static void
write_corpus(const char *dir)
{
	static const char *const names[6] = {"txn", "entry", "cert", "secret", "audit", "tally"};
	struct buf out[6];
	char path[512];

	encode_all(out);
	for (int i = 0; i < 6; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		write_file(path, out[i].data, out[i].len, 0644);
		buf_fini(&out[i]);
	}
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_kind_is_read_as_no_other),
	    cmocka_unit_test(no_shorter_or_longer_record_decodes),
	    cmocka_unit_test(another_format_is_told_as_such),
	    cmocka_unit_test(format_1_still_reads),
	    cmocka_unit_test(absent_and_empty_are_told_apart),
	    cmocka_unit_test(the_largest_fits),
	    cmocka_unit_test(a_text_with_a_nul_inside_is_corrupt),
	};

	if (argc == 2) {
		write_corpus(argv[1]);
		return 0;
	}
	return cmocka_run_group_tests_name("store_record", tests, NULL, NULL);
}
