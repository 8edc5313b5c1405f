#include "model/attribute.h"

#include <string.h>
#include <strings.h>

#include "model/der.h"

#define OID(string)                                                                                \
	{                                                                                          \
		(const uint8_t *)(string), sizeof(string) - 1                                      \
	}
/* id-at: 2.5.4 */
#define AT(n) OID("\x55\x04" n)

static const struct attribute attributes[] = {
    {"CN", DER_UTF8_STRING, AT("\x03")},
    {"SN", DER_UTF8_STRING, AT("\x04")},
    {"serialNumber", DER_PRINTABLE_STRING, AT("\x05")},
    {"C", DER_PRINTABLE_STRING, AT("\x06")},
    {"L", DER_UTF8_STRING, AT("\x07")},
    {"ST", DER_UTF8_STRING, AT("\x08")},
    {"street", DER_UTF8_STRING, AT("\x09")},
    {"O", DER_UTF8_STRING, AT("\x0a")},
    {"OU", DER_UTF8_STRING, AT("\x0b")},
    {"title", DER_UTF8_STRING, AT("\x0c")},
    {"description", DER_UTF8_STRING, AT("\x0d")},
    {"businessCategory", DER_UTF8_STRING, AT("\x0f")},
    {"postalCode", DER_UTF8_STRING, AT("\x11")},
    {"telephoneNumber", DER_PRINTABLE_STRING, AT("\x14")},
    {"name", DER_UTF8_STRING, AT("\x29")},
    {"GN", DER_UTF8_STRING, AT("\x2a")},
    {"initials", DER_UTF8_STRING, AT("\x2b")},
    {"generationQualifier", DER_UTF8_STRING, AT("\x2c")},
    {"dnQualifier", DER_PRINTABLE_STRING, AT("\x2e")},
    {"pseudonym", DER_UTF8_STRING, AT("\x41")},
    {"organizationIdentifier", DER_UTF8_STRING, AT("\x61")},
    {"UID", DER_UTF8_STRING, OID("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01")},
    {"DC", DER_IA5_STRING, OID("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19")},
    {"emailAddress", DER_IA5_STRING, OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01")},
    {"unstructuredName", DER_UTF8_STRING, OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x02")},
    {"unstructuredAddress", DER_UTF8_STRING, OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x08")},
};

#define N_ATTRIBUTES (sizeof(attributes) / sizeof(attributes[0]))

const struct attribute *
attribute_by_oid(struct bytes oid)
{
	for (size_t i = 0; i < N_ATTRIBUTES; i++) {
		if (bytes_equal(attributes[i].oid, oid)) {
			return &attributes[i];
		}
	}
	return NULL;
}

const struct attribute *
attribute_by_name(struct bytes name)
{
	for (size_t i = 0; i < N_ATTRIBUTES; i++) {
		if (strlen(attributes[i].name) == name.len &&
		    strncasecmp(attributes[i].name, (const char *)name.data, name.len) == 0) {
			return &attributes[i];
		}
	}
	return NULL;
}
