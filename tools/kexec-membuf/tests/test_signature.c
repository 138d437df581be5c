// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where a file's signatures are: good ones, and every kind of damage
 */

#include "fixture.h"
#include "signing.h"
#include "digest.h"
#include "message.h"
#include "signature.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A copy that ends where the bytes do, so that a read behind them is found */
static u8 *copy_of(const void *data, size_t size)
{
	u8 *copy = xmalloc(size ? size : 1);

	memcpy(copy, data, size);
	return copy;
}

static const char *read_xattr(const void *data, size_t size, struct ima_xattr *xattr)
{
	u8 *copy = copy_of(data, size);
	const char *why = ima_xattr_read(copy, size, xattr);

	free(copy);
	return why;
}

static void signature_in_an_xattr(void **state)
{
	static const u8 good[] = { 3, 2, 4, 0xde, 0xad, 0xbe, 0xef, 0, 3, 'a', 'b', 'c' };
	static const u8 bad[] = { 3, 2, 4, 0xde, 0xad, 0xbe, 0xef, 0, 2, 'a', 'b', 'c' };
	struct ima_xattr xattr;
	size_t n;

	(void)state;
	assert_null(read_xattr(good, sizeof(good), &xattr));
	assert_int_equal(xattr.kind, IMA_KIND_SIGNATURE);
	assert_int_equal(xattr.version, 2);
	assert_int_equal(xattr.algo, 4);
	assert_memory_equal(xattr.key_id, "\xde\xad\xbe\xef", 4);
	assert_int_equal(xattr.len, 3);
	for (n = 1; n < sizeof(good); n++)
		assert_string_equal(read_xattr(good, n, &xattr), "is truncated");
	assert_string_equal(read_xattr(good, 0, &xattr), "is empty");
	assert_string_equal(read_xattr(bad, sizeof(bad), &xattr), "is longer than it says");
}

static void other_things_in_an_xattr(void **state)
{
	u8 buf[40] = { 4, 6 };
	struct ima_xattr xattr;

	(void)state;
	assert_null(read_xattr(buf, 40, &xattr));
	assert_int_equal(xattr.kind, IMA_KIND_HASH);
	assert_int_equal(xattr.algo, 6);
	assert_int_equal(xattr.len, 38);
	assert_string_equal(read_xattr(buf, 1, &xattr), "is truncated");
	/* The old kind says by its length which algorithm it is */
	buf[0] = 1;
	assert_null(read_xattr(buf, 21, &xattr));
	assert_ptr_equal(hash_by_number(xattr.algo), hash_by_name("sha1"));
	assert_null(read_xattr(buf, 17, &xattr));
	assert_ptr_equal(hash_by_number(xattr.algo), hash_by_name("md5"));
	buf[0] = 6;
	buf[1] = 9;
	assert_null(read_xattr(buf, 40, &xattr));
	assert_int_equal(xattr.kind, IMA_KIND_VERITY);
	assert_int_equal(xattr.version, 9);
	assert_null(xattr.data);
	buf[0] = 2;
	assert_null(read_xattr(buf, 40, &xattr));
	assert_int_equal(xattr.kind, IMA_KIND_OTHER);
}

#define MARKER	"~Module signature appended~\n"

struct trailer {
	const char *bytes;
	u64 file_size;
	const char *why;
	u64 size;
};

static void trailers_of_appended_signatures(void **state)
{
	static const struct trailer rows[] = {
		{ "\0\0\2\0\0\0\0\0\0\0\1\2" MARKER, 1000, NULL, 0x102 },
		{ "\0\0\2\0\0\0\0\0\0\0\0\1" MARKER, 42, NULL, 1 },
		/* Not a byte may be left without a signature of it */
		{ "\0\0\2\0\0\0\0\0\0\0\0\1" MARKER, 41, "is longer than the file", 0 },
		{ "\0\0\2\0\0\0\0\0\377\377\377\377" MARKER, 1000, "is longer than the file", 0 },
		{ "\0\0\1\0\0\0\0\0\0\0\1\2" MARKER, 1000, "is no PKCS#7 message", 0 },
		{ "\1\0\2\0\0\0\0\0\0\0\1\2" MARKER, 1000, "has a broken trailer", 0 },
		{ "\0\1\2\0\0\0\0\0\0\0\1\2" MARKER, 1000, "has a broken trailer", 0 },
		{ "\0\0\2\1\0\0\0\0\0\0\1\2" MARKER, 1000, "has a broken trailer", 0 },
		{ "\0\0\2\0\0\0\0\1\0\0\1\2" MARKER, 1000, "has a broken trailer", 0 },
		{ "\0\0\2\0\0\0\0\0\0\0\0\0" MARKER, 1000, "is empty", 0 },
		{ "\0\0\2\0\0\0\0\0\0\0\1\2~Module signature appended~?", 1000, NULL, 0 },
		{ "\0\0\2\0\0\0\0\0\0\0\1\2" MARKER, 40, NULL, 0 },
	};
	struct file_range range;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		u8 *copy = copy_of(rows[i].bytes, MODSIG_TRAILER_LEN);

		why = modsig_find(copy, MODSIG_TRAILER_LEN, rows[i].file_size, &range);
		free(copy);
		if (rows[i].why)
			assert_string_equal(why, rows[i].why);
		else
			assert_null(why);
		assert_int_equal(range.size, rows[i].size);
		if (range.size)
			assert_int_equal(range.offset + range.size + MODSIG_TRAILER_LEN,
					 rows[i].file_size);
	}
}

