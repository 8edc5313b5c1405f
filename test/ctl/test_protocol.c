/* Frames and harmless text (ctl/protocol.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/protocol.h"

#define MAX 64

static void
feed_frame(struct ctl_decoder *decoder, const char *json)
{
	uint8_t head[4] = {0, 0, 0, (uint8_t)strlen(json)};

	assert_int_equal(ctl_decoder_feed(decoder, bytes_of(head, sizeof(head))), 0);
	assert_int_equal(ctl_decoder_feed(decoder, bytes_str(json)), 0);
}

static void
test_frame_comes_out_as_it_went_in(void **state)
{
	struct ctl_decoder decoder;
	struct buf out;
	json_t *request = ctl_request_new("show", json_pack("{s:s}", "id", "ab12"));
	json_t *got = NULL;

	(void)state;
	buf_init(&out, CTL_REQUEST_MAX);
	assert_int_equal(ctl_frame_put(&out, request), 0);
	ctl_decoder_init(&decoder, CTL_REQUEST_MAX);
	/* Byte by byte, as slow a sender as there can be. */
	for (size_t i = 0; i < out.len; i++) {
		assert_int_equal(ctl_decoder_next(&decoder, &got), CMPD_ENOENT);
		assert_int_equal(ctl_decoder_feed(&decoder, bytes_of(out.data + i, 1)), 0);
	}
	assert_int_equal(ctl_decoder_next(&decoder, &got), 0);
	assert_true(json_equal(request, got));
	assert_int_equal(ctl_decoder_next(&decoder, &got), CMPD_ENOENT);
	json_decref(got);
	json_decref(request);
	ctl_decoder_fini(&decoder);
	buf_fini(&out);
}

static void
test_two_frames_at_once_come_out_in_order(void **state)
{
	static const char both[] = "\0\0\0\7{\"a\":1}\0\0\0\7{\"a\":2}\0\0";
	struct ctl_decoder decoder;
	json_t *got = NULL;

	(void)state;
	ctl_decoder_init(&decoder, MAX);
	assert_int_equal(ctl_decoder_feed(&decoder, bytes_of(both, sizeof(both) - 1)), 0);
	for (int i = 1; i <= 2; i++) {
		assert_int_equal(ctl_decoder_next(&decoder, &got), 0);
		assert_int_equal(json_integer_value(json_object_get(got, "a")), i);
		json_decref(got);
	}
	assert_int_equal(ctl_decoder_next(&decoder, &got), CMPD_ENOENT);
	ctl_decoder_fini(&decoder);
}

static void
test_a_frame_too_long_is_refused_by_its_head(void **state)
{
	static const uint8_t head[] = {0, 0, 0, MAX + 1};
	struct ctl_decoder decoder;
	json_t *got = NULL;

	(void)state;
	ctl_decoder_init(&decoder, MAX);
	assert_int_equal(ctl_decoder_feed(&decoder, bytes_of(head, 4)), CMPD_ELIMIT);
	assert_int_equal(ctl_decoder_next(&decoder, &got), CMPD_ELIMIT);
	assert_null(got);
	ctl_decoder_fini(&decoder);
}

static void
test_what_is_no_object_is_consumed(void **state)
{
	static const char *const bad[] = {"", "[]", "1", "{", "{\"a\":1,\"a\":1}", "{} x",
	    "{\"a\":\"\\u0000\"}", "{\"a\":\"\xff\"}"};
	struct ctl_decoder decoder;
	json_t *got = NULL;

	(void)state;
	ctl_decoder_init(&decoder, MAX);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		feed_frame(&decoder, bad[i]);
		assert_int_equal(ctl_decoder_next(&decoder, &got), CMPD_EFORMAT);
	}
	feed_frame(&decoder, "{}");
	assert_int_equal(ctl_decoder_next(&decoder, &got), 0);
	json_decref(got);
	ctl_decoder_fini(&decoder);
}

static void
test_deep_nesting_is_no_crash(void **state)
{
	struct ctl_decoder decoder;
	char *deep = malloc(CTL_REQUEST_MAX + 4);
	json_t *got = NULL;

	(void)state;
	assert_non_null(deep);
	memset(deep, '[', CTL_REQUEST_MAX + 4);
	memcpy(deep, "\0\1\0\0", 4);
	ctl_decoder_init(&decoder, CTL_REQUEST_MAX);
	assert_int_equal(ctl_decoder_feed(&decoder, bytes_of(deep, CTL_REQUEST_MAX + 4)), 0);
	assert_int_equal(ctl_decoder_next(&decoder, &got), CMPD_EFORMAT);
	ctl_decoder_fini(&decoder);
	free(deep);
}

