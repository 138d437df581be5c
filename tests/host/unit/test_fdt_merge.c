// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Merge a staged tree with a running one: a table of both, and of what must be in the next
 * kernel's, or why it is refused
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <linux/kexec_stash_record.h>
#include <linux/libfdt.h>

#include "fdt.h"
#include "tree.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define EDITS_MAX	16

/* Both trees begin as tree_empty(2). In @want an edit is what must be, or must not be, there. */
struct merge {
	const char *name;
	const char *refused;
	void (*check)(const void *fdt);
	struct edit running[EDITS_MAX];
	struct edit staged[EDITS_MAX];
	struct edit want[EDITS_MAX];
};

static const struct kexec_fdt_slot slots[] = {
	{ "a", 0x50000000, 0x8000000 },
	{ "b", 0x60000000, 0x8000000 },
	{ "c", 0x68000000, 0x8000000 },
	{ "high", 0x280000000, 0x8000000 },
};

/* Rows of edits; a node that is not there yet is made */
#define cpu(n, ...)	edit_cells("/cpus/cpu@" n, "reg", __VA_ARGS__)
#define method(n, m)	edit_string("/cpus/cpu@" n, "enable-method", m)
#define psci(n)		method(n, "psci")
#define spin(n)		method(n, "spin-table")
#define release(n, a)	edit_cells("/cpus/cpu@" n, "cpu-release-addr", 0, a)
#define no_release(n)	edit_delete("/cpus/cpu@" n, "cpu-release-addr")
#define status(n, s)	edit_string("/cpus/cpu@" n, "status", s)
#define no_status(n)	edit_delete("/cpus/cpu@" n, "status")
#define PSCI_02		"arm,psci-0.2\0arm,psci\0"
#define RESERVED	"/reserved-memory"
#define reserved(c)	edit_both_cells(RESERVED, c)
#define RANGES		edit_bytes(RESERVED, "ranges", "")
#define region(n, ...)	edit_cells(RESERVED "/" n, "reg", __VA_ARGS__)
#define sized(n, s)	edit_cells(RESERVED "/" n, "size", 0, s)
#define alloc(n, ...)	edit_cells(RESERVED "/" n, "alloc-ranges", __VA_ARGS__)
#define LIES_OVER(n, s)	"its /reserved-memory/" n " lies over slot '" s "'"
#define MAC		"\x52\x54\0\1\2\3"
#define OLD_MAC		"\0\0\0\0\0\0"
#define eth(p, m)	edit_bytes(p, "local-mac-address", m)
#define alias(n, p)	edit_string("/aliases", n, p)
#define FB		"/chosen/framebuffer@70000000"
#define is_fb(p)	edit_string(p, "compatible", "simple-framebuffer")
#define ROOT_CELLS \
	"its root has #address-cells 2 and #size-cells 1, that of the running tree 2 and 2"
#define LEFT_OUT \
	"leaves out the CPU with reg 0x101: if that is not to run, have a node of status \"fail\" for it"
#define UNLIKE_ROOT	" is not the root's, so Linux ignores /reserved-memory"

/* The region that a memory-region names, each by its own tree's phandle */
static void assert_region(const void *fdt, const char *path, const char *region)
{
	int len, node = fdt_path_offset(fdt, path);
	const fdt32_t *val = fdt_getprop(fdt, node, "memory-region", &len);
	int want = fdt_path_offset(fdt, region);

	assert_non_null(val);
	assert_int_equal(len, sizeof(*val));
	assert_true(want > 0);
	assert_int_equal(fdt_node_offset_by_phandle(fdt, fdt32_ld(val)), want);
}

static void fb_has_region(const void *fdt)
{
	assert_region(fdt, FB, RESERVED "/fb@70000000");
}

static void tpm_has_region(const void *fdt)
{
	assert_region(fdt, "/bus/tpm@1", RESERVED "/log@7f000000");
}

static void has_one_psci(const void *fdt)
{
	int node = fdt_node_offset_by_compatible(fdt, -1, "arm,psci");

	assert_true(node > 0);
	assert_string_equal(fdt_getprop(fdt, node, "method", NULL), "smc");
	assert_int_equal(fdt_node_offset_by_compatible(fdt, node, "arm,psci"), -FDT_ERR_NOTFOUND);
}

static void every_psci_is_smc(const void *fdt)
{
	int node = -1, n = 0;

	while ((node = fdt_node_offset_by_compatible(fdt, node, "arm,psci")) >= 0) {
		assert_string_equal(fdt_getprop(fdt, node, "method", NULL), "smc");
		n++;
	}
	assert_true(n > 0);
}