/* pe_read() of a copy that ends where the bytes do; its parts are the file's, in order */
static const char *read_pe(const u8 *data, size_t len, u64 size, struct pe_image *pe)
{
	u8 *copy = copy_of(data, len);
	const char *why = pe_read(copy, len, size, pe);
	u64 end = 0;
	size_t i;

	for (i = 0; !why && i < pe->nr_parts; i++) {
		assert_true(pe->signed_parts[i].offset >= end);
		end = pe->signed_parts[i].offset + pe->signed_parts[i].size;
		assert_true(end <= size);
	}
	free(copy);
	return why;
}

static void pe_image_cut_anywhere_is_refused(void **state)
{
	struct pe_image pe;
	size_t size, n;
	u8 *data;

	(void)state;
	sh("sbsign --key signer.key --cert signer.pem --output pe image");
	data = signing_get("pe", &size);
	assert_null(read_pe(data, size, size, &pe));
	assert_true(pe.message.size > 1000);
	assert_int_equal(pe.message.offset + pe.message.size, size);
	pe_free(&pe);
	for (n = 0; n < 0x400; n++) {
		read_pe(data, n, size, &pe);
		pe_free(&pe);
		read_pe(data, n, n, &pe);
		assert_int_equal(pe.nr_parts, 0);
		pe_free(&pe);
	}
	/* The file ends early, its headers are whole */
	assert_string_equal(read_pe(data, size, size - 1, &pe), "lies outside of the file");
	pe_free(&pe);
	free(data);
}

/* Refused or read, but nothing outside the headers is touched */
static void pe_image_with_any_bit_flipped_is_survived(void **state)
{
	size_t size, bit, refused = 0;
	struct pe_image pe;
	u8 *data;

	(void)state;
	data = signing_get("pe", &size);
	for (bit = 0; bit < 0x180 * 8; bit++) {
		data[bit / 8] ^= 1 << bit % 8;
		if (read_pe(data, 0x180, size, &pe))
			refused++;
		pe_free(&pe);
		data[bit / 8] ^= 1 << bit % 8;
	}
	assert_in_range(refused, 50, 0x180 * 8);
	free(data);
}

static void entry_of_a_pe_image(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *why;
		u64 size;
	} rows[] = {
		{ "\14\0\0\0\0\2\2\0\x30\2ab", 12, NULL, 4 },
		{ "\20\0\0\0\0\2\2\0\x30\2abcdef", 16, NULL, 4 },
		{ "\20\0\0\0\0\2\2\0\x30\200abcdef", 16, NULL, 8 },
		{ "\20\0\0\0\0\2\2\0\x30\x81\5bcdef", 16, NULL, 8 },
		{ "\20\0\0\0\0\2\2\0\x30\x82\0\4cdef", 16, NULL, 8 },
		{ "\20\0\0\0\0\2\2\0\x30\x82\0\5cdef", 16, "is truncated", 0 },
		{ "\20\0\0\0\0\2\2\0\x30\x83\0\0\4def", 16,
		  "has a length that the kernel does not take", 0 },
		{ "\21\0\0\0\0\2\2\0\x30\2abcdef", 16, "is truncated", 0 },
		{ "\13\0\0\0\0\2\2\0\x30\2abcdef", 16, "is truncated", 0 },
		{ "\20\0\0\0\0\1\2\0\x30\2abcdef", 16, "is no PKCS#7 message", 0 },
		{ "\20\0\0\0\0\2\1\0\x30\2abcdef", 16, "is no PKCS#7 message", 0 },
		{ "\20\0\0\0\0\2\2\0\x31\2abcdef", 16, "is no PKCS#7 message", 0 },
		{ "\20\0\0\0\0\2\2", 7, "is truncated", 0 },
	};
	struct file_range range;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		u8 *copy = copy_of(rows[i].bytes, rows[i].len);

		why = pe_message(copy, rows[i].len, &range);
		free(copy);
		if (rows[i].why)
			assert_string_equal(why, rows[i].why);
		else
			assert_null(why);
		assert_int_equal(range.size, rows[i].size);
	}
}

