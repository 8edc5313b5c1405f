#include "conf/rows.h"

/* The size of a map costs only address space. */
#if UINTPTR_MAX > UINT32_MAX
#define MAP_SIZE     "1TiB"
#define MAP_SIZE_MAX (64 * TIB)
#else
#define MAP_SIZE     "512MiB"
#define MAP_SIZE_MAX (2048 * MIB)
#endif

static const struct conf_word log_levels[] = {
    {"error", 0}, {"warning", 0}, {"info", 0}, {"debug", 0}, {NULL, 0}};

static const struct conf_word key_usages[] = {{"digitalSignature", 0}, {"nonRepudiation", 0},
    {"keyEncipherment", 0}, {"dataEncipherment", 0}, {"keyAgreement", 0}, {"keyCertSign", 0},
    {"cRLSign", 0}, {"encipherOnly", 0}, {"decipherOnly", 0}, {NULL, 0}};

static const struct conf_word san_kinds[] = {
    {"dns", 0}, {"ip", 0}, {"email", 0}, {"uri", 0}, {"dirName", 0}, {"otherName", 0}, {NULL, 0}};

static const struct conf_word names[] = {
    {"identity", CONF_NAMES_IDENTITY}, {"any", CONF_NAMES_ANY}, {NULL, 0}};

static const struct conf_row limits_rows[] = {
    KEY(conf_limits, body_size, CONF_SIZE, CONF_RELOADABLE, "64KiB", RANGE(KIB, 16 * MIB),
	"Largest body of an HTTP request; a larger one is answered 413."),
    KEY(conf_limits, header_size, CONF_SIZE, CONF_RELOADABLE, "8KiB", RANGE(KIB, MIB),
	"Largest size of all headers of an HTTP request together."),
    KEY(conf_limits, connections, CONF_INT, CONF_RELOADABLE, "4096", RANGE(1, 1000000),
	"Connections open at the same time. The limit of file descriptors may lower it."),
    KEY(conf_limits, request_deadline, CONF_DURATION, CONF_RELOADABLE, "10s", RANGE(SECOND, HOUR),
	"Time from the first byte of a request to its last; slower senders are cut off."),
    KEY(conf_limits, idle_timeout, CONF_DURATION, CONF_RELOADABLE, "60s", RANGE(SECOND, DAY),
	"How long a kept connection may say nothing."),
    KEY(conf_limits, queue, CONF_INT, 0, "1024", RANGE(1, 1000000),
	"Requests that may wait for a worker; one more is answered 503 with Retry-After."),
    KEY(conf_limits, parked, CONF_INT, CONF_RELOADABLE, "1024", RANGE(1, 1000000),
	"Requests that may wait for a slow policy plugin at the same time."),
    KEY(conf_limits, control_connections, CONF_INT, 0, "16", RANGE(1, 1024),
	"Operators connected to the control socket at the same time."),
    KEY(conf_limits, pending, CONF_INT, CONF_RELOADABLE, "100000", RANGE(1, 1000000000),
	"Requests that may be held for a decision at the same time, all together; one more is "
	"answered systemUnavail."),
    KEY(conf_limits, open_per_secret, CONF_INT, CONF_RELOADABLE, "10000", RANGE(1, 1000000000),
	"Transactions that one secret may have open at the same time; one more is answered "
	"systemUnavail. A transaction is open until all its requests are decided, and their "
	"certificates confirmed."),
    KEY(conf_limits, open_per_certificate, CONF_INT, CONF_RELOADABLE, "100", RANGE(1, 1000000000),
	"The same for what one certificate has signed."),
    KEY(conf_limits, open_per_ra, CONF_INT, CONF_RELOADABLE, "10000", RANGE(1, 1000000000),
	"The same for what one registration authority has asked for in its own name or that of "
	"others."),
    END};

static const struct conf_row control_rows[] = {
    KEY(conf_control, socket, CONF_FILE, 0, "$state_dir/ctl.sock", ANY,
	"The unix socket that *cmpd-ctl*(1) talks to."),
    KEY(conf_control, backup_dir, CONF_FILE, CONF_RELOADABLE, NULL, ANY,
	"The only folder that backups are written to. Without it there are none."),
    KEY(conf_control, admin_users, LIST(CONF_STRING), CONF_RELOADABLE, "", CHECK(conf_check_name),
	"Users who may use the control socket besides root and the user cmpd runs as. They must "
	"also be able to enter its folder; state_dir is closed to them."),
    KEY(conf_control, admin_groups, LIST(CONF_STRING), CONF_RELOADABLE, "", CHECK(conf_check_name),
	"Groups whose members may use the control socket, in the same way."),
    END};

