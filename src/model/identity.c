#include "model/identity.h"

bool
identity_equal(const struct identity *a, const struct identity *b)
{
	if (a->kind != b->kind) {
		return false;
	}
	switch (a->kind) {
	case IDENTITY_SECRET:
		return a->secret != 0 && a->secret == b->secret;
	case IDENTITY_CERTIFICATE:
		return bytes_equal(bytes_of(a->certificate, sizeof(a->certificate)),
		    bytes_of(b->certificate, sizeof(b->certificate)));
	case IDENTITY_RA:
		return a->name.data != NULL && bytes_equal(a->name, b->name);
	case IDENTITY_NONE:
		break;
	}
	/* Nobody is not the same as nobody else. */
	return false;
}
