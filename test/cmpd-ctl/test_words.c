/* The small parts of the tool: the command line, ages, lists of words, the table of commands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cmpd-ctl/tool.h"

/* Cuts a line at its spaces, as a shell would; returns how many words there are. */
static int
split(char *line, char *words[16])
{
	char *rest = NULL;
	int n = 0;

	for (char *word = strtok_r(line, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		assert_true(n < 15);
		words[n++] = word;
	}
	words[n] = NULL;
	return n;
}

static void
test_ages_are_short(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} ages[] = {{-5, "0s"}, {0, "0s"}, {59, "59s"}, {60, "1m"}, {3599, "59m"}, {3600, "1h"},
	    {86399, "23h"}, {86400, "1d"}, {999 * 86400, "999d"}, {1000 * 86400, "2y"},
	    {INT64_MAX / 1000, "292471208y"}};
	char age[AGE_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(ages) / sizeof(ages[0]); i++) {
		assert_string_equal(output_age(ages[i].seconds * 1000, age), ages[i].text);
	}
}

static void
test_options_stand_anywhere(void **state)
{
	char line[] = "cmpd-ctl deny --json 1@2 --text=a=b -s x 3 --reason --odd -- --text";
	char *argv[16];
	struct args args;

	(void)state;
	assert_int_equal(args_parse(split(line, argv), argv, &args), 0);
	assert_int_equal(args.n_words, 4);
	assert_string_equal(args.words[0], "deny");
	assert_string_equal(args.words[1], "1@2");
	assert_string_equal(args.words[2], "3");
	assert_string_equal(args.words[3], "--text");
	assert_string_equal(args.option[OPT_TEXT], "a=b");
	assert_string_equal(args.option[OPT_SOCKET], "x");
	assert_string_equal(args.option[OPT_REASON], "--odd");
	assert_non_null(args.option[OPT_JSON]);
	assert_null(args.option[OPT_YES]);
}

static void
test_every_command_is_found_by_its_words(void **state)
{
	static const char *const unknown[] = {"secret x", "secret", "lis", "listx", ""};
	const struct command *command;
	char *given[16];
	char line[64];
	int words;

	(void)state;
	for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
		int n;

		(void)strcpy(line, command->name);
		n = split(line, given);
		assert_ptr_equal(command_find(given, n, &words), command);
		assert_int_equal(words, n);
		assert_true(command->words_min <= command->words_max);
	}
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		(void)strcpy(line, unknown[i]);
		assert_null(command_find(given, split(line, given), &words));
	}
}

static void
test_lists_and_times_of_answers(void **state)
{
	json_t *object = json_pack("{s:[s, s, i], s:s, s:s, s:i}", "list", "a", "b", 7, "time",
	    "2023-11-14T22:13:20Z", "bad", "2023-11-14T22:13:20+01:00", "number", 5);
	char *text = json_join(json_object_get(object, "list"));

	(void)state;
	assert_string_equal(text, "a, b, ");
	free(text);
	text = json_join(NULL);
	assert_string_equal(text, "");
	free(text);
	assert_int_equal(json_time(object, "time"), 1700000000000);
	assert_int_equal(json_time(object, "bad"), 0);
	assert_int_equal(json_time(object, "none"), 0);
	assert_null(json_text(object, "number"));
	assert_string_equal(json_word(object, "number"), "?");
	json_decref(object);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ages_are_short),
	    cmocka_unit_test(test_options_stand_anywhere),
	    cmocka_unit_test(test_every_command_is_found_by_its_words),
	    cmocka_unit_test(test_lists_and_times_of_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
