// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An accepted signature is recorded for the next kernel, even if it is set when reboot() is under
 * way already.
 *
 * /Image is this kernel. step=1: a thread sets security.ima of a file of slot b again and again, to
 * a number that grows each time, and prints each accepted one, while slot a is started. step=2:
 * print the number that has arrived. It must not be older than the last one printed.
 */
#include "repro.h"
#include <pthread.h>
#include <sys/xattr.h>

#define CMDLINE "console=ttyAMA0 loglevel=1 retain_initrd step=2 rdinit=/sign"
#define SIGNED STASH "b/kernel"
/* The start of evmctl's signatures */
#define SIGNATURE_TYPE 3

struct signature {
	unsigned char type;
	unsigned char pad[3];
	uint32_t number;
};

static void *sign(void *unused)
{
	struct signature signature = { .type = SIGNATURE_TYPE };

	for (;;) {
		signature.number++;
		if (setxattr(SIGNED, "security.ima", &signature, sizeof(signature), 0)) {
			printf("NOT TAKEN %u: %m\n", signature.number);
			break;
		}
		printf("TAKEN %u\n", signature.number);
		/* Let the serial line keep up */
		usleep(300);
	}
	return unused;
}

int main(void)
{
	static char image[1 << 20];
	struct signature signature = {};
	pthread_t thread;
	char state[32];

	mount_all();
	put_text(VERIFY_AHEAD, "0");
	if (parameter("step", 1) == 2) {
		ssize_t n = getxattr(SIGNED, "security.ima", &signature, sizeof(signature));

		result("state", "%s", get_text(STASH "a/state", state, sizeof(state)));
		result("arrived", "%u", n == sizeof(signature) ? signature.number : 0);
		power_off();
	}
	fake_image(image, sizeof(image));
	put(SIGNED, image, sizeof(image));
	pthread_create(&thread, NULL, sign, NULL);
	result("exec", "%s", name_of(start_in_slot("a", CMDLINE)));
	power_off();
}
