/* The keys of an endpoint. */
#include "conf/rows.h"

/* signer.x is signer_x of its endpoint. */
#define SIGNER_KEY(key, kind, how, value, allowed, text)                                           \
	{                                                                                          \
		.name = #key, .type = kind, AT(conf_endpoint, signer_##key), .flags = (how),       \
		.initial = (value), allowed, .help = (text)                                        \
	}
/* The same of kga. */
#define KGA_KEY(key, kind, value, allowed, text)                                                   \
	{                                                                                          \
		.name = #key, .type = kind, AT(conf_endpoint, kga_##key),                          \
		.flags = CONF_RELOADABLE, .initial = (value), allowed, .help = (text)              \
	}

static const struct conf_word confirms[] = {
    {"explicit", CONF_CONFIRM_EXPLICIT}, {"implicit", CONF_CONFIRM_IMPLICIT}, {NULL, 0}};

static const struct conf_word mac_algorithms[] = {{"pbm", 0}, {"pbmac1", 0}, {NULL, 0}};

static const struct conf_word mac_hmacs[] = {{"hmac-sha1", 0}, {"hmac-sha224", 0},
    {"hmac-sha256", 0}, {"hmac-sha384", 0}, {"hmac-sha512", 0}, {"hmac-sha3-224", 0},
    {"hmac-sha3-256", 0}, {"hmac-sha3-384", 0}, {"hmac-sha3-512", 0}, {NULL, 0}};

static const struct conf_word recip_nonces[] = {
    {"poll", CONF_RECIP_NONCE_POLL}, {"request", CONF_RECIP_NONCE_REQUEST}, {NULL, 0}};

/* PKIBody tags (RFC 9810). */
static const struct conf_word bodies[] = {{"ir", CONF_BODY(0)}, {"cr", CONF_BODY(2)},
    {"kur", CONF_BODY(7)}, {"p10cr", CONF_BODY(4)}, {"rr", CONF_BODY(11)}, {"genm", CONF_BODY(21)},
    {NULL, 0}};

static const struct conf_word enrolments[] = {{"ir", CONF_BODY(0)}, {"cr", CONF_BODY(2)},
    {"kur", CONF_BODY(7)}, {"p10cr", CONF_BODY(4)}, {NULL, 0}};

static const struct conf_word holdable[] = {
    {"rr", CONF_BODY(11)}, {"genm", CONF_BODY(21)}, {NULL, 0}};

#define SIGNATURES                                                                                 \
	"ecdsa-sha256 ecdsa-sha384 ecdsa-sha512 rsa-sha256 rsa-sha384 rsa-sha512 "                 \
	"rsa-pss-sha256 rsa-pss-sha384 rsa-pss-sha512 ed25519 ed448 "                              \
	"ml-dsa-44 ml-dsa-65 ml-dsa-87"

static const struct conf_row signer_rows[] = {
    SIGNER_KEY(certificate, CONF_FILE, REQUIRED, NULL, ANY,
	"File with the certificate that signs answers, PEM or DER."),
    SIGNER_KEY(key, CONF_KEY, REQUIRED, NULL, ANY, "Its private key: a file or a URI."),
    SIGNER_KEY(pss, CONF_BOOL, CONF_RELOADABLE, "false", ANY,
	"For an RSA key: whether it signs with RSASSA-PSS instead of PKCS #1 v1.5."),
    SIGNER_KEY(chain, CONF_FILE, CONF_RELOADABLE, NULL, ANY,
	"PEM file with the certificates above the signer's, sent along with answers."),
    END};

static const struct conf_section signer = {
    "signer", "Who signs the answers of the endpoint.", sizeof(struct conf_endpoint), signer_rows};

static const struct conf_row ra_rows[] = {
    KEY(conf_ra, name, CONF_STRING, REQUIRED, NULL, CHECK(conf_check_name),
	"Its name, for the log, the operators and the transactions that it opens."),
    KEY(conf_ra, certificate, CONF_FILE, CONF_RELOADABLE, NULL, ANY,
	"File with its certificate, PEM or DER, or with several, such as the one before a renewal: "
	"each of them is this RA. They need the extended key usage *cmcRA*, and no anchor."),
    KEY(conf_ra, reference, CONF_STRING, CONF_RELOADABLE, NULL, ANY,
	"Instead of _certificate_: the reference of the secret that it uses."),
    END};

