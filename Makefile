# SPDX-License-Identifier: GPL-2.0-or-later
# A thin front of scripts/ and tests/, which do the work. Everything generated is in build/.

.DEFAULT_GOAL := help
.PHONY: help setup linux uboot sandbox tools initramfs payload run guest sig-force cmdline-force linux-debug signing-guest kdump-guest demo check check-debug lint series series-check soak soak-kho fuzz fuzz-fs bench bench-update deb update-guest clean

help:		## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20
	@echo
	@echo "  KDIR=<tree> and UBOOT=<tree> use your own source trees instead of the fetched ones."

setup:		## install the Debian packages that building and testing need
	@scripts/packages

linux: setup	## build/linux/arch/arm64/boot/Image
	@scripts/build linux

uboot: setup	## build/u-boot/u-boot.bin
	@scripts/build uboot

sandbox: setup	## build/u-boot-sandbox/u-boot: U-Boot as a program of this machine, for its unit tests
	@scripts/build sandbox

tools: setup	## build/tools/kexec-membuf (arm64, static) and build/kexec-tools/kexec (stock)
	@scripts/build tools
	@scripts/build kexec-tools

guest: tools
	@scripts/build guest
	@scripts/build selftests

initramfs: guest linux
	@scripts/initramfs

payload: setup
	@scripts/payload

demo: linux uboot initramfs payload	## show the main job in QEMU, step by step
	@scripts/demo

sig-force: linux
	@scripts/build linux-sig-force

cmdline-force: linux
	@scripts/build linux-cmdline-force

signing-guest kdump-guest: setup
	@scripts/debian-guest $(@:-guest=)

update-guest: setup
	@scripts/update-guest

run: linux uboot initramfs payload	## U-Boot's prompt in QEMU, with a disk of payloads, to try it by hand
	@scripts/python tests/run/prompt.py

check: linux sig-force cmdline-force uboot sandbox initramfs signing-guest kdump-guest update-guest payload	## run all tests; the last line has the numbers
	@scripts/check

check-debug: check linux-debug	## make check, then the end-to-end tests on a kernel with KASAN, lockdep and UBSAN
	@KEXEC_MEMBUF_IMAGE=$(CURDIR)/build/linux-debug/arch/arm64/boot/Image KEXEC_MEMBUF_TIME_SCALE=5 scripts/check e2e

soak: linux uboot initramfs payload	## 200 kexecs in a row between two slots. ROUNDS=<n>, SEED=<n>, MACHINES=<n>, KHO=1
	@scripts/python tests/run/soak.py $(ROUNDS) $(if $(SEED),--seed $(SEED)) \
		$(if $(MACHINES),--machines $(MACHINES)) $(if $(KHO),--kho)

soak-kho: linux initramfs payload	## 100 kexecs in a row that preserve 1 GiB of memory. HOPS=<n>
	@scripts/python tests/run/soak_kho.py $(HOPS)

fuzz: setup	## run each fuzzer for 10 minutes. SECONDS=<n>, FUZZERS=<names>
	@$(MAKE) -s -C tests/host/fuzz run SECONDS=$(or $(SECONDS),600) $(if $(FUZZERS),FUZZERS="$(FUZZERS)")

linux-debug: setup
	@scripts/build linux-debug

fuzz-fs: linux-debug initramfs	## random operations on the stash for 10 minutes, on a debug kernel in QEMU. SECONDS=<n>, SEED=<n>
	@scripts/python tests/run/fuzz_fs.py $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED))

lint: setup	## checkpatch, sparse, W=1 and kernel-doc on our files; sizes beside their limits
	@scripts/lint

series: setup	## build/series/: both patch series, ready for git am
	@scripts/series

series-check: linux	## compile what each commit of the Linux series touches, with our options and without (long)
	@scripts/series build

bench: linux uboot initramfs payload	## measure every way to kexec and compare with docs/bench, half an hour. BENCH=<options>
	@scripts/python -m bench $(BENCH)

bench-update:	## take the figures of the last make bench into docs/bench
	@scripts/python -m bench --update

deb: setup	## build/kexec-membuf_<version>_arm64.deb: the Debian package of the tool
	@scripts/deb

clean:		## remove build/; the cache of fetched sources and ccache stays
	rm -rf build
