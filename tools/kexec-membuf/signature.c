// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where a file's signatures are
 *
 * The kernel's own view of each format: struct signature_v2_hdr in security/integrity/integrity.h,
 * struct module_signature in linux/module_signature.h, crypto/asymmetric_keys/verify_pefile.c.
 */

#include "signature.h"
#include "utils.h"

#include <linux/hash_info.h>

#include <stdlib.h>
#include <string.h>

/* enum evm_ima_xattr_type */
#define IMA_XATTR_DIGEST	1
#define EVM_IMA_XATTR_DIGSIG	3
#define IMA_XATTR_DIGEST_NG	4
#define IMA_VERITY_DIGSIG	6

#define SIGNATURE_HDR_LEN	9

static u32 get_le16(const u8 *p)
{
	return p[0] | p[1] << 8;
}

static u32 get_le32(const u8 *p)
{
	return get_le16(p) | get_le16(p + 2) << 16;
}

static u32 get_be16(const u8 *p)
{
	return p[0] << 8 | p[1];
}

static u32 get_be32(const u8 *p)
{
	return get_be16(p) << 16 | get_be16(p + 2);
}

/* struct signature_v2_hdr: type, version, hash_algo, keyid[4], sig_size[2], signature */
static const char *read_signature(const u8 *buf, size_t len, struct ima_xattr *xattr)
{
	if (len < 2)
		return "is truncated";
	xattr->version = buf[1];
	if (xattr->version != 2 && xattr->version != 3)
		return NULL;
	if (len <= SIGNATURE_HDR_LEN)
		return "is truncated";
	xattr->algo = buf[2];
	memcpy(xattr->key_id, buf + 3, sizeof(xattr->key_id));
	xattr->data = buf + SIGNATURE_HDR_LEN;
	xattr->len = len - SIGNATURE_HDR_LEN;
	if (get_be16(buf + 7) != xattr->len)
		return get_be16(buf + 7) > xattr->len ? "is truncated" : "is longer than it says";
	return NULL;
}

const char *ima_xattr_read(const u8 *buf, size_t len, struct ima_xattr *xattr)
{
	memset(xattr, 0, sizeof(*xattr));
	xattr->kind = IMA_KIND_OTHER;
	if (!len)
		return "is empty";
	xattr->type = buf[0];
	switch (buf[0]) {
	case IMA_XATTR_DIGEST:
		xattr->kind = IMA_KIND_HASH;
		xattr->data = buf + 1;
		xattr->len = len - 1;
		xattr->algo = xattr->len == 16 ? HASH_ALGO_MD5 : HASH_ALGO_SHA1;
		return NULL;
	case IMA_XATTR_DIGEST_NG:
		xattr->kind = IMA_KIND_HASH;
		if (len < 2)
			return "is truncated";
		xattr->algo = buf[1];
		xattr->data = buf + 2;
		xattr->len = len - 2;
		return NULL;
	case EVM_IMA_XATTR_DIGSIG:
		xattr->kind = IMA_KIND_SIGNATURE;
		return read_signature(buf, len, xattr);
	case IMA_VERITY_DIGSIG:
		xattr->kind = IMA_KIND_VERITY;
		return read_signature(buf, len, xattr);
	default:
		return NULL;
	}
}

const char *modsig_find(const u8 *tail, size_t len, u64 file_size, struct file_range *message)
{
	static const char marker[] = "~Module signature appended~\n";
	const size_t marker_len = sizeof(marker) - 1;
	static const u8 zero[7];
	u64 room, size;
	const u8 *sig;

	memset(message, 0, sizeof(*message));
	if (file_size <= MODSIG_TRAILER_LEN || len < MODSIG_TRAILER_LEN)
		return NULL;
	if (memcmp(tail + len - marker_len, marker, marker_len))
		return NULL;

	/* algo, hash, id_type, signer_len, key_id_len, pad[3], sig_len[4] */
	sig = tail + len - MODSIG_TRAILER_LEN;
	room = file_size - MODSIG_TRAILER_LEN;
	size = get_be32(sig + 8);
	if (size >= room)
		return "is longer than the file";
	if (sig[2] != 2)
		return "is no PKCS#7 message";
	if (memcmp(sig, zero, 2) || memcmp(sig + 3, zero, 5))
		return "has a broken trailer";
	if (!size)
		return "is empty";
	message->offset = room - size;
	message->size = size;
	return NULL;
}

/**
 * struct pe_layout - the offsets that matter in a PE image's headers
 * @checksum: of the checksum, which is not signed
 * @cert_dirent: of the directory entry of the signature, which is not signed
 * @sections: of the section headers
 * @header_size: size of all headers
 * @nr_sections: how many sections there are
 */
struct pe_layout {
	u64 checksum;
	u64 cert_dirent;
	u64 sections;
	u64 header_size;
	u32 nr_sections;
};

#define MZ_LEN			64
#define PE_HDR_LEN		24
#define DIRENT_LEN		8
#define CERT_DIRENT		4
#define SECTION_LEN		40
#define OPT_MAGIC_PE32		0x10b
#define OPT_MAGIC_PE32_PLUS	0x20b

static const char *read_opt_hdr(const u8 *head, size_t len, u64 pe, u64 file_size,
				struct pe_layout *layout, struct pe_image *image)
{
	u64 opt = pe + PE_HDR_LEN, dirents;
	u32 magic, nr_dirents;
	bool plus;