static const struct conf_section ras = {"ras",
    "Registration authorities of the endpoint, a list of groups. They may ask for certificates for "
    "others, with any names and with raVerified as proof of possession, update the certificate "
    "that oldCertID names, and revoke and revive what the CAs of the endpoint have issued.",
    sizeof(struct conf_ra), ra_rows};
static const struct conf_row kga_rows[] = {
    KGA_KEY(certificate, CONF_FILE, NULL, ANY,
	"PEM file with its certificate and those above it, without the root. Its extended key "
	"usage must have *cmKGA*, by which clients know who may make keys. The key is RSA or EC."),
    KGA_KEY(key, CONF_KEY, NULL, ANY, "Its private key: a file or a URI."),
    KGA_KEY(bare_key, CONF_BOOL, "false", ANY,
	"Whether a key is sent as it is (PrivateKeyInfo) instead of in an AsymmetricKeyPackage: "
	"the client of OpenSSL 3.5 (*openssl cmp -centralkeygen*) reads nothing else."),
    END};

static const struct conf_section kga = {"kga",
    "The key generation authority: signs the keys that are made here (_central_key_).",
    sizeof(struct conf_endpoint), kga_rows};

static const struct conf_word unknowns[] = {
    {"hold", CONF_UNKNOWN_HOLD}, {"deny", CONF_UNKNOWN_DENY}, {NULL, 0}};

static const struct conf_row vendor_rows[] = {
    KEY(conf_vendor, trust, LIST(CONF_FILE), CONF_RELOADABLE, "", ANY,
	"PEM files of the roots of makers of devices. A certificate under them may open nothing "
	"but an *ir* or *p10cr*. One that leads to an anchor of _trust_ too is a requester like "
	"others."),
    KEY(conf_vendor, subject, CONF_STRING, CONF_RELOADABLE, NULL, ANY,
	"The subject that a device gets, made of its factory certificate: a name in which "
	"*%{CN}*, *%{serialNumber}* and its like are attributes of the factory certificate's "
	"subject, *%{issuer.O}* is one of its issuer, and *%{serial}* is its serial number in "
	"lower-case hex. What is missing there, stands there twice, or has characters that "
	"cannot be shown, is a reason to reject the request (badCertTemplate)."),
    KEY(conf_vendor, san, LIST(CONF_STRING), CONF_RELOADABLE, "", ANY,
	"The subject alternative names that it gets, in the same way: *DNS:%{CN}.example*. Values "
	"are letters, digits, dots, hyphens and underscores here. The profile must allow the "
	"kind."),
    KEY(conf_vendor, inventory, CONF_BOOL, CONF_RELOADABLE, "false", ANY,
	"Whether a device must be in the inventory (see *cmpd-ctl inventory load*). What the "
	"inventory says goes before the templates; what it leaves out they say."),
    KEY(conf_vendor, unknown, CONF_ENUM, CONF_RELOADABLE, "hold", WORDS(unknowns),
	"What becomes of a device that the inventory does not know: *hold*: an operator decides; "
	"*deny*: it is rejected (notAuthorized), and nothing is stored."),
    END};

static const struct conf_section vendor = {"vendor",
    "Devices that come with a certificate of their maker. It signs their first request (ir or "
    "p10cr) and counts for nothing else; later ones are signed with what they got. Whatever names "
    "they ask for, they get those that are configured here.",
    sizeof(struct conf_vendor), vendor_rows};