static const struct conf_row store_rows[] = {
    KEY(conf_store, map_size, CONF_SIZE, 0, MAP_SIZE, RANGE(MIB, MAP_SIZE_MAX),
	"Address space kept for the store: the most it can ever hold. It costs nothing until it is "
	"used."),
    KEY(conf_store, key, CONF_FILE, 0, "$state_dir/store.key", ANY,
	"File with the 32 bytes that encrypt the secrets in the store, mode 0600."),
    KEY(conf_store, sync, CONF_BOOL, 0, "true", ANY,
	"Answers leave only when what they speak of is on the disk. *false* is for tests of speed, "
	"never for service."),
    END};

static const struct conf_row retention_rows[] = {
    KEY(conf_retention, entry, CONF_DURATION, CONF_RELOADABLE, "365d", RANGE(MINUTE, 100 * YEAR),
	"How long an entry is kept after its end."),
    KEY(conf_retention, certificate, CONF_DURATION, CONF_RELOADABLE, "365d",
	RANGE(MINUTE, 100 * YEAR), "How long a certificate is kept after it expired."),
    END};

static const struct conf_row previous_rows[] = {
    KEY(conf_previous, certificate, CONF_FILE, REQUIRED, NULL, ANY,
	"File with the certificate that the CA had, PEM or DER."),
    KEY(conf_previous, key, CONF_KEY, CONF_RELOADABLE, NULL, ANY,
	"Its private key: a file or a URI. Without it no CRL is made for what it signed."),
    KEY(conf_previous, chain, CONF_FILE, CONF_RELOADABLE, NULL, ANY,
	"PEM file with the certificates above it, up to the root."),
    END};

static const struct conf_section previous = {"previous",
    "What this CA was before it got another key, a list of groups, the newest first. What it "
    "signed still authenticates, is updated and revoked, and stays in CRLs of its own.",
    sizeof(struct conf_previous), previous_rows};

static const struct conf_row ca_rows[] = {
    KEY(conf_ca, name, CONF_STRING, REQUIRED, NULL, CHECK(conf_check_name),
	"The name that profiles refer to."),
    KEY(conf_ca, certificate, CONF_FILE, REQUIRED, NULL, ANY,
	"File with the certificate of the CA, PEM or DER."),
    KEY(conf_ca, key, CONF_KEY, REQUIRED, NULL, ANY,
	"Its private key: a file, or a URI that a provider of OpenSSL knows, such as *pkcs11:*."),
    KEY(conf_ca, chain, CONF_FILE, CONF_RELOADABLE, NULL, ANY,
	"PEM file with the certificates above this CA, up to the root."),
    KEY(conf_ca, root_new_with_new, CONF_FILE, CONF_RELOADABLE, NULL, ANY,
	"File with the new root certificate, to be told to clients that ask for a root update."),
    KEY(conf_ca, root_new_with_old, CONF_FILE, CONF_RELOADABLE, NULL, ANY,
	"File with the new root's key certified by the old root."),
    KEY(conf_ca, root_old_with_new, CONF_FILE, CONF_RELOADABLE, NULL, ANY,
	"File with the old root's key certified by the new root."),
    KEY(conf_ca, crl_validity, CONF_DURATION, CONF_RELOADABLE, "7d", RANGE(SECOND, 10 * YEAR),
	"How long a CRL is good: nextUpdate is so long after thisUpdate."),
    KEY(conf_ca, crl_renew, CONF_DURATION, CONF_RELOADABLE, "1d", RANGE(SECOND, 10 * YEAR),
	"A new CRL is made after this time even if nothing was revoked; after a revocation it is "
	"made at once. Must be less than _crl_validity_."),
    KEY(conf_ca, publish, CONF_BOOL, CONF_RELOADABLE, "true", ANY,
	"Whether HTTP serves the CRL as */crl/*_name_*.crl* and the certificate of the CA as "
	"*/ca/*_name_*.cer*, and both for each generation with *-* and the first 8 digits of its "
	"id behind the name."),
    GROUPS(conf_ca, previous, CONF_RELOADABLE), END};

