/* The inventory, asked over the socket, with a store in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/protocol.h"
#include "fixture.h"

static struct fixture fixture;

static int
setup(void **state)
{
	(void)state;
	fixture_init(&fixture);
	return fixture_start(&fixture, NULL);
}

static int
teardown(void **state)
{
	(void)state;
	fixture_stop(&fixture);
	fixture_fini(&fixture);
	return 0;
}

static int64_t
begin(void)
{
	json_t *data = client_data(&fixture, "inventory begin", NULL);
	int64_t generation = json_integer_value(json_object_get(data, "generation"));

	json_decref(data);
	return generation;
}

/* One row: serial, subject, new_subject, new_san, profile. */
static json_t *
request(int64_t generation, const char *const text[5])
{
	return json_pack("{s:I, s:[[i, s, s, s, s, s, s]]}", "generation", (json_int_t)generation,
	    "rows", 7, text[0], text[1], "", text[2], text[3], text[4]);
}

static void
end(int64_t generation, int rows)
{
	json_decref(client_data(&fixture, "inventory end",
	    json_pack("{s:I, s:i}", "generation", (json_int_t)generation, "rows", rows)));
}

static void
test_B4_9_rows_are_stored_in_the_form_that_is_compared(void **state)
{
	int64_t g = begin();
	json_t *data;
	const json_t *row;

	(void)state;
	json_decref(client_data(&fixture, "inventory add",
	    request(g, (const char *const[5]){"00:0a:FF", "/o=Maker/cn=a",
			   "/organizationName=x/cn=y", "dns:a.example;ip:10.0.0.1", ""})));
	end(g, 1);
	data = client_data(&fixture, "inventory show", json_pack("{s:s}", "key", "aff"));
	row = json_array_get(json_object_get(data, "items"), 0);
	assert_string_equal(json_string_value(json_object_get(row, "serial")), "0aff");
	assert_string_equal(json_string_value(json_object_get(row, "subject")), "/O=Maker/CN=a");
	assert_string_equal(json_string_value(json_object_get(row, "new_subject")), "/O=x/CN=y");
	assert_string_equal(json_string_value(json_array_get(json_object_get(row, "new_sans"), 1)),
	    "IP:10.0.0.1");
	assert_int_equal(json_integer_value(json_object_get(row, "line")), 7);
	json_decref(data);
}

static void
test_B4_9_a_row_that_makes_no_sense_names_its_line(void **state)
{
	static const char *const rows[][5] = {
	    {"", "", "/CN=x", "", ""},
	    {"xyz", "", "", "", ""},
	    {"a b", "", "", "", ""},
	    {"", "CN=x", "", "", ""},
	    {"", "/", "", "", ""},
	    {"1", "", "x", "", ""},
	    {"1", "", "/", "", ""},
	    {"1", "", "", "a.example", ""},
	    {"1", "", "", "DNS:a;;", ""},
	    {"1", "", "", "", "no such profile"},
	};
	char longest[1100];
	int64_t g = begin();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)client_error(&fixture, "inventory add", request(g, rows[i]), CMPD_EFORMAT);
	}
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	(void)client_error(&fixture, "inventory add",
	    request(g, (const char *const[5]){longest, "", "", "", ""}), CMPD_EFORMAT);
	memset(longest, '1', 130);
	longest[130] = '\0';
	(void)client_error(&fixture, "inventory add",
	    request(g, (const char *const[5]){longest, "", "", "", ""}), CMPD_EFORMAT);
	end(g, 0);
}

static void
test_B4_9_what_is_no_row_is_refused(void **state)
{
	int64_t g = begin();

	(void)state;
	(void)client_error(&fixture, "inventory add",
	    json_pack("{s:I, s:[i]}", "generation", (json_int_t)g, "rows", 1), CMPD_EINVAL);
	(void)client_error(&fixture, "inventory add",
	    json_pack("{s:I, s:[[i, s]]}", "generation", (json_int_t)g, "rows", 1, "a"),
	    CMPD_EINVAL);
	(void)client_error(&fixture, "inventory add",
	    json_pack("{s:I, s:[[i, i, i, i, i, i, i]]}", "generation", (json_int_t)g, "rows", 1, 2,
		3, 4, 5, 6, 7),
	    CMPD_EINVAL);
	(void)client_error(&fixture, "inventory add",
	    json_pack("{s:I, s:s}", "generation", (json_int_t)g, "rows", "x"), CMPD_EINVAL);
}

static void
test_B4_9_of_two_loads_the_later_goes_on(void **state)
{
	static const char *const row[5] = {"1", "", "", "", ""};
	int64_t first = begin(), second = begin();

	(void)state;
	(void)client_error(&fixture, "inventory add", request(first, row), CMPD_ESTATE);
	json_decref(client_data(&fixture, "inventory add", request(second, row)));
	(void)client_error(&fixture, "inventory add", request(second, row), CMPD_EFORMAT);
	(void)client_error(&fixture, "inventory end",
	    json_pack("{s:I, s:i}", "generation", (json_int_t)second, "rows", 2), CMPD_ESTATE);
	end(second, 1);
	json_decref(client_data(&fixture, "inventory remove", json_pack("{s:s}", "key", "01")));
	(void)client_error(&fixture, "inventory remove", json_pack("{s:s}", "key", "01"),
	    CMPD_ENOENT);
	(void)client_error(&fixture, "inventory show", json_pack("{s:s}", "key", "x"), CMPD_EINVAL);
}

int
main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    STORY(test_B4_9_rows_are_stored_in_the_form_that_is_compared),
	    STORY(test_B4_9_a_row_that_makes_no_sense_names_its_line),
	    STORY(test_B4_9_what_is_no_row_is_refused),
	    STORY(test_B4_9_of_two_loads_the_later_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
