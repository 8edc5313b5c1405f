/*
 * The inventory as the store's own files see it: its state, its keys, and the garbage of earlier loads.
 *
 * Rows belong to the load that brought them, by its generation: what is being loaded stands beside what counts, and
 * one change of the state swaps them. Rows of no generation that counts are garbage and go in slices.
 */
#pragma once

#include "store/internal.h"

#define META_INVENTORY "inventory"
/* Rows that one purge drops. */
#define INVENTORY_SLICE 1000u

int inventory_state_get(struct view *view, struct inventory_state *ret) CMPD_MUST_CHECK;
/* Is anything there that belongs neither to what counts nor to what is being loaded? */
int inventory_has_garbage(struct view *view, const struct inventory_state *state,
    bool *ret) CMPD_MUST_CHECK;

struct key inventory_row_key(uint64_t generation, uint64_t number);
struct key inventory_index_key(uint64_t generation, const uint8_t id[INVENTORY_ID_SIZE]);

/* The conditions and the writes of a unit (unit.h). */
int apply_check_inventory(struct apply *apply, struct op *op) CMPD_MUST_CHECK;
int apply_write_inventory(struct apply *apply) CMPD_MUST_CHECK;