	magic = get_le16(head + opt);
	plus = magic == OPT_MAGIC_PE32_PLUS;
	if (!plus && magic != OPT_MAGIC_PE32)
		return "is of an image with an unknown header";
	dirents = opt + (plus ? 112 : 96);
	if (dirents > len)
		return "is of an image whose headers are cut off";
	layout->checksum = opt + 64;
	layout->header_size = get_le32(head + opt + 60);
	nr_dirents = get_le32(head + dirents - 4);
	if (dirents >= layout->header_size || layout->header_size >= file_size ||
	    nr_dirents > (layout->header_size - dirents) / DIRENT_LEN)
		return "is of an image whose headers are of a wrong size";
	layout->cert_dirent = dirents + CERT_DIRENT * DIRENT_LEN;
	layout->sections = dirents + (u64)nr_dirents * DIRENT_LEN;
	layout->nr_sections = get_le16(head + pe + 6);
	if (nr_dirents <= CERT_DIRENT)
		return NULL;
	if (layout->sections > len)
		return "is of an image whose headers are cut off";
	image->message.offset = get_le32(head + layout->cert_dirent);
	image->message.size = get_le32(head + layout->cert_dirent + 4);
	return NULL;
}

static int by_address(const void *a, const void *b)
{
	const struct file_range *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static void add_part(struct pe_image *pe, u64 start, u64 end)
{
	pe->signed_parts[pe->nr_parts].offset = start;
	pe->signed_parts[pe->nr_parts++].size = end - start;
}

/* The headers but for two fields, the sections by address, and what is behind them */
static const char *list_parts(const u8 *head, size_t len, u64 file_size,
			      const struct pe_layout *layout, struct pe_image *pe)
{
	u64 hashed = layout->header_size, end = layout->header_size;
	const u8 *section = head + layout->sections;
	size_t i, first;

	if (layout->nr_sections > (layout->header_size - layout->sections) / SECTION_LEN)
		return "is of an image whose headers are of a wrong size";
	if (layout->sections + (u64)layout->nr_sections * SECTION_LEN > len)
		return "is of an image whose headers are cut off";
	pe->signed_parts = xmalloc((layout->nr_sections + 4) * sizeof(*pe->signed_parts));
	add_part(pe, 0, layout->checksum);
	add_part(pe, layout->checksum + 4, layout->cert_dirent);
	add_part(pe, layout->cert_dirent + DIRENT_LEN, layout->header_size);
	first = pe->nr_parts;
	for (i = 0; i < layout->nr_sections; i++, section += SECTION_LEN) {
		u64 size = get_le32(section + 16), addr = get_le32(section + 20);

		if (!size)
			continue;
		add_part(pe, addr, addr + size);
		hashed += size;
	}
	qsort(pe->signed_parts + first, pe->nr_parts - first, sizeof(*pe->signed_parts),
	      by_address);
	for (i = first; i < pe->nr_parts; i++) {
		if (pe->signed_parts[i].offset < end)
			return "is of an image whose sections overlap";
		end = pe->signed_parts[i].offset + pe->signed_parts[i].size;
	}
	if (end > file_size)
		return "is of an image with a section behind its end";
	if (file_size <= hashed)
		return NULL;
	if (file_size - hashed < pe->message.size || hashed < end)
		return "is of a wrong size";
	add_part(pe, hashed, file_size - pe->message.size);
	return NULL;
}

const char *pe_read(const u8 *head, size_t len, u64 file_size, struct pe_image *pe)
{
	struct pe_layout layout;
	const char *why;
	u64 pe_addr;

	memset(pe, 0, sizeof(*pe));
	if (len < MZ_LEN || memcmp(head, "MZ", 2))
		return NULL;
	pe_addr = get_le32(head + 60);
	if (pe_addr < MZ_LEN || pe_addr + PE_HDR_LEN + 2 > len ||
	    memcmp(head + pe_addr, "PE\0", 4))
		return NULL;
	why = read_opt_hdr(head, len, pe_addr, file_size, &layout, pe);
	if (why)
		return why;
	if (!pe->message.offset || !pe->message.size) {
		memset(&pe->message, 0, sizeof(pe->message));
		return NULL;
	}
	if (pe->message.offset < layout.header_size || pe->message.size >= file_size ||
	    pe->message.offset > file_size - pe->message.size)
		return "lies outside of the file";
	return list_parts(head, len, file_size, &layout, pe);
}

/* struct win_certificate: length[4], revision[2], cert_type[2]; then the message and padding */
const char *pe_message(const u8 *entry, size_t len, struct file_range *message)
{
	const u8 *msg = entry + 8;
	u64 size;

	memset(message, 0, sizeof(*message));
	if (len < 8 || get_le32(entry) > len || get_le32(entry) < 8 + 4)
		return "is truncated";
	if (get_le16(entry + 4) != 0x200 || get_le16(entry + 6) != 2)
		return "is no PKCS#7 message";
	len = get_le32(entry) - 8;
	if (msg[0] != 0x30)
		return "is no PKCS#7 message";
	if (msg[1] < 0x80)
		size = msg[1] + 2;
	else if (msg[1] == 0x80)
		size = len;
	else if (msg[1] == 0x81)
		size = msg[2] + 3;
	else if (msg[1] == 0x82)
		size = get_be16(msg + 2) + 4;
	else
		return "has a length that the kernel does not take";
	if (size > len)
		return "is truncated";
	message->offset = 8;
	message->size = size;
	return NULL;
}

void pe_free(struct pe_image *pe)
{
	free(pe->signed_parts);
	memset(pe, 0, sizeof(*pe));
}
