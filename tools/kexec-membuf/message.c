// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PKCS#7 messages
 *
 * libcrypto takes them apart; what is made of them follows the kernel's pkcs7_verify() and
 * pkcs7_validate_trust(): a message must be right in itself, and then one of the certificates from
 * the signer's up, or what issued the last of them, must be one of the kernel's keys.
 */

#include "message.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pkcs7.h>
#include <openssl/x509v3.h>

#include <stdarg.h>
#include <string.h>

typedef STACK_OF(CMS_SignerInfo) cms_signer_stack;

/* SpcIndirectDataContent: what Authenticode signs */
#define OID_INDIRECT_DATA	"1.3.6.1.4.1.311.2.1.4"

__printf(2, 3) static void say(char *why, const char *format, ...)
{
	va_list va;

	va_start(va, format);
	vsnprintf(why, WHY_LEN, format, va);
	va_end(va);
	make_printable(why);
}

static struct link *add_link(struct message *msg)
{
	return msg->nr_links < LINKS_MAX ? &msg->links[msg->nr_links++] : NULL;
}

static const struct hash *algor_hash(const X509_ALGOR *algor)
{
	const ASN1_OBJECT *obj;

	X509_ALGOR_get0(&obj, NULL, NULL, algor);
	return hash_by_nid(OBJ_obj2nid(obj));
}

static void take_skid(struct key_id *id, const ASN1_OCTET_STRING *skid)
{
	if (skid && ASN1_STRING_length(skid) <= KEY_ID_LEN) {
		id->skid_len = ASN1_STRING_length(skid);
		memcpy(id->skid, ASN1_STRING_get0_data(skid), id->skid_len);
	}
}

static void read_cms_signer(struct message *msg, CMS_SignerInfo *info)
{
	struct link *link = add_link(msg);
	ASN1_OCTET_STRING *skid = NULL;
	const ASN1_OCTET_STRING *sig;
	ASN1_INTEGER *serial = NULL;
	X509_NAME *issuer = NULL;
	X509_ALGOR *algor;

	if (CMS_signed_get_attr_count(info) >= 0) {
		say(msg->why, "has signed attributes, which the kernel does not take here");
		return;
	}
	CMS_SignerInfo_get0_algs(info, NULL, NULL, &algor, NULL);
	msg->hash = algor_hash(algor);
	if (!msg->hash)
		say(msg->why, "has a hash algorithm that the kernel does not have");
	CMS_SignerInfo_get0_signer_id(info, &skid, &issuer, &serial);
	take_skid(&link->id, skid);
	link->id.issuer = issuer;
	link->id.serial = serial;
	sig = CMS_SignerInfo_get0_signature(info);
	link->raw.hash = msg->hash;
	link->raw.sig = ASN1_STRING_get0_data(sig);
	link->raw.sig_len = ASN1_STRING_length(sig);
}

void message_read_modsig(struct message *msg, const u8 *buf, size_t len)
{
	cms_signer_stack *infos;
	const u8 *p = buf;

	memset(msg, 0, sizeof(*msg));
	msg->cms = d2i_CMS_ContentInfo(NULL, &p, len);
	if (!msg->cms || OBJ_obj2nid(CMS_get0_type(msg->cms)) != NID_pkcs7_signed) {
		say(msg->why, "is no PKCS#7 message");
		goto out;
	}
	if (OBJ_obj2nid(CMS_get0_eContentType(msg->cms)) != NID_pkcs7_data ||
	    CMS_is_detached(msg->cms) != 1) {
		say(msg->why, "has content of its own");
		goto out;
	}
	infos = CMS_get0_SignerInfos(msg->cms);
	msg->certs = CMS_get1_certs(msg->cms);
	if (sk_CMS_SignerInfo_num(infos) < 1)
		say(msg->why, "has no signer");
	else if (sk_CMS_SignerInfo_num(infos) > 1)
		say(msg->unknown, "has more than one signer");
	else
		read_cms_signer(msg, sk_CMS_SignerInfo_value(infos, 0));
out:
	ERR_clear_error();
}

/* One ASN.1 element: its content, and what is behind it */
static bool next_element(const u8 **p, const u8 *end, int want, const u8 **content, long *len)
{
	int tag, class;

	*content = *p;
	if (ASN1_get_object(content, len, &tag, &class, end - *p) & 0x81)
		return false;
	*p = *content + *len;
	return tag == want && class == V_ASN1_UNIVERSAL;
}

/*
 * SpcIndirectDataContent ::= SEQUENCE { data SEQUENCE {...}, messageDigest DigestInfo }
 *
 * Return: NULL, or its content, which is what the message's signature is of
 */
