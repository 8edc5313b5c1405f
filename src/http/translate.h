/*
 * evhttp's own error pages in our words.
 */
#pragma once

#include <stdbool.h>

struct evbuffer;

/*
 * output: of a connection, with an answer that evhttp has just put there and nothing of which has left. If it is one of its error
 * pages, one line of plain text takes its place (the connection is closed after it either way). False: it is something else
 * ("100 Continue") and stays.
 */
bool http_translate(struct evbuffer *output);