static const struct merge rows[] = {
	/* CPUs */
	{ "a board's spin-table, firmware has psci", NULL, NULL,
	  { cpu("0", 0), psci("0"), cpu("1", 1), psci("1") },
	  { cpu("0", 0), spin("0"), release("0", 0xd8), cpu("1", 1), spin("1"),
	    release("1", 0xe0) },
	  { psci("0"), no_release("0"), psci("1"), no_release("1"), no_status("0") } },
	{ "a board's psci, firmware has a spin-table", NULL, NULL,
	  { cpu("0", 0), spin("0"), release("0", 0xd8), cpu("1", 1), spin("1"),
	    release("1", 0xe0) },
	  { cpu("0", 0), psci("0"), cpu("1", 1), psci("1") },
	  { spin("0"), release("0", 0xd8), spin("1"), release("1", 0xe0) } },
	{ "a board without a method", NULL, NULL,
	  { cpu("0", 0), psci("0") }, { cpu("0", 0) },
	  { psci("0") } },
	{ "CPUs by MPIDR, not by name", NULL, NULL,
	  { cpu("a", 0x100), spin("a"), release("a", 1), cpu("b", 0), spin("b"), release("b", 2) },
	  { cpu("0", 0), psci("0"), cpu("1", 0x100), psci("1") },
	  { spin("0"), release("0", 2), spin("1"), release("1", 1) } },
	{ "CPUs by MPIDR of one cell and of two", NULL, NULL,
	  { cpu("0", 0, 0x100), psci("0") },
	  { cpu("100", 0x100) }, { psci("100"), no_status("100") } },
	{ "a CPU that is not there", NULL, NULL,
	  { cpu("0", 0), psci("0") },
	  { cpu("0", 0), cpu("1", 1), psci("1") },
	  { no_status("0"), status("1", "fail") } },
	{ "a CPU of another cluster that is not there", NULL, NULL,
	  { cpu("0", 0, 0), psci("0") },
	  { cpu("0", 0, 0), cpu("1", 1, 0) },
	  { no_status("0"), status("1", "fail") } },
	{ "a CPU without a number", NULL, NULL,
	  { cpu("0", 0) },
	  { cpu("0", 0), edit_node("/cpus/cpu@x") },
	  { edit_string("/cpus/cpu@x", "status", "fail") } },
	{ "a CPU that firmware found broken", NULL, NULL,
	  { cpu("0", 0), cpu("1", 1), status("1", "fail-sss") },
	  { cpu("0", 0), cpu("1", 1), status("1", "okay") },
	  { status("1", "fail") } },
	{ "a broken CPU that the board leaves out", NULL, NULL,
	  { cpu("0", 0), cpu("1", 1), status("1", "fail") },
	  { cpu("0", 0) }, { edit_delete_node("/cpus/cpu@1") } },
	{ "a CPU that the board has no use for", NULL, NULL,
	  { cpu("0", 0), cpu("1", 1), psci("1") },
	  { cpu("0", 0), cpu("1", 1), status("1", "fail") },
	  { status("1", "fail"), no_status("0") } },
	{ "a CPU left out", LEFT_OUT, NULL,
	  { cpu("0", 0), cpu("101", 0x101) },
	  { cpu("0", 0) }, { } },
	{ "no CPUs in a board's tree", NULL, NULL,
	  { edit_cells("/cpus", "#address-cells", 1),
	    edit_cells("/cpus", "#size-cells", 0), cpu("0", 0), psci("0"), cpu("1", 1), psci("1"),
	    edit_cells("/cpus/cpu@1", "next-level-cache", 5) },
	  { edit_cells("/cpus", "#address-cells", 2),
	    edit_node("/cpus/idle-states") },
	  { cpu("0", 0), psci("0"), cpu("1", 1), psci("1"), edit_node("/cpus/idle-states"),
	    edit_delete("/cpus/cpu@1", "next-level-cache"),
	    edit_cells("/cpus", "#address-cells", 1), edit_cells("/cpus", "#size-cells", 0) } },
	{ "no /cpus in a board's tree", NULL, NULL,
	  { cpu("0", 0), psci("0") }, { }, { cpu("0", 0), psci("0") } },
	{ "no CPUs in the running tree", NULL, NULL, { },
	  { cpu("0", 0), spin("0"), release("0", 0xd8) },
	  { spin("0"), release("0", 0xd8), no_status("0") } },
	{ "a CPU by its device_type", NULL, NULL,
	  { cpu("0", 0), psci("0") },
	  { edit_node("/cpus/PowerPC,970@0"),
	    edit_string("/cpus/PowerPC,970@0", "device_type", "cpu"),
	    edit_cells("/cpus/PowerPC,970@0", "reg", 0), edit_node("/cpus/cpu-map") },
	  { edit_string("/cpus/PowerPC,970@0", "enable-method", "psci"),
	    edit_delete("/cpus/cpu-map", "status") } },

	/* How they are started */
	{ "psci of the running tree wins", NULL, has_one_psci,
	  { edit_node("/psci"), edit_bytes("/psci", "compatible", PSCI_02),
	    edit_string("/psci", "method", "smc"), edit_cells("/psci", "cpu_on", 3),
	    edit_cells("/psci", "phandle", 3) },
	  { edit_node("/psci"), edit_bytes("/psci", "compatible", "arm,psci-1.0\0arm,psci\0"),
	    edit_string("/psci", "method", "hvc"), edit_cells("/psci", "cpu_on", 1),
	    edit_cells("/psci", "#power-domain-cells", 0), edit_cells("/psci", "phandle", 9),
	    edit_node("/psci/power-domain-cpu0") },
	  { edit_bytes("/psci", "compatible", PSCI_02), edit_cells("/psci", "cpu_on", 3),
	    edit_cells("/psci", "#power-domain-cells", 0), edit_cells("/psci", "phandle", 9),
	    edit_node("/psci/power-domain-cpu0") } },
	{ "psci by compatible, not by path", NULL, has_one_psci,
	  { edit_node("/psci"), edit_bytes("/psci", "compatible", PSCI_02),
	    edit_string("/psci", "method", "smc") },
	  { edit_node("/firmware"), edit_node("/firmware/psci"),
	    edit_bytes("/firmware/psci", "compatible", PSCI_02),
	    edit_string("/firmware/psci", "method", "hvc") },
	  { edit_delete_node("/psci"), edit_string("/firmware/psci", "method", "smc") } },
	{ "psci below /firmware, a board's at the root", NULL, every_psci_is_smc,
	  { edit_node("/firmware"), edit_node("/firmware/psci"),
	    edit_bytes("/firmware/psci", "compatible", PSCI_02),
	    edit_string("/firmware/psci", "method", "smc") },
	  { edit_node("/psci"), edit_bytes("/psci", "compatible", PSCI_02),
	    edit_string("/psci", "method", "hvc") }, { } },
	{ "psci that a board's tree lacks", NULL, has_one_psci,
	  { edit_node("/psci"), edit_bytes("/psci", "compatible", PSCI_02),
	    edit_string("/psci", "method", "smc") }, { }, { edit_node("/psci") } },
	{ "psci that a board's tree lacks, below /firmware", NULL, has_one_psci,
	  { edit_node("/firmware"), edit_node("/firmware/psci"),
	    edit_bytes("/firmware/psci", "compatible", PSCI_02),
	    edit_string("/firmware/psci", "method", "smc") }, { },
	  { edit_node("/firmware/psci"), edit_delete_node("/psci") } },
	{ "psci that is not there", NULL, NULL,
	  { cpu("0", 0), spin("0"), release("0", 0xd8) },
	  { edit_node("/psci"), edit_bytes("/psci", "compatible", PSCI_02),
	    edit_node("/firmware"), edit_node("/firmware/psci"),
	    edit_string("/firmware/psci", "compatible", "arm,psci-1.0") },
	  { edit_delete_node("/psci"), edit_delete_node("/firmware/psci"),
	    edit_node("/firmware") } },
	{ "psci, and no CPUs told of", NULL, NULL, { },
	  { edit_node("/psci"), edit_bytes("/psci", "compatible", PSCI_02) },
	  { edit_node("/psci") } },

	/* MAC addresses */
	{ "MAC address by alias, not by path", NULL, NULL,
	  { alias("ethernet0", "/eth@1"), eth("/eth@1", MAC) },
	  { alias("ethernet0", "/soc"), eth("/soc", OLD_MAC), eth("/eth@1", OLD_MAC) },
	  { edit_bytes("/soc", "local-mac-address", MAC),
	    edit_bytes("/eth@1", "local-mac-address", OLD_MAC) } },
	{ "MAC address by path, where no alias is", NULL, NULL,
	  { alias("ethernet0", "/eth@1"), eth("/eth@1", MAC) }, { eth("/eth@1", OLD_MAC) },
	  { edit_bytes("/eth@1", "local-mac-address", MAC), edit_delete_node("/aliases") } },
	{ "both kinds of MAC address, by an alias to nowhere", NULL, NULL,
	  { alias("ethernet7", "/eth@1"), eth("/eth@1", OLD_MAC),
	    edit_bytes("/eth@1", "mac-address", MAC) },
	  { alias("ethernet7", "/nowhere"), edit_node("/eth@1") },
	  { edit_bytes("/eth@1", "mac-address", MAC),
	    edit_bytes("/eth@1", "local-mac-address", OLD_MAC) } },
	{ "MAC address for nobody", NULL, NULL,
	  { alias("ethernet0", "/eth@1"), eth("/eth@1", MAC) }, { edit_node("/eth@2") },
	  { edit_delete_node("/eth@1"), edit_delete("/eth@2", "local-mac-address") } },
	{ "aliases of other kinds, and none that is a path", NULL, NULL,
	  { alias("serial0", "/uart"), eth("/uart", MAC), edit_string("/aliases", "ethernet0", "x"),
	    edit_bytes("/aliases", "ethernet1", "/uart") },
	  { edit_node("/uart") }, { edit_delete("/uart", "local-mac-address") } },
	{ "a staged alias that is no string", NULL, NULL,
	  { alias("ethernet0", "/eth@1"), eth("/eth@1", MAC) },
	  { edit_node("/aliases"), edit_bytes("/aliases", "ethernet0", "/eth@2"),
	    edit_node("/eth@1"), edit_node("/eth@2") },
	  { edit_bytes("/eth@1", "local-mac-address", MAC),
	    edit_delete("/eth@2", "local-mac-address") } },

	/* Frame buffers */
	{ "frame buffer with its memory", NULL, fb_has_region,
	  { reserved(2), RANGES, region("fb@70000000", 0, 0x70000000, 0, 0x800000),
	    edit_cells(RESERVED "/fb@70000000", "phandle", 1), edit_node("/chosen"), is_fb(FB),
	    edit_cells(FB, "memory-region", 1), edit_cells(FB, "width", 800),
	    edit_cells(FB, "clocks", 3, 4), edit_cells(FB, "panel-supply", 3) },
	  { edit_node("/clock"), edit_cells("/clock", "phandle", 1) },
	  { edit_cells(FB, "width", 800), edit_delete(FB, "clocks"),
	    edit_delete(FB, "panel-supply"), edit_cells("/clock", "phandle", 1) } },
	{ "frame buffer whose memory a board's tree has", NULL, fb_has_region,
	  { reserved(2), RANGES, region("fb@70000000", 0, 0x70000000, 0, 0x800000),
	    edit_cells(RESERVED "/fb@70000000", "phandle", 1), edit_node("/chosen"), is_fb(FB),
	    edit_cells(FB, "memory-region", 1) },
	  { reserved(2), RANGES, region("fb@70000000", 0, 0x70000000, 0, 0x1000) },
	  { edit_cells(RESERVED "/fb@70000000", "reg", 0, 0x70000000, 0, 0x800000) } },
	{ "frame buffer that a board's tree has", NULL, NULL,
	  { edit_node("/chosen"), is_fb(FB), edit_cells(FB, "width", 800),
	    edit_cells(FB, "clocks", 3, 4) },
	  { edit_node("/chosen"), is_fb(FB), edit_cells(FB, "width", 640),
	    edit_cells(FB, "clocks", 9), edit_string(FB, "status", "disabled"),
	    edit_cells(FB, "phandle", 7) },
	  { edit_cells(FB, "width", 800), edit_cells(FB, "clocks", 9), edit_delete(FB, "status"),
	    edit_cells(FB, "phandle", 7) } },
	{ "frame buffer in ranges of its own", NULL, NULL,
	  { edit_node("/chosen"), edit_cells("/chosen", "#address-cells", 2),
	    edit_cells("/chosen", "#size-cells", 2), edit_bytes("/chosen", "ranges", ""), is_fb(FB),
	    edit_cells(FB, "reg", 0, 0x70000000, 0, 0x1000) }, { },
	  { edit_cells("/chosen", "#size-cells", 2), edit_bytes("/chosen", "ranges", ""),
	    edit_cells(FB, "reg", 0, 0x70000000, 0, 0x1000) } },
	{ "frame buffer in cells that a board's tree has not", NULL, NULL,
	  { edit_node("/chosen"), edit_cells("/chosen", "#address-cells", 2), is_fb(FB) },
	  { edit_node("/chosen"), edit_cells("/chosen", "#address-cells", 1) },
	  { edit_delete_node(FB), edit_cells("/chosen", "#address-cells", 1) } },
	{ "frame buffer whose memory is nowhere", NULL, NULL,
	  { edit_node("/chosen"), is_fb(FB), edit_cells(FB, "memory-region", 77) }, { },
	  { edit_node(FB), edit_delete(FB, "memory-region") } },
	{ "other nodes of /chosen", NULL, NULL,
	  { edit_node("/chosen"), edit_node("/chosen/other"),
	    edit_string("/chosen/other", "compatible", "x") }, { },
	  { edit_delete_node("/chosen/other") } },

	/* The TPM's log */
	{ "log of a TPM, by path", NULL, NULL,
	  { edit_node("/bus"), edit_node("/bus/tpm@1"),
	    edit_cells("/bus/tpm@1", "linux,sml-base", 0, 0x7f000000),
	    edit_cells("/bus/tpm@1", "linux,sml-size", 0x1000) },
	  { edit_node("/bus"), edit_node("/bus/tpm@1"),
	    edit_cells("/bus/tpm@1", "linux,sml-base", 0, 0x50000000) },
	  { edit_cells("/bus/tpm@1", "linux,sml-base", 0, 0x7f000000),
	    edit_cells("/bus/tpm@1", "linux,sml-size", 0x1000) } },
	{ "log of a TPM, by compatible", NULL, NULL,
	  { edit_node("/tpm@1"), edit_bytes("/tpm@1", "compatible", "x,y\0tcg,tpm-tis-mmio\0"),
	    edit_cells("/tpm@1", "linux,sml-base", 0, 0x7f000000) },
	  { edit_node("/bus"), edit_node("/bus/tpm@1"),
	    edit_string("/bus/tpm@1", "compatible", "tcg,tpm-tis-mmio") },
	  { edit_cells("/bus/tpm@1", "linux,sml-base", 0, 0x7f000000),
	    edit_delete_node("/tpm@1") } },
	{ "log of a TPM in a region", NULL, tpm_has_region,
	  { reserved(2), RANGES, region("log@7f000000", 0, 0x7f000000, 0, 0x10000),
	    edit_cells(RESERVED "/log@7f000000", "phandle", 4), edit_node("/tpm@1"),
	    edit_string("/tpm@1", "compatible", "tcg,tpm-tis-mmio"),
	    edit_cells("/tpm@1", "memory-region", 4) },
	  { edit_node("/bus"), edit_node("/bus/tpm@1"),
	    edit_string("/bus/tpm@1", "compatible", "tcg,tpm-tis-mmio") }, { } },
	{ "log of another boot", NULL, NULL, { edit_node("/tpm@1") },
	  { edit_node("/tpm@1"), edit_cells("/tpm@1", "linux,sml-base", 0, 1),
	    edit_cells("/tpm@1", "linux,sml-size", 1) },
	  { edit_delete("/tpm@1", "linux,sml-base"), edit_delete("/tpm@1", "linux,sml-size") } },
	{ "log of a TPM that a board's tree lacks", NULL, NULL,
	  { edit_node("/tpm@1"), edit_cells("/tpm@1", "linux,sml-base", 0, 1) }, { },
	  { edit_delete_node("/tpm@1") } },

	/* /chosen of a tree that was saved from a running system */
	{ "left-overs", NULL, NULL, { },
	  { edit_node("/chosen"), edit_cells("/chosen", "linux,initrd-start", 0x62000000),
	    edit_cells("/chosen", "linux,initrd-end", 0x63000000),
	    edit_cells("/chosen", "linux,usable-memory-range", 0, 1, 0, 1),
	    edit_cells("/chosen", "linux,elfcorehdr", 0, 1, 0, 1),
	    edit_cells("/chosen", "kaslr-seed", 0, 1), edit_cells("/chosen", "rng-seed", 1),
	    edit_cells("/chosen", "linux,ima-kexec-buffer", 0, 1, 0, 1),
	    edit_cells("/chosen", "linux,kho-fdt", 0, 1), edit_string("/chosen", "x", "y"),
	    edit_cells("/chosen", "linux,kho-scratch", 0, 1, 0, 1),
	    edit_cells("/chosen", "linux,uefi-mmap-size", 1),
	    edit_cells("/chosen", "linux,sml-base", 1), edit_string("/chosen", "bootargs", "q"),
	    edit_bytes("/chosen", "linux,booted-from-kexec", "") },
	  { edit_delete("/chosen", "linux,initrd-start"),
	    edit_delete("/chosen", "linux,initrd-end"),
	    edit_delete("/chosen", "linux,usable-memory-range"),
	    edit_delete("/chosen", "linux,elfcorehdr"), edit_delete("/chosen", "kaslr-seed"),
	    edit_delete("/chosen", "rng-seed"), edit_delete("/chosen", "linux,ima-kexec-buffer"),
	    edit_delete("/chosen", "linux,kho-fdt"), edit_delete("/chosen", "linux,kho-scratch"),
	    edit_delete("/chosen", "linux,uefi-mmap-size"),
	    edit_delete("/chosen", "linux,sml-base"),
	    edit_delete("/chosen", "linux,booted-from-kexec"), edit_string("/chosen", "x", "y"),
	    edit_string("/chosen", "bootargs", "q") } },
	{ "left-overs that this boot has, too", NULL, NULL,
	  { edit_node("/chosen"), edit_cells("/chosen", "linux,initrd-start", 0x48000000),
	    edit_string("/chosen", "u-boot,version", "now"),
	    edit_string("/chosen", "bootargs", "old") },
	  { edit_node("/chosen"), edit_cells("/chosen", "linux,initrd-start", 0x62000000),
	    edit_string("/chosen", "u-boot,version", "then") },
	  { edit_cells("/chosen", "linux,initrd-start", 0x48000000),
	    edit_string("/chosen", "u-boot,version", "now"), edit_delete("/chosen", "bootargs") } },

	/* Phandles of the running tree */
	{ "firmware's nodes without other trees' phandles", NULL, NULL,
	  { edit_node("/firmware"), edit_node("/firmware/scmi"),
	    edit_cells("/firmware/scmi", "shmem", 3), edit_cells("/firmware/scmi", "mboxes", 4, 0),
	    edit_cells("/firmware/scmi", "interrupt-parent", 1),
	    edit_cells("/firmware/scmi", "arm,smc-id", 5),
	    edit_cells("/firmware/scmi", "pinctrl-0", 5),
	    edit_cells("/firmware/scmi", "x-gpios", 1),
	    edit_cells("/firmware/scmi", "cpu-supply", 5) },
	  { edit_node("/uart"), edit_cells("/uart", "phandle", 3) },
	  { edit_cells("/firmware/scmi", "arm,smc-id", 5), edit_delete("/firmware/scmi", "shmem"),
	    edit_delete("/firmware/scmi", "mboxes"), edit_delete("/firmware/scmi", "pinctrl-0"),
	    edit_delete("/firmware/scmi", "interrupt-parent"),
	    edit_delete("/firmware/scmi", "x-gpios"),
	    edit_delete("/firmware/scmi", "cpu-supply") } },

	/* Cells */
	{ "root of other cells", ROOT_CELLS, NULL, { }, { edit_cells("/", "#size-cells", 1) },
	  { } },
	{ "/reserved-memory of other cells", NULL, NULL, { }, { reserved(1), RANGES },
	  { reserved(2), RANGES } },
	{ "/reserved-memory of no cells, the running tree has regions", NULL, NULL,
	  { reserved(2), RANGES, region("tee@70000000", 0, 0x70000000, 0, 0x1000) },
	  { edit_node(RESERVED), edit_node(RESERVED "/pool") },
	  { reserved(2), RANGES, region("tee@70000000", 0, 0x70000000, 0, 0x1000),
	    edit_node(RESERVED "/pool") } },
	{ "/reserved-memory of other cells and slots of another boot", NULL, NULL, { },
	  { reserved(1), RANGES, region("x", 0x50000000, 0x8000000),
	    edit_string(RESERVED "/x", "compatible", KEXEC_STASH_COMPATIBLE) },
	  { reserved(2), RANGES, edit_delete_node(RESERVED "/x") } },
	{ "/reserved-memory of other cells and a region", "its #address-cells" UNLIKE_ROOT, NULL,
	  { }, { reserved(1), RANGES, region("x", 0x70000000, 0x1000) }, { } },
	{ "/reserved-memory without ranges and a region",
	  "its ranges is missing, so Linux ignores /reserved-memory", NULL, { },
	  { reserved(2), region("x", 0, 0x70000000, 0, 0x1000) },
	  { } },
	{ "what the running kernel ignores", NULL, NULL,
	  { reserved(1), RANGES, region("x@70000000", 0x70000000, 0x1000) }, { },
	  { edit_delete_node(RESERVED) } },
	{ "what the running kernel ignores, beside good regions", NULL, NULL,
	  { reserved(1), RANGES, region("x@70000000", 0x70000000, 0x1000) },
	  { reserved(2), RANGES, region("y", 0, 0x70000000, 0, 0x1000) },
	  { region("y", 0, 0x70000000, 0, 0x1000), edit_delete_node(RESERVED "/x@70000000") } },

	/* Regions over slots */
	{ "region over a slot", LIES_OVER("vpu@62000000", "b"), NULL, { },
	  { reserved(2), RANGES, region("vpu@62000000", 0, 0x62000000, 0, 0x1000000) }, { } },
	{ "no-map region over the slot to be adopted", LIES_OVER("vpu@50000000", "a"), NULL, { },
	  { reserved(2), RANGES, region("vpu@50000000", 0, 0x50000000, 0, 0x10000000),
	    edit_bytes(RESERVED "/vpu@50000000", "no-map", "") }, { } },
	{ "region around a slot", LIES_OVER("x", "a"), NULL, { },
	  { reserved(2), RANGES, region("x", 0, 0x4ff00000, 0, 0x8200000) }, { } },
	{ "region over a slot's last byte", LIES_OVER("x", "c"), NULL, { },
	  { reserved(2), RANGES, region("x", 0, 0x6fffffff, 0, 1) }, { } },
	{ "region over a slot's first byte", LIES_OVER("x", "high"), NULL, { },
	  { reserved(2), RANGES, region("x", 2, 0x7ff00000, 0, 0x100001) }, { } },
	{ "second range over a slot", LIES_OVER("x", "b"), NULL, { },
	  { reserved(2), RANGES, region("x", 0, 0x70000000, 0, 0x1000, 0, 0x60000000, 0, 0x1000) },
	  { } },
	{ "region between two slots", NULL, NULL, { },
	  { reserved(2), RANGES, region("x", 0, 0x58000000, 0, 0x8000000) },
	  { edit_node(RESERVED "/x") } },
	{ "region of no bytes in a slot", NULL, NULL, { },
	  { reserved(2), RANGES, region("x", 0, 0x50001000, 0, 0) }, { edit_node(RESERVED "/x") } },
	{ "disabled region over a slot", NULL, NULL, { },
	  { reserved(2), RANGES, region("x", 0, 0x60000000, 0, 0x1000),
	    edit_string(RESERVED "/x", "status", "disabled") }, { edit_node(RESERVED "/x") } },
	{ "region over a slot that is elsewhere now", NULL, NULL,
	  { reserved(2), RANGES, region("tee", 0, 0x70000000, 0, 0x1000) },
	  { reserved(2), RANGES, region("tee", 0, 0x60000000, 0, 0x1000) },
	  { region("tee", 0, 0x70000000, 0, 0x1000) } },
	{ "region that firmware has made use of", NULL, NULL,
	  { reserved(2), RANGES, region("tee", 0, 0x70000000, 0, 0x1000) },
	  { reserved(2), RANGES, region("tee", 0, 0x70000000, 0, 0x1000),
	    edit_string(RESERVED "/tee", "status", "disabled") },
	  { edit_delete(RESERVED "/tee", "status") } },
	{ "region of the running tree alone", NULL, NULL,
	  { reserved(2), RANGES, region("x", 0, 0x60000000, 0, 0x1000) }, { },
	  { region("x", 0, 0x60000000, 0, 0x1000) } },
	{ "dynamic region in a slot", LIES_OVER("pool", "b"), NULL, { },
	  { reserved(2), RANGES, sized("pool", 0x4000000),
	    alloc("pool", 0, 0x60000000, 0, 0x8000000) }, { } },
	{ "dynamic region in two slots", LIES_OVER("pool", "b"), NULL, { },
	  { reserved(2), RANGES, sized("pool", 0x4000000),
	    alloc("pool", 0, 0x62000000, 0, 0xe000000) }, { } },
	{ "dynamic region with too little beside a slot", LIES_OVER("pool", "c"), NULL, { },
	  { reserved(2), RANGES, sized("pool", 0x4000000),
	    alloc("pool", 0, 0x68000000, 0, 0xbffffff) }, { } },
	{ "dynamic region with room beside a slot", NULL, NULL, { },
	  { reserved(2), RANGES, sized("pool", 0x4000000),
	    alloc("pool", 0, 0x68000000, 0, 0xc000000) },
	  { edit_node(RESERVED "/pool") } },
	{ "dynamic region with room between slots", NULL, NULL, { },
	  { reserved(2), RANGES, sized("pool", 0x8000000),
	    alloc("pool", 0, 0x50000000, 0, 0x20000000) },
	  { edit_node(RESERVED "/pool") } },
	{ "dynamic region with room in its second range", NULL, NULL, { },
	  { reserved(2), RANGES, sized("pool", 0x1000),
	    alloc("pool", 0, 0x60000000, 0, 0x1000, 0, 0x70000000, 0, 0x1000) },
	  { edit_node(RESERVED "/pool") } },
	{ "dynamic region anywhere", NULL, NULL, { },
	  { reserved(2), RANGES, edit_node(RESERVED "/pool"),
	    edit_cells(RESERVED "/pool", "size", 0, 0x4000000) }, { edit_node(RESERVED "/pool") } },
	{ "dynamic region that firmware has placed", NULL, NULL,
	  { reserved(2), RANGES, region("pool", 0, 0x70000000, 0, 0x4000000) },
	  { reserved(2), RANGES, sized("pool", 0x4000000),
	    alloc("pool", 0, 0x60000000, 0, 0x8000000) },
	  { region("pool", 0, 0x70000000, 0, 0x4000000) } },
};