static const struct conf_row endpoint_rows[] = {
    KEY(conf_endpoint, path, CONF_STRING, REQUIRED, NULL, CHECK(conf_check_path),
	"Path of the URL: */.well-known/cmp*, */.well-known/cmp/p/*_name_, or any other outside of "
	"*/.well-known/cmp*, */crl/* and */ca/*. It is compared as it is sent, so it has no *%*, "
	"*//* or *..* in it."),
    KEY(conf_endpoint, profile, CONF_STRING, REQUIRED, NULL, CHECK(conf_check_name),
	"Name of the profile of the certificates that are asked for here."),
    {.name = "signer", .type = CONF_GROUP, .flags = REQUIRED, .section = &signer},
    KEY(conf_endpoint, central_key, LIST(CONF_STRING), CONF_RELOADABLE, "",
	CHECK(conf_check_made_key),
	"Kinds of keys that are made here for a requester that sends no public key (ir, cr, kur): "
	"*ec:* and a curve, *rsa:* and the number of bits (2048 to 4096), *ed25519*, *ed448*. If "
	"the request names an algorithm, the first that fits, else the first. The private key is "
	"sent encrypted to the certificate that signs the request (RSA: keyEncipherment, EC: "
	"keyAgreement) or under the secret, and is not stored. Needs _kga_. Empty: keys are not "
	"made."),
    {.name = "kga", .type = CONF_GROUP, .flags = CONF_RELOADABLE, .section = &kga},
    KEY(conf_endpoint, aliases, LIST(CONF_STRING), CONF_RELOADABLE, "", CHECK(conf_check_path),
	"More paths of this endpoint, for clients that know only those; they may end with a "
	"slash."),
    KEY(conf_endpoint, short_labels, CONF_BOOL, CONF_RELOADABLE, "false", ANY,
	"Whether an operation may stand behind the path in its short form too: *ir*, *cr*, *kur*, "
	"*p10cr*, *rr*, *genm*, *certConf*, *nested*."),
    KEY(conf_endpoint, profiles, LIST(CONF_STRING), CONF_RELOADABLE, "", CHECK(conf_check_name),
	"Profiles that a requester may choose by *certProfile*, besides *profile*."),
    KEY(conf_endpoint, prot_enc_cert, CONF_FILE, CONF_RELOADABLE, NULL, ANY,
	"File with the certificate that is told to who asks for *caProtEncCert*."),
    KEY(conf_endpoint, trust, LIST(CONF_FILE), CONF_RELOADABLE, "", ANY,
	"PEM files of trust anchors: certificates under them authenticate requesters."),
    GROUP(conf_endpoint, vendor),
    KEY(conf_endpoint, extra_root, CONF_BOOL, CONF_RELOADABLE, "false", ANY,
	"Whether extraCerts of answers carry the self-signed root too, for devices that do not "
	"know the operator's CA yet (3GPP TS 33.310). They must have a reason to believe it: that "
	"they "
	"are in a network they trust, or that they compare it later."),
    KEY(conf_endpoint, trust_own, CONF_BOOL, CONF_RELOADABLE, "true", ANY,
	"Whether certificates issued by the CA of this endpoint's profile authenticate "
	"requesters."),
    GROUPS(conf_endpoint, ras, CONF_RELOADABLE),
    KEY(conf_endpoint, ra_trust, LIST(CONF_FILE), CONF_RELOADABLE, "", ANY,
	"PEM files of trust anchors for registration authorities: who has a certificate under them "
	"with the extended key usage *cmcRA* is one, as in _ras_. Its name is its subject, so it "
	"stays the same when its certificate is renewed; if the subject is that of a _certificate_ "
	"in _ras_, the name is the one there. Under _trust_ this extended key usage means "
	"nothing."),
    KEY(conf_endpoint, allow_mac, CONF_BOOL, CONF_RELOADABLE, "true", ANY,
	"Whether secrets (see *cmpd-ctl secret add*) authenticate requesters."),
    KEY(conf_endpoint, bodies, CONF_BITS, CONF_RELOADABLE, "ir cr kur p10cr rr genm", WORDS(bodies),
	"The requests that are served. certConf, pollReq and error always belong to them."),
    KEY(conf_endpoint, check_after, CONF_DURATION, CONF_RELOADABLE, "60s", RANGE(SECOND, YEAR),
	"After what time a client that has to wait is told to ask again; sent in whole seconds."),
    KEY(conf_endpoint, confirm, CONF_ENUM, CONF_RELOADABLE, "explicit", WORDS(confirms),
	"*explicit*: a client must confirm each certificate. *implicit*: it need not, if it asks "
	"for that."),
    KEY(conf_endpoint, confirm_wait, CONF_DURATION, CONF_RELOADABLE, "5m", RANGE(SECOND, 30 * DAY),
	"A certificate that is not confirmed in this time is revoked."),
    KEY(conf_endpoint, entry_ttl, CONF_DURATION, CONF_RELOADABLE, "30d", RANGE(SECOND, 10 * YEAR),
	"A held request that nobody decides expires after this time."),
    KEY(conf_endpoint, decide_wait, CONF_DURATION, CONF_RELOADABLE, "1s", RANGE(0, MINUTE),
	"How long an answer waits for a slow policy plugin before the request is held."),
    KEY(conf_endpoint, message_time_window, CONF_DURATION, CONF_RELOADABLE, "300s",
	RANGE(SECOND, DAY), "How far messageTime may be from our clock, to either side."),
    KEY(conf_endpoint, message_time_required, CONF_BOOL, CONF_RELOADABLE, "true", ANY,
	"Whether messages must carry messageTime. If it is not set but _replay_keep_ is, it is "
	"*false*. *false* needs _replay_keep_ in the same group."),
    KEY(conf_endpoint, strict, CONF_BOOL, CONF_RELOADABLE, "true", ANY,
	"Whether transactionID and senderNonce must have exactly 16 bytes, and the only request of "
	"a message certReqId 0."),
    KEY(conf_endpoint, sender_is_reference, CONF_BOOL, CONF_RELOADABLE, "false", ANY,
	"Whether the sender of a MACed message must be the reference, as common name. The client "
	"of OpenSSL writes the wanted subject there, if it is told one."),
    KEY(conf_endpoint, replay_keep, CONF_DURATION, CONF_RELOADABLE, "24h", RANGE(0, YEAR),
	"How long an ended transaction is remembered, so that it cannot be replayed; at least "
	"twice _message_time_window_ in any case."),
    KEY(conf_endpoint, max_requests, CONF_INT, CONF_RELOADABLE, "1", RANGE(1, 64),
	"Certificates that one message may ask for."),
    KEY(conf_endpoint, max_extra_certs, CONF_INT, CONF_RELOADABLE, "10", RANGE(0, 100),
	"Certificates that a message may carry along in extraCerts."),
    KEY(conf_endpoint, max_nested, CONF_INT, CONF_RELOADABLE, "0", RANGE(0, 1000),
	"Messages that registration authorities (_ras_, _ra_trust_) may bring in one nested "
	"message; each is a request of its own and costs as much. 0: nested messages are not "
	"served. A batch also has to fit "
	"into _body_size_ of _limits_: reckon with 2 KiB for each message."),
    KEY(conf_endpoint, protection_algorithms, LIST(CONF_STRING), CONF_RELOADABLE, SIGNATURES, ANY,
	"Signature algorithms that may protect a message: *ecdsa-sha256*, *rsa-sha384*, "
	"*rsa-pss-sha256*, *ed25519*, *ed448*, *ml-dsa-65* and their like, also with *sha224*, "
	"*sha3-256*, *sha3-384*, *sha3-512*."),
    KEY(conf_endpoint, popo_algorithms, LIST(CONF_STRING), CONF_RELOADABLE, SIGNATURES, ANY,
	"Signature algorithms that may prove the possession of a key."),
    KEY(conf_endpoint, signer_keys, LIST(CONF_STRING), CONF_RELOADABLE,
	"ec:P-256 ec:P-384 ec:P-521 ed25519 ed448 rsa:2048 ml-dsa-44 ml-dsa-65 ml-dsa-87",
	CHECK(conf_check_key_kind),
	"Kinds of keys that may sign messages, as *allowed_keys* of a profile."),
    KEY(conf_endpoint, mac_algorithms, LIST(CONF_STRING), CONF_RELOADABLE, "pbm pbmac1",
	WORDS(mac_algorithms), "Kinds of MAC that may protect a message."),
    KEY(conf_endpoint, mac_hmacs, LIST(CONF_STRING), CONF_RELOADABLE,
	"hmac-sha1 hmac-sha224 hmac-sha256 hmac-sha384 hmac-sha512", WORDS(mac_hmacs),
	"HMACs that a MAC may be made with. *hmac-sha1* is what the client of OpenSSL uses unless "
	"told otherwise."),
    KEY(conf_endpoint, pbkdf2_iterations_min, CONF_INT, CONF_RELOADABLE, "1000", RANGE(1, 10000000),
	"Fewest iterations of PBKDF2 in a PBMAC1."),
    KEY(conf_endpoint, pbkdf2_iterations_max, CONF_INT, CONF_RELOADABLE, "10000",
	RANGE(1000, 10000000), "Most iterations of PBKDF2 in a PBMAC1; some peers use 262144."),
    KEY(conf_endpoint, mac_iterations_per_second, CONF_INT, CONF_RELOADABLE, "1000000",
	RANGE(10000, 1000000000),
	"How many iterations one address may have computed in a second for MACs that turn out to "
	"be wrong; over it its MACed messages get systemUnavail for a while."),
    KEY(conf_endpoint, wrong_macs_per_minute, CONF_INT, CONF_RELOADABLE, "10", RANGE(1, 1000000),
	"How many wrong MACs for one reference value may come from one address (of IPv6: one /64) "
	"in a minute; over it messages with that reference from that address get systemUnavail for "
	"a while. Other addresses and transactions that are open are not held up."),
    KEY(conf_endpoint, pbm_iterations_min, CONF_INT, CONF_RELOADABLE, "100", RANGE(1, 100000),
	"Fewest iterations of a password-based MAC."),
    KEY(conf_endpoint, pbm_iterations_max, CONF_INT, CONF_RELOADABLE, "10000", RANGE(100, 100000),
	"Most iterations of a password-based MAC."),
    KEY(conf_endpoint, recip_nonce, CONF_ENUM, CONF_RELOADABLE, "poll", WORDS(recip_nonces),
	"Which senderNonce the answer that ends polling repeats: that of the last pollReq, as "
	"OpenSSL's client wants it, or that of the first request."),
    KEY(conf_endpoint, p10cr_id_zero, CONF_BOOL, CONF_RELOADABLE, "false", ANY,
	"For clients that want certReqId 0 in the answer to a p10cr, instead of -1."),
    KEY(conf_endpoint, hold, CONF_BITS, CONF_RELOADABLE, "", WORDS(holdable),
	"Requests besides those for certificates that wait for an operator if no plugin decides: "
	"of *rr*, *genm*. A pattern of _policy_ that names a subject decides about revocations of "
	"its certificates too, unless it also has *type*. They are carried out when the client "
	"asks again after the approval (pollReq with certReqId -1, RFC 9810 5.3.22); the client of "
	"OpenSSL does that from 3.5 on, older ones end with an error. Without it they are answered "
	"at once."),
    KEY(conf_endpoint, same_key, CONF_BITS, CONF_RELOADABLE, "", WORDS(enrolments),
	"Requests that may ask for a certificate for a key that has a valid one already, or for "
	"several with one key: of *ir*, *cr*, *kur*, *p10cr*."),
    KEY(conf_endpoint, revoke_updated, CONF_BOOL, CONF_RELOADABLE, "false", ANY,
	"Whether a certificate is revoked, as superseded, when its update (kur) is confirmed."),
    KEY(conf_endpoint, rr_mac, CONF_BOOL, CONF_RELOADABLE, "false", ANY,
	"Whether a secret may revoke the certificates that were obtained with it."),
    KEY(conf_endpoint, rr_again_warning, CONF_BOOL, CONF_RELOADABLE, "false", ANY,
	"Whether a second revocation of a certificate is answered with revocationWarning instead "
	"of a rejection with certRevoked."),
    {.name = "policy",
	.type = CONF_POLICY,
	.flags = CONF_RELOADABLE,
	AT(conf_endpoint, policy),
	.count = offsetof(struct conf_endpoint, n_policy),
	.help = "The plugins that decide, a list of groups. The first that does not pass decides; "
		"if all pass (or there are none), requests for certificates are held. _plugin_ is "
		"the name of a plugin in _plugin_dir_ or the path of a file; all other keys of "
		"the group are the plugin's own: those of *allow* and *exec*, which come along, "
		"are in *cmpd-plugin*(7)."},
    END};

const struct conf_section conf_endpoints = {"endpoints",
    "Where CMP is spoken and how, a list of groups.", sizeof(struct conf_endpoint), endpoint_rows};