static const u8 *read_indirect_data(struct message *msg, const ASN1_STRING *str, long *len)
{
	const u8 *p = ASN1_STRING_get0_data(str), *end = p + ASN1_STRING_length(str);
	const u8 *content, *data;
	const ASN1_OCTET_STRING *value;
	const X509_ALGOR *algor;
	X509_SIG *info = NULL;
	long data_len;

	if (!next_element(&p, end, V_ASN1_SEQUENCE, &content, len))
		return NULL;
	p = content;
	end = content + *len;
	if (!next_element(&p, end, V_ASN1_SEQUENCE, &data, &data_len))
		return NULL;
	info = d2i_X509_SIG(NULL, &p, end - p);
	if (!info)
		return NULL;
	X509_SIG_get0(info, &algor, &value);
	msg->hash = algor_hash(algor);
	if (ASN1_STRING_length(value) <= DIGEST_LEN) {
		msg->want_len = ASN1_STRING_length(value);
		memcpy(msg->want, ASN1_STRING_get0_data(value), msg->want_len);
	}
	X509_SIG_free(info);
	return content;
}

/* The signer vouches for its attributes, and one of these for the content */
static const char *read_attributes(const PKCS7_SIGNER_INFO *info, const u8 *content, long len,
				   struct raw_signature *raw)
{
	const ASN1_OCTET_STRING *want;
	unsigned char *attrs = NULL;
	u8 digest[DIGEST_LEN];
	unsigned int n;
	int attrs_len;

	raw->hash = algor_hash(info->digest_alg);
	if (!raw->hash)
		return "has a hash algorithm that the kernel does not have";
	want = info->auth_attr ? PKCS7_digest_from_attributes(info->auth_attr) : NULL;
	if (!want)
		return "has no signed attributes, which the kernel asks for here";
	n = hash_bytes(raw->hash, content, len, digest);
	if (n && (ASN1_STRING_length(want) != (int)n ||
		  memcmp(ASN1_STRING_get0_data(want), digest, n)))
		return "has attributes that do not go with its content";
	attrs_len = ASN1_item_i2d((ASN1_VALUE *)info->auth_attr, &attrs,
				  ASN1_ITEM_rptr(PKCS7_ATTR_VERIFY));
	if (attrs_len > 0)
		raw->digest_len = hash_bytes(raw->hash, attrs, attrs_len, raw->digest);
	OPENSSL_free(attrs);
	raw->sig = ASN1_STRING_get0_data(info->enc_digest);
	raw->sig_len = ASN1_STRING_length(info->enc_digest);
	return NULL;
}

static void read_pkcs7_signer(struct message *msg, const ASN1_TYPE *other)
{
	PKCS7_SIGNER_INFO *info = sk_PKCS7_SIGNER_INFO_value(msg->pkcs7->d.sign->signer_info, 0);
	struct link *link = add_link(msg);
	const u8 *content = NULL;
	const char *why;
	long len;

	if (other && other->type == V_ASN1_SEQUENCE)
		content = read_indirect_data(msg, other->value.sequence, &len);
	if (!content || !msg->want_len) {
		say(msg->why, "has no digest of the image");
		return;
	}
	if (!msg->hash) {
		say(msg->why, "has a hash algorithm that the kernel does not have");
		return;
	}
	why = read_attributes(info, content, len, &link->raw);
	if (why)
		say(msg->why, "%s", why);
	link->id.issuer = info->issuer_and_serial->issuer;
	link->id.serial = info->issuer_and_serial->serial;
}

void message_read_pe(struct message *msg, const u8 *buf, size_t len)
{
	const u8 *p = buf;
	PKCS7_SIGNED *sign;
	char oid[64] = "";

	memset(msg, 0, sizeof(*msg));
	msg->pkcs7 = d2i_PKCS7(NULL, &p, len);
	if (!msg->pkcs7 || !PKCS7_type_is_signed(msg->pkcs7) || !msg->pkcs7->d.sign ||
	    !msg->pkcs7->d.sign->contents) {
		say(msg->why, "is no PKCS#7 message");
		goto out;
	}
	sign = msg->pkcs7->d.sign;
	OBJ_obj2txt(oid, sizeof(oid), sign->contents->type, 1);
	if (strcmp(oid, OID_INDIRECT_DATA)) {
		say(msg->why, "is no Authenticode");
		goto out;
	}
	msg->certs = sign->cert ? X509_chain_up_ref(sign->cert) : NULL;
	if (sk_PKCS7_SIGNER_INFO_num(sign->signer_info) < 1)
		say(msg->why, "has no signer");
	else if (sk_PKCS7_SIGNER_INFO_num(sign->signer_info) > 1)
		say(msg->unknown, "has more than one signer");
	else
		read_pkcs7_signer(msg, sign->contents->d.other);
out:
	ERR_clear_error();
}