static const struct conf_row profile_rows[] = {
    KEY(conf_profile, name, CONF_STRING, REQUIRED, NULL, CHECK(conf_check_name),
	"The name that endpoints refer to."),
    KEY(conf_profile, ca, CONF_STRING, REQUIRED, NULL, CHECK(conf_check_name),
	"Name of the CA that signs."),
    KEY(conf_profile, validity, CONF_DURATION, CONF_RELOADABLE, "90d", RANGE(SECOND, 1000 * YEAR),
	"How long certificates are valid; also the longest a request may ask for."),
    KEY(conf_profile, key_usage, LIST(CONF_STRING), CONF_RELOADABLE, "digitalSignature",
	WORDS(key_usages), "The key usage extension."),
    KEY(conf_profile, extended_key_usage, LIST(CONF_STRING), CONF_RELOADABLE, "",
	CHECK(conf_check_key_purpose),
	"The extended key usage extension: names as OpenSSL has them, such as *clientAuth*, or "
	"dotted numbers."),
    KEY(conf_profile, allowed_keys, LIST(CONF_STRING), CONF_RELOADABLE,
	"ec:P-256 ec:P-384 ec:P-521 ed25519 ed448 rsa:2048", CHECK(conf_check_key_kind),
	"Kinds of keys that get certificates: *ec:* and a curve, *rsa:* and the least number of "
	"bits, *ed25519*, *ed448*, *ml-dsa-65* and its like where the library has them."),
    KEY(conf_profile, san, LIST(CONF_STRING), CONF_RELOADABLE, "", WORDS(san_kinds),
	"Kinds of subject alternative names that may be asked for."),
    KEY(conf_profile, crl_distribution_points, LIST(CONF_STRING), CONF_RELOADABLE, "",
	CHECK(conf_check_url), "URLs of the CRL, put into each certificate."),
    KEY(conf_profile, ca_issuers, LIST(CONF_STRING), CONF_RELOADABLE, "", CHECK(conf_check_url),
	"URLs of the certificate of the CA, put into each certificate."),
    KEY(conf_profile, names, CONF_ENUM, CONF_RELOADABLE, "identity", WORDS(names),
	"Whose names may be asked for. *identity*: those that belong to the requester (the bound "
	"subject of the secret, the names in the signer's certificate); a request for others is "
	"held for an operator. *any*: whatever policy grants."),
    KEY(conf_profile, allow_ca, CONF_BOOL, CONF_RELOADABLE, "false", ANY,
	"Whether certificates of CAs may be made."),
    END};

static const struct conf_section limits = {
    "limits", "Limits against overload.", sizeof(struct conf_limits), limits_rows};
static const struct conf_section control = {
    "control", "The door for operators.", sizeof(struct conf_control), control_rows};
static const struct conf_section store = {
    "store", "The database.", sizeof(struct conf_store), store_rows};
static const struct conf_section retention = {
    "retention", "How long ended things are kept.", sizeof(struct conf_retention), retention_rows};
static const struct conf_section cas = {
    "cas", "The certificate authorities, a list of groups.", sizeof(struct conf_ca), ca_rows};
static const struct conf_section profiles = {"profiles",
    "What certificates look like, a list of groups.", sizeof(struct conf_profile), profile_rows};

static const struct conf_row root_rows[] = {
    KEY(conf, state_dir, CONF_FILE, CONF_REQUIRED, NULL, ANY,
	"Folder of the store; only one cmpd at a time can use it."),
    KEY(conf, listen, LIST(CONF_ADDRESS), 0, "127.0.0.1:8080", ANY,
	"Where HTTP is served: *addr:port*, *[v6]:port* or *unix:path*; addresses are numbers. "
	"Port 0 is any free one. May be empty where systemd passes sockets."),
    KEY(conf, health, CONF_ADDRESS, 0, NULL, ANY,
	"Where */livez* and */readyz* are served. Without it they are not."),
    KEY(conf, proxies, LIST(CONF_STRING), CONF_RELOADABLE, "", CHECK(conf_check_proxy),
	"Proxies in front of cmpd: addresses, or *unix* for whoever connects by a unix socket. "
	"From them the header X-Forwarded-For is believed: it tells policy, log and operators the "
	"client's "
	"address. From others it is "
	"ignored."),
    KEY(conf, workers, CONF_INT, 0, "0", RANGE(0, 1024),
	"Threads that handle requests; 0: one per core."),
    KEY(conf, log_level, CONF_STRING, CONF_RELOADABLE, "info", WORDS(log_levels),
	"The least important lines that are still logged."),
    KEY(conf, plugin_dir, CONF_FILE, CONF_RELOADABLE, CMPD_PLUGIN_DIR, ANY,
	"Folder of the plugins that are given by name."),
    KEY(conf, plugin_threads, CONF_INT, CONF_RELOADABLE, "4", RANGE(1, 256),
	"Threads for policy plugins that may take their time."),
    GROUP(conf, limits), GROUP(conf, control), GROUP(conf, store), GROUP(conf, retention),
    GROUPS(conf, cas, CONF_RELOADABLE), GROUPS(conf, profiles, CONF_RELOADABLE),
    {.name = "endpoints",
	.type = CONF_GROUPS,
	.flags = REQUIRED,
	AT(conf, endpoints),
	.count = offsetof(struct conf, n_endpoints),
	.section = &conf_endpoints},
    END};

const struct conf_section conf_root = {
    "top level", "Keys outside of any group.", sizeof(struct conf), root_rows};
