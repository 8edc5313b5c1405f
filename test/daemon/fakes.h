/*
 * The rooms around the daemon as actors with a script: an HTTP side that remembers what it was told to answer, and a door
 * that does what the message says. The store is the real one, in memory.
 *
 * A message is a word and a number:
 *	"grant N"	a unit with an audit line
 *	"plain 0"	an answer with nothing to store
 *	"lose N"	the first N commits lose against somebody else
 *	"think N"	waits for a plugin that answers after N ms
 *	"ask N"		waits for a plugin that has answered before the door returns
 *	"hang 0"	waits for a plugin that never answers
 *	"deaf 0"	still waits when it was told to hold
 *	"fault N"	the door fails with error -N
 *	"batch N"	N messages: the five that end with an answer, in turn; the answer is their first letters
 *	"spoilt N"	the same, but the last one is "fault 8"
 *	"wait N"	N times "hang 0"
 */
#pragma once

#include <stdatomic.h>

#include "base/bytes.h"
#include "daemon/job.h"

struct conf;

struct http_exchange {
	_Atomic int status; /* 0: not answered yet */
	_Atomic int answers;
	char body[64];
};

extern _Atomic int fake_runs; /* of the door */
extern _Atomic int fake_unavailable; /* answers made by cmp_door_unavailable */
extern _Atomic int fake_sweeps, fake_sweeps_in_grace;
extern _Atomic int fake_destroyed; /* snapshots, by their policy */
extern _Atomic int fake_crl_fails; /* so often the next CRLs cannot be made */

struct conf *fake_conf(void);
