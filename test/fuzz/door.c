/*
 * Any bytes as the body of an HTTP request, from somebody who has no credential.
 */
#include "mutate_der.h"
#include "world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const size_t fuzz_der_at = 0;

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world *w = world_begin();

	(void)world_hand_in(w, PLACE_HELD, bytes_of(data, size), false);
	return 0;
}
