/*
 * What is done for each body, once a message is verified. Each adds to the desk's unit and
 * fills work->answer, or remembers a fault (then the unit is dropped and an error message is sent).
 * CMPD_EPARKED: policy is thinking.
 */
#pragma once

#include "cmp/work.h"

int serve_enrolment(struct cmp_work *work) CMPD_MUST_CHECK; /* ir, cr, kur, p10cr */
int serve_poll(struct cmp_work *work) CMPD_MUST_CHECK; /* pollReq */
int serve_cert_conf(struct cmp_work *work) CMPD_MUST_CHECK; /* certConf */
int serve_rr(struct cmp_work *work) CMPD_MUST_CHECK; /* rr */
int serve_error(struct cmp_work *work) CMPD_MUST_CHECK; /* error of the client */
int serve_nested(struct cmp_work *work) CMPD_MUST_CHECK; /* nested: work->inner or a batch */

/* ---- shared by them ---- */

/* What is told of an outcome; a rejection always names a bit. */
struct wire_status_info serve_status_of(const struct desk_outcome *outcome);
/* One log line. */
void serve_log_outcome(struct cmp_work *work, const struct desk_outcome *outcome);

/* An ip, cp or kup from outcomes, in this order; one log line for each. */
int serve_cert_rep(struct cmp_work *work, const struct desk_outcome *outcomes, size_t n,
    bool after_polling) CMPD_MUST_CHECK;
/* Seals body, remembers it in the transaction, closes the transaction if entries (all of it, in the
 * order of txn.ids) are final, and puts the transaction into the unit. */
struct seal_options;
int serve_finish(struct cmp_work *work, struct bytes body, const struct seal_options *options,
    const struct entry *entries) CMPD_MUST_CHECK;
/* The entries of the transaction, in the order of its ids, in pool. */
int serve_entries(struct cmp_work *work, struct entry **ret) CMPD_MUST_CHECK;
/* Before a request is thought about: remembers a fault if there is an entry with its transactionID
 * already. Entries are kept longer than transactions: the id is not free again before both are
 * forgotten. */
int serve_check_new(struct cmp_work *work, int64_t cert_req_id) CMPD_MUST_CHECK;
/* The same, if its sender has as many transactions open as he may. */
int serve_check_room(struct cmp_work *work) CMPD_MUST_CHECK;
/* Begins work->txn, without ids, from a first message. */
void serve_open_txn(struct cmp_work *work);
/* Index of a certReqId in the transaction, -1: none. */
int serve_index_of(const struct txn *txn, int64_t cert_req_id);
