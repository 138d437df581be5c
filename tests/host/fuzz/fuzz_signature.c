// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz what finds and takes apart signatures: the input is security.ima, the end of a file, the
 * headers of a PE image, its entry for the signature, and both kinds of PKCS#7 messages
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "signature.h"

static void demand(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "signature: %s\n", what);
	abort();
}

static void fuzz_xattr(const u8 *data, size_t size)
{
	struct ima_xattr xattr;

	if (!ima_xattr_read(data, size, &xattr) && xattr.data)
		demand(xattr.data > data && xattr.data + xattr.len == data + size,
		       "what security.ima holds is not in it");
}

static void fuzz_modsig(const u8 *data, size_t size)
{
	struct file_range range;

	if (!modsig_find(data, size, size, &range) && range.size)
		demand(range.offset && range.offset + range.size + MODSIG_TRAILER_LEN == size,
		       "an appended signature is not at the end");
}

static void fuzz_pe(const u8 *data, size_t size)
{
	const u64 file_size = size + 0x10000;
	struct file_range range;
	struct pe_image pe;
	u64 end = 0;

	if (!pe_read(data, size, file_size, &pe)) {
		for (size_t i = 0; i < pe.nr_parts; i++) {
			demand(pe.signed_parts[i].offset >= end, "signed parts overlap");
			end = pe.signed_parts[i].offset + pe.signed_parts[i].size;
			demand(end <= file_size, "a signed part is behind the end");
		}
		demand(pe.message.offset + pe.message.size <= file_size,
		       "the message of a PE image is behind the end");
	}
	pe_free(&pe);
	if (!pe_message(data, size, &range))
		demand(range.offset + range.size <= size, "a message is behind the end");
}

static void check_message(struct message *msg)
{
	struct digest digest = { .hash = msg->hash };

	demand(msg->why[0] || msg->unknown[0] || msg->hash, "a message without an algorithm");
	if (!msg->why[0] && !msg->unknown[0]) {
		/* As if the file were what the message says */
		digest.len = msg->want_len ? msg->want_len : 32;
		memcpy(digest.value, msg->want, digest.len);
		message_check(msg, &digest);
	}
	demand(msg->nr_links <= LINKS_MAX, "too long a chain");
	for (size_t i = 0; i < msg->nr_links; i++)
		demand(msg->links[i].id.skid_len <= KEY_ID_LEN &&
		       msg->links[i].raw.digest_len <= DIGEST_LEN, "too long an identifier");
	message_free(msg);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u8 *copy = malloc(size ? size : 1);	/* watched at its end */
	struct message msg;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	fuzz_xattr(copy, size);
	fuzz_modsig(copy, size);
	fuzz_pe(copy, size);
	message_read_modsig(&msg, copy, size);
	check_message(&msg);
	message_read_pe(&msg, copy, size);
	check_message(&msg);
	free(copy);
	return 0;
}
