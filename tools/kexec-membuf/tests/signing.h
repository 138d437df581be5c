/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys and signatures, made by the programs that people make them with
 */
#ifndef SIGNING_H
#define SIGNING_H

#include <linux/types.h>

/* Sign "image", as sign-file does it with -noattr */
#define CMS_SIGN	"openssl cms -sign -binary -nosmimecap -outform DER -in image"

/*
 * cmocka's set-up and tear-down of a group: a folder with an authority's key and certificate (ca),
 * those of a signer that it vouches for (signer), and of a stranger (stranger): .key, .pem, .der
 */
int signing_setup(void **state);
int signing_teardown(void **state);

/* Run a command in the folder; the test fails if it does */
__attribute__((__format__(__printf__, 1, 2))) void sh(const char *format, ...);

/* Make a key and a certificate, with extensions as in openssl's configuration */
void signing_make_key(const char *name, const char *extensions, const char *options);

/* Path of a file in the folder; valid until the next call but three */
const char *signing_path(const char *file);

/* A file in the folder: written, and read, to be freed */
void signing_put(const char *file, const void *data, size_t size);
void *signing_get(const char *file, size_t *size);

/* "image": an arm64 Image that is a PE image, too, with something behind its sections */
#define IMAGE_SIZE	0x5008
void signing_make_image(void);

/* Append a PKCS#7 message, a file in the folder, to another file the way sign-file does */
void signing_append(const char *file, const char *message);

/* The subject key identifier of a certificate in hexadecimal, 40 digits; to be freed */
char *signing_skid(const char *pem);

#endif /* SIGNING_H */
