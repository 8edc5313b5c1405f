#include "model/record.h"

static const struct {
	enum request_type type;
	const char *name;
} types[] = {
    {REQUEST_IR, "ir"},
    {REQUEST_CR, "cr"},
    {REQUEST_P10CR, "p10cr"},
    {REQUEST_KUR, "kur"},
    {REQUEST_RR, "rr"},
    {REQUEST_GENM, "genm"},
};

bool
request_type_enrols(enum request_type type)
{
	return type != REQUEST_RR && type != REQUEST_GENM;
}

const char *
request_type_name(enum request_type type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i].type == type) {
			return types[i].name;
		}
	}
	return NULL;
}
