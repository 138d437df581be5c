// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's keys, as far as it shows them
 *
 * A line of /proc/keys:
 *   <serial> <flags> <usage> <timeout> <permissions> <uid> <gid> <type> <description>
 * of an asymmetric key, <description> is
 *   <name>: <what made it>.<algorithm> <last four bytes of the subject key identifier> []
 * and <name>, unless another was given, is
 *   <subject>: <subject key identifier>
 */

#include "keyring.h"
#include "sys.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIELDS_BEFORE	8
#define KEYS_MAX	1024
#define DEPTH_MAX	4
#define BLACKLIST_TYPE	"blacklist"

static const char * const names[NR_KEYRINGS] = {
	[KEYRING_IMA] = ".ima",
	[KEYRING_BUILTIN] = ".builtin_trusted_keys",
	[KEYRING_SECONDARY] = ".secondary_trusted_keys",
	[KEYRING_MACHINE] = ".machine",
	[KEYRING_PLATFORM] = ".platform",
};

const char *keyring_name(enum keyring_id id)
{
	return names[id];
}

/**
 * struct key_line - a line of /proc/keys
 * @serial: serial number
 * @usable: by its flags and timeout
 * @type: start of the type's name
 * @description: the rest
 */
struct key_line {
	u32 serial;
	bool usable;
	const char *type;
	char *description;
};

static bool split_line(char *line, struct key_line *key)
{
	char *field[FIELDS_BEFORE], *end;
	int i;

	for (i = 0; i < FIELDS_BEFORE; i++) {
		line += strspn(line, " ");
		field[i] = line;
		line += strcspn(line, " ");
		if (!*line)
			return false;
		*line++ = '\0';
	}
	key->serial = strtoul(field[0], &end, 16);
	/* I: instantiated; not R, D, U, N or i: revoked, dead, being made, negative, invalidated */
	key->usable = field[1][0] == 'I' && !strpbrk(field[1], "RDUNi") &&
		      strcmp(field[3], "expd");
	key->type = field[7];
	key->description = line + strspn(line, " ");
	return end != field[0] && !*end;
}

/* The hexadecimal digits that a string ends with, as bytes */
static size_t trailing_hex(const char *str, size_t len, u8 *buf, size_t size)
{
	size_t n = 0, i;

	while (n < len && isxdigit(str[len - 1 - n]))
		n++;
	if (!n || n % 2 || n / 2 > size || (n < len && str[len - 1 - n] != ' '))
		return 0;
	for (i = 0; i < n / 2; i++) {
		char byte[3] = { str[len - n + 2 * i], str[len - n + 2 * i + 1] };

		buf[i] = strtoul(byte, NULL, 16);
	}
	return n / 2;
}

static void read_key_id(struct kernel_key *key, char *description)
{
	size_t len = strlen(description), tail_len, full_len;
	u8 tail[4], full[KEY_ID_LEN];
	char *kind;

	if (len < 3 || strcmp(description + len - 3, " []"))
		return;
	description[len - 3] = '\0';
	kind = strrchr(description, ':');
	if (!kind)
		return;
	key->ecdsa = strstr(kind, ".ecdsa");
	tail_len = trailing_hex(description, len - 3, tail, sizeof(tail));
	if (!tail_len)
		return;
	memcpy(key->id.skid, tail, tail_len);
	key->id.skid_len = tail_len;
	/* A name may be anything; only one that ends with the same bytes is what it seems */
	full_len = trailing_hex(description, kind - description, full, sizeof(full));
	if (full_len > tail_len && !memcmp(full + full_len - tail_len, tail, tail_len)) {
		memcpy(key->id.skid, full, full_len);
		key->id.skid_len = full_len;
	}
}

static void add_key(struct keyrings *keyrings, const struct key_line *line)
{
	struct kernel_key *key;

	if (keyrings->nr_keys == KEYS_MAX)
		return;
	if (!keyrings->keys)
		keyrings->keys = xmalloc(KEYS_MAX * sizeof(*keyrings->keys));
	key = &keyrings->keys[keyrings->nr_keys++];
	memset(key, 0, sizeof(*key));
	key->serial = line->serial;
	key->usable = line->usable;
	read_key_id(key, line->description);
}

/**
 * struct rings - the keyrings that /proc/keys shows
 * @serial: their serial numbers
 * @nr: how many there are
 * @known: serial numbers of those that are looked for, or 0
 */
struct rings {
	u32 serial[KEYS_MAX];
	size_t nr;
	u32 known[NR_KEYRINGS];
};

static void add_ring(struct rings *rings, const struct key_line *line)
{
	size_t len = strcspn(line->description, ":");
	int i;

	if (rings->nr < KEYS_MAX)
		rings->serial[rings->nr++] = line->serial;
	for (i = 0; i < NR_KEYRINGS; i++) {
		if (len == strlen(names[i]) && !memcmp(line->description, names[i], len))
			rings->known[i] = line->serial;
	}
}