static X509 *find_carried(const struct message *msg, const struct key_id *id)
{
	struct key_id other;
	int i;

	for (i = 0; i < sk_X509_num(msg->certs); i++) {
		X509 *x509 = sk_X509_value(msg->certs, i);

		key_id_of_cert(&other, x509);
		/* A signer is named in one way or the other */
		if ((id->issuer || id->skid_len == other.skid_len) && key_id_same(id, &other))
			return x509;
	}
	return NULL;
}

static X509 *find_issuer(const struct message *msg, X509 *x509)
{
	int i;

	for (i = 0; i < sk_X509_num(msg->certs); i++) {
		X509 *other = sk_X509_value(msg->certs, i);

		if (other != x509 && X509_check_issued(other, x509) == X509_V_OK)
			return other;
	}
	return NULL;
}

static const X509_NAME *authority_name(X509 *x509)
{
	const GENERAL_NAMES *names = X509_get0_authority_issuer(x509);
	int i, type;

	for (i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		void *name = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);

		if (type == GEN_DIRNAME)
			return name;
	}
	return NULL;
}

/* The kernel's clock may be wrong: what counts is when it was signed, where the signer says so */
static bool signed_in_time(const struct message *msg, const X509 *x509)
{
	const PKCS7_SIGNER_INFO *info;
	const ASN1_TYPE *attr;

	if (!msg->pkcs7)
		return true;
	info = sk_PKCS7_SIGNER_INFO_value(msg->pkcs7->d.sign->signer_info, 0);
	attr = PKCS7_get_signed_attribute(info, NID_pkcs9_signingTime);
	if (!attr || (attr->type != V_ASN1_UTCTIME && attr->type != V_ASN1_GENERALIZEDTIME))
		return true;
	return ASN1_TIME_compare(attr->value.asn1_string, X509_get0_notBefore(x509)) >= 0 &&
	       ASN1_TIME_compare(attr->value.asn1_string, X509_get0_notAfter(x509)) <= 0;
}

/* From the signer's certificate, which is carried, up to what issued the last one that is */
static void follow_chain(struct message *msg, X509 *x509)
{
	struct raw_signature raw = msg->links[0].raw;
	struct link *link = &msg->links[0];
	X509 *issuer;

	for (;;) {
		switch (raw_signature_check(&raw, x509)) {
		case ANSWER_NO:
			say(msg->why, "does not go with the certificate that it carries");
			return;
		case ANSWER_UNKNOWN:
			say(msg->unknown, "has a kind of signature that libcrypto cannot check");
			return;
		default:
			break;
		}
		key_id_of_cert(&link->id, x509);
		link->raw = raw;
		if (X509_check_issued(x509, x509) == X509_V_OK)
			return;
		raw_signature_of_cert(&raw, x509);
		link = add_link(msg);
		if (!link)
			return;
		issuer = find_issuer(msg, x509);
		if (!issuer)
			break;
		x509 = issuer;
	}
	take_skid(&link->id, X509_get0_authority_key_id(x509));
	link->id.issuer = authority_name(x509);
	link->id.serial = X509_get0_authority_serial(x509);
	link->raw = raw;
	/* Whose certificate does not say who issued it ends the chain */
	if (!link->id.skid_len && (!link->id.issuer || !link->id.serial))
		msg->nr_links--;
}

void message_check(struct message *msg, const struct digest *digest)
{
	struct raw_signature *raw = &msg->links[0].raw;
	X509 *signer;

	if (msg->want_len && (digest->len != msg->want_len ||
			      memcmp(msg->want, digest->value, digest->len))) {
		say(msg->why, "is of other bytes than the file's");
		return;
	}
	if (!msg->want_len) {
		memcpy(raw->digest, digest->value, digest->len);
		raw->digest_len = digest->len;
	}
	signer = find_carried(msg, &msg->links[0].id);
	if (signer && !signed_in_time(msg, signer))
		say(msg->why, "was made when the certificate that it carries was not valid");
	else if (signer)
		follow_chain(msg, signer);
	ERR_clear_error();
}

void message_free(struct message *msg)
{
	CMS_ContentInfo_free(msg->cms);
	PKCS7_free(msg->pkcs7);
	sk_X509_pop_free(msg->certs, X509_free);
	memset(msg, 0, sizeof(*msg));
}
