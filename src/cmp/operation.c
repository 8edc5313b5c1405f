#include <string.h>

#include "cmp/work.h"

static const struct {
	const char *label;
	enum cmp_operation operation;
	int body;
	bool is_short;
} operations[] = {
    {"initialization", CMP_OP_INITIALIZATION, WIRE_IR, false},
    {"certification", CMP_OP_CERTIFICATION, WIRE_CR, false},
    {"keyupdate", CMP_OP_KEYUPDATE, WIRE_KUR, false},
    {"pkcs10", CMP_OP_PKCS10, WIRE_P10CR, false},
    {"p10", CMP_OP_PKCS10, WIRE_P10CR, false},
    {"revocation", CMP_OP_REVOCATION, WIRE_RR, false},
    {"getcacerts", CMP_OP_GETCACERTS, WIRE_GENM, false},
    {"getrootupdate", CMP_OP_GETROOTUPDATE, WIRE_GENM, false},
    {"getcertreqtemplate", CMP_OP_GETCERTREQTEMPLATE, WIRE_GENM, false},
    {"getcrls", CMP_OP_GETCRLS, WIRE_GENM, false},
    {"nested", CMP_OP_NESTED, WIRE_NESTED, false},
    {"ir", CMP_OP_INITIALIZATION, WIRE_IR, true},
    {"cr", CMP_OP_CERTIFICATION, WIRE_CR, true},
    {"kur", CMP_OP_KEYUPDATE, WIRE_KUR, true},
    {"p10cr", CMP_OP_PKCS10, WIRE_P10CR, true},
    {"rr", CMP_OP_REVOCATION, WIRE_RR, true},
    {"genm", CMP_OP_GENM, WIRE_GENM, true},
    {"certConf", CMP_OP_CERTCONF, WIRE_CERTCONF, true},
};

int
cmp_operation_parse(const char *label, size_t len, bool short_forms, enum cmp_operation *ret)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		if ((short_forms || !operations[i].is_short) &&
		    strlen(operations[i].label) == len &&
		    !memcmp(operations[i].label, label, len)) {
			*ret = operations[i].operation;
			return 0;
		}
	}
	return CMPD_ENOENT;
}

int
cmp_operation_body(enum cmp_operation operation)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		if (operations[i].operation == operation) {
			return operations[i].body;
		}
	}
	return -1;
}