static void read_lines(FILE *fp, struct keyrings *keyrings, struct rings *rings)
{
	struct key_line key;
	size_t size = 0;
	char *line = NULL;
	ssize_t len;

	while ((len = getline(&line, &size, fp)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		if (!split_line(line, &key))
			continue;
		if (!strcmp(key.type, "keyring")) {
			add_ring(rings, &key);
		} else if (!strncmp(key.type, "asymmetri", 9)) {
			add_key(keyrings, &key);
		} else if (!strcmp(key.type, BLACKLIST_TYPE)) {
			char *more = xasprintf("%s%s\n", keyrings->blacklist ?: "",
					       key.description);

			free(keyrings->blacklist);
			keyrings->blacklist = more;
		}
	}
	free(line);
}

static bool is_ring(const struct rings *rings, u32 serial)
{
	size_t i;

	for (i = 0; i < rings->nr; i++) {
		if (rings->serial[i] == serial)
			return true;
	}
	return false;
}

/* Keyrings in keyrings count: the kernel searches them, too */
static bool mark_members(struct keyrings *keyrings, const struct rings *rings, u32 ring,
			 enum keyring_id id, int depth)
{
	u32 *members = xmalloc(KEYS_MAX * sizeof(*members));
	bool ok = false;
	ssize_t n, i;
	size_t k;

	n = sys_read_keyring(ring, members, KEYS_MAX);
	if (n < 0 || n > KEYS_MAX)
		goto out;
	ok = true;
	for (i = 0; i < n; i++) {
		if (is_ring(rings, members[i]) && depth)
			ok = mark_members(keyrings, rings, members[i], id, depth - 1) && ok;
		for (k = 0; k < keyrings->nr_keys; k++) {
			if (keyrings->keys[k].serial == members[i])
				keyrings->keys[k].keyrings |= 1U << id;
		}
	}
out:
	free(members);
	return ok;
}

static FILE *open_keys(int root)
{
	int fd = openat(root, "proc/keys", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? NULL : fdopen(fd, "r");
}

void keyrings_read(int root, struct keyrings *keyrings)
{
	struct rings *rings = xmalloc(sizeof(*rings));
	FILE *fp = open_keys(root);
	int i;

	memset(keyrings, 0, sizeof(*keyrings));
	memset(rings, 0, sizeof(*rings));
	if (fp) {
		read_lines(fp, keyrings, rings);
		fclose(fp);
	}
	for (i = 0; i < NR_KEYRINGS; i++) {
		keyrings->exists[i] = ANSWER_YES;
		if (!fp) {
			keyrings->exists[i] = ANSWER_UNKNOWN;
			keyrings->why[i] = "/proc/keys cannot be read";
		} else if (!rings->known[i]) {
			/* Those of the kernel are root's */
			keyrings->exists[i] = geteuid() ? ANSWER_UNKNOWN : ANSWER_NO;
			keyrings->why[i] = geteuid() ? "only root may see it" : NULL;
		} else if (!mark_members(keyrings, rings, rings->known[i], i, DEPTH_MAX)) {
			keyrings->why[i] = "it may not be read";
		}
	}
	free(rings);
}

void keyrings_free(struct keyrings *keyrings)
{
	free(keyrings->keys);
	free(keyrings->blacklist);
	memset(keyrings, 0, sizeof(*keyrings));
}

enum answer keyrings_find(const struct keyrings *keyrings, enum keyring_id keyring,
			  const struct key_id *id, const struct kernel_key **key)
{
	size_t i;

	for (i = 0; i < keyrings->nr_keys; i++) {
		*key = &keyrings->keys[i];
		if ((*key)->keyrings & 1U << keyring && (*key)->usable &&
		    key_id_same(id, &(*key)->id))
			return ANSWER_YES;
	}
	*key = NULL;
	return keyrings->why[keyring] ? ANSWER_UNKNOWN : ANSWER_NO;
}

bool keyrings_refuse(const struct keyrings *keyrings, const u8 *digest, size_t len)
{
	char str[DIGEST_HEX_LEN], *line;
	bool found;

	if (!len || !keyrings->blacklist)
		return false;
	line = xasprintf("bin:%s\n", hex(digest, len, str));
	found = strstr(keyrings->blacklist, line);
	free(line);
	return found;
}

enum answer kernel_key_check(const struct kernel_key *key, const struct raw_signature *raw)
{
	char *info;
	int ret;

	if (!raw->hash || !raw->digest_len)
		return ANSWER_UNKNOWN;
	info = xasprintf("enc=%s hash=%s", key->ecdsa ? "x962" : "pkcs1", raw->hash->name);
	ret = sys_verify_with_key(key->serial, info, raw->digest, raw->digest_len, raw->sig,
				  raw->sig_len);
	free(info);
	if (!ret)
		return ANSWER_YES;
	return ret == -EKEYREJECTED || ret == -EBADMSG ? ANSWER_NO : ANSWER_UNKNOWN;
}
