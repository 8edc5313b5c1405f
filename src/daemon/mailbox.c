#include "daemon/mailbox.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct mailbox {
	pthread_mutex_t lock;
	struct letter *first;
	struct letter **end;
	bool rung; /* the I/O thread has been told and has not looked yet */
	int bell;
	struct event *on_bell;
};

static void
on_bell(evutil_socket_t fd, short what, void *arg)
{
	uint64_t n;

	(void)what;
	if (read(fd, &n, sizeof(n)) != sizeof(n)) {
		return; /* a bell that nobody rang */
	}
	mailbox_open(arg);
}

struct mailbox *
mailbox_new(struct event_base *base)
{
	struct mailbox *mailbox = calloc(1, sizeof(*mailbox));

	if (mailbox == NULL) {
		return NULL;
	}
	pthread_mutex_init(&mailbox->lock, NULL);
	mailbox->end = &mailbox->first;
	mailbox->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (mailbox->bell >= 0) {
		mailbox->on_bell =
		    event_new(base, mailbox->bell, EV_READ | EV_PERSIST, on_bell, mailbox);
	}
	if (mailbox->on_bell == NULL || event_add(mailbox->on_bell, NULL) != 0) {
		mailbox_free(mailbox);
		return NULL;
	}
	return mailbox;
}

void
mailbox_free(struct mailbox *mailbox)
{
	if (mailbox == NULL) {
		return;
	}
	if (mailbox->on_bell != NULL) {
		event_free(mailbox->on_bell);
	}
	if (mailbox->bell >= 0) {
		close(mailbox->bell);
	}
	pthread_mutex_destroy(&mailbox->lock);
	free(mailbox);
}

static void
ring(struct mailbox *mailbox)
{
	uint64_t one = 1;
	ssize_t n;

	/* The counter cannot be full: it is rung once per look. */
	n = write(mailbox->bell, &one, sizeof(one));
	(void)n;
}

static void
append(struct mailbox *mailbox, struct letter *letter, bool wake)
{
	bool first = false;

	if (letter != NULL) {
		letter->next = NULL;
	}
	pthread_mutex_lock(&mailbox->lock);
	if (letter != NULL) {
		*mailbox->end = letter;
		mailbox->end = &letter->next;
	}
	if (wake && !mailbox->rung && mailbox->first != NULL) {
		mailbox->rung = true;
		first = true;
	}
	pthread_mutex_unlock(&mailbox->lock);
	if (first) {
		ring(mailbox);
	}
}

void
mailbox_post(struct mailbox *mailbox, struct letter *letter)
{
	append(mailbox, letter, true);
}

void
mailbox_put(struct mailbox *mailbox, struct letter *letter)
{
	append(mailbox, letter, false);
}

void
mailbox_flush(struct mailbox *mailbox)
{
	append(mailbox, NULL, true);
}

void
mailbox_open(struct mailbox *mailbox)
{
	struct letter *letter, *next;

	pthread_mutex_lock(&mailbox->lock);
	letter = mailbox->first;
	mailbox->first = NULL;
	mailbox->end = &mailbox->first;
	mailbox->rung = false;
	pthread_mutex_unlock(&mailbox->lock);
	for (; letter != NULL; letter = next) {
		next = letter->next;
		letter->fn(letter->arg);
	}
}