/* Refused or read, whatever it is; a message is never right once it was changed */
static void messages_with_any_byte_changed_are_survived(void **state)
{
	struct digest digest = { .hash = hash_by_name("sha256") };
	struct message msg;
	size_t size, i, good = 0;
	u8 *data, *copy;

	(void)state;
	sh(CMS_SIGN " -noattr -signer signer.pem -inkey signer.key -out message");
	data = signing_get("image", &size);
	digest.len = hash_bytes(digest.hash, data, size, digest.value);
	free(data);
	data = signing_get("message", &size);
	for (i = 0; i <= size; i++) {
		copy = copy_of(data, size);
		if (i < size)
			copy[i] ^= 0x55;
		message_read_modsig(&msg, copy, size);
		if (!msg.why[0] && !msg.unknown[0] && msg.hash)
			message_check(&msg, &digest);
		/* What is not under the signature (the certificate's own one) may change */
		if (!msg.why[0] && !msg.unknown[0])
			good++;
		if (i == size)
			assert_string_equal(msg.why, "");
		message_free(&msg);
		message_read_pe(&msg, copy, size);
		assert_true(msg.why[0] || msg.unknown[0]);
		message_free(&msg);
		free(copy);
	}
	assert_in_range(good, 1, size / 2);
	free(data);
}

/* Who changes the image and the digest in the message cannot change what is signed */
static void digest_in_a_message_is_signed(void **state)
{
	struct pe_image pe;
	struct file_range range;
	struct message msg;
	size_t size;
	u8 *data, *bytes;

	(void)state;
	data = signing_get("pe", &size);
	assert_null(read_pe(data, size, size, &pe));
	assert_null(pe_message(data + pe.message.offset, pe.message.size, &range));
	bytes = data + pe.message.offset + range.offset;
	message_read_pe(&msg, bytes, range.size);
	assert_string_equal(msg.why, "");
	assert_int_equal(msg.want_len, 32);
	((u8 *)memmem(bytes, range.size, msg.want, 32))[0] ^= 1;
	message_free(&msg);
	message_read_pe(&msg, bytes, range.size);
	assert_string_equal(msg.why, "has attributes that do not go with its content");
	message_free(&msg);
	pe_free(&pe);
	free(data);
}

static void digests_of_parts(void **state)
{
	static const struct file_range parts[] = { { 1, 2 }, { 0xfffff, 2 }, { 0x100003, 1 } };
	struct digest digests[2] = {
		{ .hash = hash_by_name("sha256"), .parts = parts, .nr_parts = 3 },
		{ .hash = hash_by_name("wp512"), .parts = parts, .nr_parts = 3 },
	};
	u8 want[DIGEST_LEN], *data = xmalloc(0x100004);
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i < 0x100004; i++)
		data[i] = i + (i >> 8) + (i >> 16);
	signing_put("parts", data, 0x100004);
	fd = open(signing_path("parts"), O_RDONLY);
	assert_int_equal(digest_file(fd, 0x100004, digests, 2), 0);
	/* Which is what they are one behind the other */
	data[0] = data[1];
	data[1] = data[2];
	data[2] = data[0xfffff];
	data[3] = data[0x100000];
	data[4] = data[0x100003];
	assert_int_equal(hash_bytes(digests[0].hash, data, 5, want), 32);
	assert_int_equal(digests[0].len, 32);
	assert_memory_equal(digests[0].value, want, 32);
	assert_int_equal(digests[1].len, 0);
	/* A file that is shorter than it was */
	lseek(fd, 1, SEEK_SET);
	assert_int_not_equal(digest_file(fd, 0x100004, digests, 1), 0);
	close(fd);
	free(data);
}

static void hash_names_are_the_kernels(void **state)
{
	(void)state;
	assert_string_equal(hash_by_number(2)->name, "sha1");
	assert_string_equal(hash_by_number(4)->name, "sha256");
	assert_string_equal(hash_by_number(6)->name, "sha512");
	assert_string_equal(hash_by_number(17)->name, "sm3");
	assert_string_equal(hash_by_number(22)->name, "sha3-512");
	assert_null(hash_by_number(23));
	assert_null(hash_by_name("sha0"));
	assert_null(hash_by_nid(0));
	assert_int_equal(hash_number(hash_by_name("sha384")), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signature_in_an_xattr),
		cmocka_unit_test(other_things_in_an_xattr),
		cmocka_unit_test(trailers_of_appended_signatures),
		cmocka_unit_test(pe_image_cut_anywhere_is_refused),
		cmocka_unit_test(pe_image_with_any_bit_flipped_is_survived),
		cmocka_unit_test(entry_of_a_pe_image),
		cmocka_unit_test(messages_with_any_byte_changed_are_survived),
		cmocka_unit_test(digest_in_a_message_is_signed),
		cmocka_unit_test(digests_of_parts),
		cmocka_unit_test(hash_names_are_the_kernels),
	};

	return cmocka_run_group_tests_name("kexec-membuf signatures", tests, signing_setup,
					   signing_teardown);
}