static void
test_a_frame_over_the_limit_leaves_nothing(void **state)
{
	json_t *object = json_pack("{s:s}", "secret", "0123456789012345678901234567890123456789");
	struct buf out;

	(void)state;
	buf_init(&out, 32);
	assert_int_equal(ctl_frame_put(&out, object), CMPD_ELIMIT);
	assert_int_equal(out.len, 0);
	json_decref(object);
	buf_fini(&out);
}

static void
test_answers_carry_code_and_words(void **state)
{
	json_t *answer = ctl_answer_error(CMPD_ENOENT, NULL);

	(void)state;
	assert_true(json_is_false(json_object_get(answer, "ok")));
	assert_int_equal(json_integer_value(json_object_get(answer, "code")), CMPD_ENOENT);
	assert_string_equal(json_string_value(json_object_get(answer, "error")),
	    json_string_value(json_object_get(answer, "text")));
	json_decref(answer);
	assert_null(ctl_answer_ok(NULL));
}

/* What text becomes, with all printable UTF-8 allowed and in ASCII only. */
static void
expect_clean(const char *text, const char *utf8, const char *ascii)
{
	char *clean = ctl_text_clean(text, false, 1000);
	char *again = ctl_text_clean(clean, false, 1000);

	assert_string_equal(clean, utf8);
	assert_string_equal(again, utf8);
	free(again);
	free(clean);
	clean = ctl_text_clean(text, true, 1000);
	assert_string_equal(clean, ascii);
	free(clean);
}

static void
test_B7_5_hostile_text_becomes_harmless(void **state)
{
	(void)state;
	expect_clean("/CN=device 1", "/CN=device 1", "/CN=device 1");
	expect_clean("a\\b\\0Ac", "a\\b\\0Ac", "a\\b\\0Ac");
	expect_clean("\x1b[2J\r\n\t\x7f", "\\1B[2J\\0D\\0A\\09\\7F", "\\1B[2J\\0D\\0A\\09\\7F");
	expect_clean("\xc3\xa4", "\xc3\xa4", "\\C3\\A4");
	expect_clean("\xc2\x9b"
		     "31m",
	    "\\C2\\9B31m", "\\C2\\9B31m");
	expect_clean("\xe2\x80\xae"
		     "x",
	    "\\E2\\80\\AEx", "\\E2\\80\\AEx");
	expect_clean("\xe2\x81\xa6\xe2\x80\x8b", "\\E2\\81\\A6\\E2\\80\\8B",
	    "\\E2\\81\\A6\\E2\\80\\8B");
	/* No UTF-8: overlong, surrogate, past the end, cut off, a lone byte. */
	expect_clean("\xc0\xaf", "\\C0\\AF", "\\C0\\AF");
	expect_clean("\xed\xa0\x80", "\\ED\\A0\\80", "\\ED\\A0\\80");
	expect_clean("\xf4\x90\x80\x80", "\\F4\\90\\80\\80", "\\F4\\90\\80\\80");
	expect_clean("\xe2\x82", "\\E2\\82", "\\E2\\82");
	expect_clean("\xff", "\\FF", "\\FF");
	expect_clean("\xf3\xa0\x81\x81", "\\F3\\A0\\81\\81", "\\F3\\A0\\81\\81");
}

static void
test_B7_5_overlong_text_is_cut_and_says_so(void **state)
{
	char text[501];
	char *clean;

	(void)state;
	memset(text, 'a', 500);
	text[500] = '\0';
	clean = ctl_text_clean(text, false, 100);
	assert_true(strlen(clean) <= 100);
	assert_non_null(strstr(clean, "...(440 bytes more)"));
	free(clean);
	clean = ctl_text_clean(text, false, 500);
	assert_string_equal(clean, text);
	free(clean);
	memset(text, '\n', 500);
	clean = ctl_text_clean(text, false, 100);
	assert_non_null(strstr(clean, "...(480 bytes more)"));
	free(clean);
	assert_null(ctl_text_clean(NULL, false, 100));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_frame_comes_out_as_it_went_in),
	    cmocka_unit_test(test_two_frames_at_once_come_out_in_order),
	    cmocka_unit_test(test_a_frame_too_long_is_refused_by_its_head),
	    cmocka_unit_test(test_what_is_no_object_is_consumed),
	    cmocka_unit_test(test_deep_nesting_is_no_crash),
	    cmocka_unit_test(test_a_frame_over_the_limit_leaves_nothing),
	    cmocka_unit_test(test_answers_carry_code_and_words),
	    cmocka_unit_test(test_B7_5_hostile_text_becomes_harmless),
	    cmocka_unit_test(test_B7_5_overlong_text_is_cut_and_says_so),
	};

	ctl_json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
