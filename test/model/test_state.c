#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/state.h"

static void
names_are_read_back(void **state)
{
	(void)state;
	for (int i = 0; i < ENTRY_STATES; i++) {
		enum entry_state back = ENTRY_STATES;

		assert_int_equal(entry_state_parse(entry_state_name(i), &back), 0);
		assert_int_equal(back, i);
	}
	assert_null(entry_state_name(ENTRY_STATES));
}

static void
unknown_name_is_refused(void **state)
{
	enum entry_state ret = ENTRY_PENDING;

	(void)state;
	assert_int_equal(entry_state_parse("Pending", &ret), CMPD_EINVAL);
	assert_int_equal(entry_state_parse("", &ret), CMPD_EINVAL);
	assert_int_equal(ret, ENTRY_PENDING);
}

/* One row per line: r p a i c d b e f u o, as the enum counts. */
static void
moves_are_those_of_the_table(void **state)
{
	static const char *const rows[ENTRY_STATES] = {
	    ".xx..x.....", /* received */
	    ".xx..xxx...", /* pending */
	    ".x.xxxxx..x", /* approved */
	    "....x...xx.", /* issued */
	    "...........", /* confirmed */
	    "...........", /* denied */
	    "...........", /* aborted */
	    "...........", /* expired */
	    "...........", /* refused */
	    "...........", /* unconfirmed */
	    "...........", /* done */
	};

	(void)state;
	for (int from = 0; from < ENTRY_STATES; from++) {
		for (int to = 0; to < ENTRY_STATES; to++) {
			assert_int_equal(entry_state_can_move(from, to), rows[from][to] == 'x');
		}
		assert_int_equal(entry_state_is_final(from), strchr(rows[from], 'x') == NULL);
	}
}

static void
numbers_outside_move_nowhere(void **state)
{
	(void)state;
	assert_false(entry_state_can_move(ENTRY_STATES, ENTRY_PENDING));
	assert_false(entry_state_can_move(ENTRY_PENDING, ENTRY_STATES));
	assert_false(entry_state_can_move((enum entry_state) - 1, (enum entry_state) - 1));
	assert_false(entry_state_is_final((enum entry_state)77));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_read_back),
	    cmocka_unit_test(unknown_name_is_refused),
	    cmocka_unit_test(moves_are_those_of_the_table),
	    cmocka_unit_test(numbers_outside_move_nowhere),
	};

	return cmocka_run_group_tests_name("model_state", tests, NULL, NULL);
}