/* A node and all above it */
static void make_node(void *fdt, const char *path)
{
	int node = 0;

	while (*path == '/' && path[1]) {
		const char *name = path + 1;
		int len = strcspn(name, "/"), child;

		child = fdt_subnode_offset_namelen(fdt, node, name, len);
		node = child < 0 ? fdt_add_subnode_namelen(fdt, node, name, len) : child;
		assert_true(node > 0);
		path = name + len;
	}
}

static void *edited(const struct edit *edits)
{
	void *fdt = tree_empty(2);

	for (int i = 0; i < EDITS_MAX && edits[i].node; i++) {
		make_node(fdt, edits[i].node);
		if (edits[i].kind != NODE)
			tree_edit(fdt, &edits[i]);
	}
	return tree_exact(fdt);
}

/* What an edit would set is there already */
static void assert_there(const void *fdt, const struct edit *want)
{
	int node = fdt_path_offset(fdt, want->node), len, want_len = want->len;
	const fdt32_t *val;

	if (want->kind == DELETE_NODE) {
		if (node != -FDT_ERR_NOTFOUND)
			fail_msg("%s is there", want->node);
		return;
	}
	if (node < 0)
		fail_msg("%s is not there", want->node);
	if (want->kind == NODE)
		return;
	if (want->kind == BOTH_CELLS) {
		assert_int_equal(fdt_address_cells(fdt, node), want->len);
		assert_int_equal(fdt_size_cells(fdt, node), want->len);
		return;
	}
	val = fdt_getprop(fdt, node, want->property, &len);
	if (want->kind == DELETE) {
		if (val)
			fail_msg("%s has %s", want->node, want->property);
		return;
	}
	if (!val)
		fail_msg("%s has no %s", want->node, want->property);
	if (want->kind == STRING)
		want_len = strlen(want->data) + 1;
	else if (want->kind == CELLS)
		want_len *= sizeof(*val);
	if (len != want_len)
		fail_msg("%s: %s has %d bytes", want->node, want->property, len);
	for (int i = 0; want->kind == CELLS && i < want->len; i++)
		assert_int_equal(fdt32_ld(&val[i]), ((const u32 *)want->data)[i]);
	if (want->kind != CELLS)
		assert_memory_equal(val, want->data, len);
}

