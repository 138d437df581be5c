#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Start an arm64 kernel in QEMU that stages itself into a slot of the kexec
# stash, loads that in place, and starts it.
#
# usage: vmtest.sh [-d BUILD_DIR] [-k IMAGE] [-j JOBS]
#	-d	where the kernel is built (default: .kexec_stash in the tree)
#	-k	an Image that was built before, in BUILD_DIR or elsewhere
#	-j	jobs of make

set -ue

test_dir=$(realpath "$(dirname "$0")")
kernel_dir=$(realpath "$test_dir/../../../..")
build_dir=$kernel_dir/.kexec_stash
jobs=$(nproc)
image=
cross=${CROSS_COMPILE:-}
tmp=$(mktemp -d)

. "$test_dir/../kselftest/ktap_helpers.sh"

finish() {
	rm -rf "$tmp"
	ktap_finished
}
trap finish EXIT

skip() {
	ktap_test_skip "$1"
	exit "$KSFT_SKIP"
}

in_tree() {
	make -s -C "$kernel_dir" O="$build_dir" ARCH=arm64 CROSS_COMPILE="$cross" \
		-j"$jobs" "$@" || skip "make $*"
}

build_kernel() {
	local option

	in_tree defconfig
	cat "$test_dir/config" >> "$build_dir/.config"
	in_tree olddefconfig
	while read -r option; do
		grep -qxF "$option" "$build_dir/.config" || skip "$option is missing"
	done < "$test_dir/config"
	in_tree Image
	image=$build_dir/arch/arm64/boot/Image
}

# mkinitrd OUT [LINE]: an initramfs with the test, and what else is given
mkinitrd() {
	printf '%s\n' 'dir /dev 0755 0 0' 'dir /proc 0755 0 0' 'dir /sys 0755 0 0' \
		'nod /dev/console 0600 0 0 c 5 1' \
		"file /init $tmp/init 0755 0 0" "${@:2}" > "$tmp/list"
	"$tmp/gen_init_cpio" "$tmp/list" > "$1"
}

make_initrds() {
	in_tree headers_install INSTALL_HDR_PATH="$tmp/usr"
	"${HOSTCC:-gcc}" -o "$tmp/gen_init_cpio" "$kernel_dir/usr/gen_init_cpio.c" &&
		"${cross}gcc" -s -static -Os -nostdinc -nostdlib \
			-fno-asynchronous-unwind-tables -fno-ident -fno-stack-protector \
			-I "$tmp/usr/include" -I "$kernel_dir/tools/include/nolibc" \
			-o "$tmp/init" "$test_dir/init.c" &&
		mkinitrd "$tmp/inner" &&
		mkinitrd "$tmp/initrd" "file /kernel $image 0644 0 0" \
			"file /initrd $tmp/inner 0644 0 0"
}

while getopts 'd:k:j:' option; do
	case $option in
	d) build_dir=$OPTARG ;;
	k) image=$OPTARG ;;
	j) jobs=$OPTARG ;;
	*) exit 1 ;;
	esac
done

ktap_print_header
ktap_set_plan 1
command -v qemu-system-aarch64 > /dev/null || skip "there is no qemu-system-aarch64"
mkdir -p "$build_dir"
[ -n "$image" ] || build_kernel
make_initrds || skip "its initramfs cannot be built"

timeout 300 qemu-system-aarch64 -M virt -cpu max -smp 2 -m 1G -nographic -nodefaults \
	-no-reboot -accel kvm -accel tcg -serial file:"$tmp/serial" \
	-kernel "$image" -initrd "$tmp/initrd" \
	-append "console=ttyAMA0 panic=-1 kexec_stash=a:128M" || true
grep 'kexec.stash: ' "$tmp/serial" | sed 's/^/# /'
if grep -q 'kexec stash: started in place' "$tmp/serial"; then
	ktap_test_pass "a payload is started in place"
else
	ktap_test_fail "a payload is started in place"
fi
