// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Print the entries that the kernel finds at the start of an initrd, one a line: name, offset and
 * length of its content, then slot, number of the file and whether it is a signature, or the fault,
 * or "-" if it is no payload's. For tests/host/test_pack.py.
 */

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "early_cpio.h"

static void *read_all(const char *path, size_t *len)
{
	FILE *file = fopen(path, "r");
	struct stat st;
	void *buf;

	if (!file || fstat(fileno(file), &st))
		return NULL;
	*len = st.st_size;
	buf = malloc(*len ? *len : 1);
	if (buf && fread(buf, 1, *len, file) != *len)
		return NULL;
	fclose(file);
	return buf;
}

static void print(const struct kexec_stash_cpio_file *file)
{
	char label[KEXEC_STASH_LABEL_LEN];
	unsigned int id;
	const char *why;
	bool sig;
	int ret = kexec_stash_cpio_place(file, label, &id, &sig, &why);

	printf("%s %llu %llu ", file->name, (unsigned long long)file->data,
	       (unsigned long long)file->size);
	if (ret == 1)
		printf("%s %u %d\n", label, id, sig);
	else
		puts(ret ? why : "-");
}

int main(int argc, char **argv)
{
	struct kexec_stash_cpio_file file;
	const char *why;
	size_t len;
	void *buf = argc == 2 ? read_all(argv[1], &len) : NULL;
	u64 pos = 0;
	int ret;

	if (!buf) {
		fprintf(stderr, "usage: list_cpio <file>\n");
		return 2;
	}
	while ((ret = kexec_stash_cpio_next(buf, len, &pos, &file, &why)) == 1)
		print(&file);
	if (ret)
		puts(why);
	free(buf);
	return ret ? 1 : 0;
}