static void test_merge(void **state)
{
	const struct merge *row = *state;
	struct kexec_fdt_adoption from = {
		.staged = edited(row->staged),
		.running = edited(row->running),
		.slots = slots,
		.nr_slots = ARRAY_SIZE(slots),
	};
	u32 staged_size = fdt_totalsize(from.staged);
	size_t size = staged_size + kexec_fdt_adopt_space(staged_size, from.running);
	void *fdt = malloc(size);
	int ret;

	assert_non_null(fdt);
	ret = kexec_fdt_adopt(fdt, size, &from);
	if (row->refused) {
		assert_true(ret < 0);
		assert_string_equal(from.why, row->refused);
	} else {
		if (ret)
			fail_msg("refused: %s", from.why);
		assert_string_equal(from.why, "");
		assert_int_equal(fdt_check_full(fdt, size), 0);
		for (int i = 0; i < EDITS_MAX && row->want[i].node; i++)
			assert_there(fdt, &row->want[i]);
		if (row->check)
			row->check(fdt);
	}
	free(fdt);
	free((void *)from.running);
	free((void *)from.staged);
}

/* A line fits its buffer, however long a node's name is */
static void test_long_names(void **state)
{
	char path[300] = RESERVED "/", why[KEXEC_FDT_WHY_LEN];
	const struct edit staged[EDITS_MAX] = {
		reserved(2), RANGES, edit_cells(path, "reg", 0, 0x60000000, 0, 0x1000)
	};
	struct kexec_fdt_adoption from = { .slots = slots, .nr_slots = ARRAY_SIZE(slots) };
	size_t size = TREE_SIZE;
	void *fdt = malloc(size);

	(void)state;
	assert_non_null(fdt);
	memset(path + strlen(path), 'x', 100);
	from.staged = edited(staged);
	from.running = tree_exact(tree_empty(2));
	assert_int_equal(kexec_fdt_adopt(fdt, size, &from), -FDT_ERR_EXISTS);
	memset(why, 0, sizeof(why));
	snprintf(why, sizeof(why), "its %.*s lies over slot 'b'", (int)strlen(RESERVED) + 1 + 64,
		 path);
	assert_string_equal(from.why, why);
	free(fdt);
	free((void *)from.running);
	free((void *)from.staged);
}

int main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(test_long_names),
	};
	struct CMUnitTest merged[ARRAY_SIZE(rows)] = { 0 };
	int failed;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		merged[i].name = rows[i].name;
		merged[i].test_func = test_merge;
		merged[i].initial_state = (void *)&rows[i];
	}
	failed = cmocka_run_group_tests_name("trees merged", merged, NULL, NULL);
	failed += cmocka_run_group_tests_name("refusals", others, NULL, NULL);
	return failed ? 1 : 0;
}
