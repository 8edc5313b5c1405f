/*
 * Letters to the I/O thread. Any thread puts, the event loop opens them in order of arrival.
 */
#pragma once

#include "base/error.h"

struct event_base;
struct mailbox;

/* Lies in what it is about; free again once fn runs. */
struct letter {
	struct letter *next;
	void (*fn)(void *arg);
	void *arg;
};

/* NULL: out of memory or descriptors. */
struct mailbox *mailbox_new(struct event_base *base);
/* Letters that were not opened are dropped. No thread may put any more. */
void mailbox_free(struct mailbox *mailbox);

/* Any thread; cannot fail. */
void mailbox_post(struct mailbox *mailbox, struct letter *letter);
/* The same without waking the I/O thread: mailbox_flush follows, one for many letters. */
void mailbox_put(struct mailbox *mailbox, struct letter *letter);
void mailbox_flush(struct mailbox *mailbox);

/* Opens what is there. I/O thread, or whoever is left when the loop has ended. */
void mailbox_open(struct mailbox *mailbox);
