/* Any text as a configuration: refused with a message, or printed and read back to the same print. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "conf/conf.h"

/* The scanner of libconfig 1.5 leaks the string it is in when the text has a fault. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:strbuf_append\nleak:libconfig_yylex\n";
}

static void
print(const struct conf *conf, struct buf *out)
{
	buf_init(out, 1 << 24);
	conf_print(conf, out);
	buf_put_u8(out, 0);
	if (buf_error(out) != 0) {
		abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	struct conf *first = NULL, *second = NULL;
	struct diag diag = {""};
	struct buf a, b;

	if (text == NULL) {
		return 0;
	}
	if (conf_parse(text, "fuzz.conf", NULL, &first, &diag) != 0) {
		if (diag.text[0] == '\0') {
			abort();
		}
		free(text);
		return 0;
	}
	print(first, &a);
	if (conf_parse((const char *)a.data, "printed.conf", NULL, &second, &diag) != 0) {
		abort();
	}
	print(second, &b);
	if (!bytes_equal(buf_get0(&a), buf_get0(&b))) {
		abort();
	}
	buf_fini(&a);
	buf_fini(&b);
	conf_free(first);
	conf_free(second);
	free(text);
	return 0;
}
