#include "http/translate.h"

#include <event2/buffer.h>
#include <stdio.h>
#include <string.h>

/* By the code evhttp answers with; 0 is what it says to a method it has never heard of. */
static const struct {
	int code;
	const char *status;
	const char *header;
	const char *text;
} translations[] = {
    {0, "405 Method Not Allowed", "Allow: POST\r\n", "only POST is served here"},
    {400, "400 Bad Request", "", "this is not a well-formed HTTP request"},
    {413, "413 Content Too Large", "", "the message is too long"},
    {417, "417 Expectation Failed", "", "only 100-continue can be expected"},
    {501, "405 Method Not Allowed", "Allow: POST\r\n", "only POST is served here"},
};

static void
replace(struct evbuffer *output, const char *status, const char *header, const char *text)
{
	/* The front of a bufferevent's output is frozen against everybody but itself. */
	evbuffer_unfreeze(output, 1);
	evbuffer_drain(output, evbuffer_get_length(output));
	evbuffer_freeze(output, 1);
	evbuffer_add_printf(output,
	    "HTTP/1.1 %s\r\n%sContent-Type: text/plain\r\nContent-Length: %zu\r\n"
	    "Cache-Control: no-store\r\nConnection: close\r\n\r\n%s\n",
	    status, header, strlen(text) + 1, text);
}

bool
http_translate(struct evbuffer *output)
{
	char start[16] = "";
	int code = -1;

	evbuffer_copyout(output, start, sizeof(start) - 1);
	if (sscanf(start, "HTTP/%*d.%*d %d ", &code) != 1) {
		return false;
	}
	for (size_t i = 0; i < sizeof(translations) / sizeof(translations[0]); i++) {
		if (translations[i].code == code) {
			replace(output, translations[i].status, translations[i].header,
			    translations[i].text);
			return true;
		}
	}
	return false;
}
