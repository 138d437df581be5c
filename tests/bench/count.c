// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Count what a guest copies, hashes, cleans and clears, from outside: a TCG plugin
 *
 * The guest runs the tested kernel, without a probe and without an additional instruction. Between
 * two marks (tests/guest/bench.c) this counts bytes that copy functions store, by their callers;
 * blocks that hash functions take in; cache lines by the instructions for them. For one CPU.
 *
 * Arguments: symbols=<file>, lines of "<kind> <start> <end> <name>" in the order of addresses,
 * kind being c (copies), s (hashes: data is loaded 64 bytes at a time by way of x1), b (hashes 64
 * bytes with each call), j (jumps to the next kernel: the first instruction at an unknown address
 * after it counts as the second mark), i (an interrupt of the kernel begins) or f (any other);
 * out=<file>, which gets a line "<what> <name> <bytes>" for each counter, with instructions for
 * what is "spent" in a function, or in all from the beginning of an "interrupt" to the return from
 * it, and "end" for each second mark.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu_plugin.h"

#define MAX_SYMBOLS 65536
#define USER_END 0x1000000000000
#define LINE_SIZE 64

struct symbol {
	char kind;
	uint64_t start, end;
	char name[64];
	uint64_t copied; /* by calls of it */
	uint64_t spent;	 /* instructions */
};

int qemu_plugin_version = QEMU_PLUGIN_VERSION_1;

static struct symbol symbols[MAX_SYMBOLS];
static size_t nr_symbols;
static FILE *out;
static bool counting, leaving;
static uint64_t hashed_kernel, hashed_user, cleaned, cleared;

/* Instructions: all since the start, those in interrupts, all as the outermost one began */
static uint64_t total, interrupts, interrupt_began;
static unsigned int interrupt_depth;

/* The current copy: bytes from lo to hi are stored, some of them more than once */
static struct {
	struct symbol *caller;
	uint64_t lo, hi;
} run;

static void end_run(void)
{
	if (run.caller)
		run.caller->copied += run.hi - run.lo;
	run.lo = 0;
	run.hi = 0;
}

static void on_call(unsigned int cpu, void *data)
{
	(void)cpu;
	if (!counting)
		return;
	end_run();
	run.caller = data;
}

static void on_store(unsigned int cpu, uint32_t info, uint64_t addr, void *data)
{
	uint64_t end = addr + (1ULL << qemu_plugin_mem_size_shift(info));

	(void)cpu;
	(void)data;
	/* QEMU 7.2 reports loads too */
	if (!counting || !qemu_plugin_mem_is_store(info))
		return;
	/* Copying goes on, not always in order: the tail of a copy may be stored first */
	if (run.hi && addr <= run.hi + 2 * LINE_SIZE && end + 2 * LINE_SIZE >= run.lo) {
		run.lo = addr < run.lo ? addr : run.lo;
		run.hi = end > run.hi ? end : run.hi;
		return;
	}
	end_run();
	run.lo = addr;
	run.hi = end;
}

static void on_begin(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	for (size_t i = 0; i < nr_symbols; i++) {
		symbols[i].copied = 0;
		symbols[i].spent = 0;
	}
	memset(&run, 0, sizeof(run));
	hashed_kernel = 0;
	hashed_user = 0;
	cleaned = 0;
	cleared = 0;
	interrupts = 0;
	interrupt_depth = 0;
	counting = true;
}

static void on_end(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	if (!counting)
		return;
	end_run();
	counting = false;
	leaving = false;
	for (size_t i = 0; i < nr_symbols; i++) {
		if (symbols[i].copied)
			fprintf(out, "copied %s %" PRIu64 "\n", symbols[i].name, symbols[i].copied);
		if (symbols[i].spent)
			fprintf(out, "spent %s %" PRIu64 "\n", symbols[i].name, symbols[i].spent);
	}
	fprintf(out, "hashed kernel %" PRIu64 "\nhashed user %" PRIu64 "\n", hashed_kernel,
		hashed_user);
	fprintf(out, "cleaned - %" PRIu64 "\ncleared - %" PRIu64 "\n", cleaned, cleared);
	fprintf(out, "interrupt - %" PRIu64 "\n", interrupts);
	fputs("end\n", out);
	fflush(out);
}

static void on_leaving(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	leaving = counting;
}

static void on_unknown(unsigned int cpu, void *data)
{
	if (leaving)
		on_end(cpu, data);
}

static void on_interrupt(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	if (!interrupt_depth++)
		interrupt_began = total;
}

/*
 * Where an interrupt leads to another task that returns to its program, that
 * ends the interrupt: rather too little is put down to them
 */
static void on_return(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	if (interrupt_depth && !--interrupt_depth)
		interrupts += total - interrupt_began;
}

static struct symbol *symbol_at(uint64_t addr)
{
	size_t low = 0, high = nr_symbols;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (addr >= symbols[middle].end)
			low = middle + 1;
		else
			high = middle;
	}
	return low < nr_symbols && addr >= symbols[low].start ? &symbols[low] : NULL;
}

/* Target of B and BL, 0 for all other instructions */
static uint64_t branch_target(uint64_t addr, uint32_t code)
{
	if ((code & 0x7c000000) != 0x14000000)
		return 0;
	return addr + (((int64_t)(int32_t)(code << 6)) >> 4);
}

static void look_at_symbol(struct qemu_plugin_insn *insn, uint64_t addr, uint32_t code)
{
	struct symbol *symbol = symbol_at(addr), *target;

	if (!symbol)
		return;
	if (symbol->kind == 'c') {
		qemu_plugin_register_vcpu_mem_cb(insn, on_store, CB_NO_REGS, MEM_WRITES, NULL);
		/* A program calls it by way of a pointer */
		if (addr == symbol->start && addr < USER_END)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_call, CB_NO_REGS, symbol);
		return;
	}
	/* LD1 of four registers, [x1], #64 */
	if (symbol->kind == 's' && (code & 0xfffff3e0) == 0x4cdf2020)
		qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD_U64, &hashed_kernel,
							   LINE_SIZE);
	if (symbol->kind == 'b' && addr == symbol->start)
		qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD_U64, &hashed_user,
							   LINE_SIZE);
	if (symbol->kind == 'j' && addr == symbol->start)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_leaving, CB_NO_REGS, NULL);
	if (symbol->kind == 'i' && addr == symbol->start)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_interrupt, CB_NO_REGS, NULL);
	target = symbol_at(branch_target(addr, code));
	if (target && target->kind == 'c')
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_call, CB_NO_REGS, symbol);
}

static void look_at_code(struct qemu_plugin_insn *insn, uint32_t code)
{
	if (code == 0xd5032c1f) /* hint #0x60 */
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_begin, CB_NO_REGS, NULL);
	if (code == 0xd5032c3f) /* hint #0x61 */
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_end, CB_NO_REGS, NULL);
	if (code == 0xd69f03e0) /* ERET */
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_return, CB_NO_REGS, NULL);
	if ((code & 0xffffffe0) == 0xd50b7a20 ||
	    (code & 0xffffffe0) == 0xd50b7e20) /* DC CVAC, DC CIVAC */
		qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD_U64, &cleaned,
							   LINE_SIZE);
	if ((code & 0xffffffe0) == 0xd50b7420) /* DC ZVA */
		qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD_U64, &cleared,
							   LINE_SIZE);
}

static void on_translation(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);
	struct qemu_plugin_insn *first = qemu_plugin_tb_get_insn(tb, 0);
	struct symbol *symbol = symbol_at(qemu_plugin_insn_vaddr(first));

	(void)id;
	qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD_U64, &total, n);
	/* Where code runs on into the next function without a branch, it is the first one's */
	if (symbol)
		qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD_U64, &symbol->spent, n);
	else
		qemu_plugin_register_vcpu_insn_exec_cb(first, on_unknown, CB_NO_REGS, NULL);
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint32_t code;

		memcpy(&code, qemu_plugin_insn_data(insn), sizeof(code));
		look_at_symbol(insn, qemu_plugin_insn_vaddr(insn), code);
		look_at_code(insn, code);
	}
}

static int read_symbols(const char *path)
{
	FILE *file = fopen(path, "r");

	if (!file)
		return -1;
	while (nr_symbols < MAX_SYMBOLS) {
		struct symbol *symbol = &symbols[nr_symbols];

		if (fscanf(file, " %c %" SCNx64 " %" SCNx64 " %63s", &symbol->kind, &symbol->start,
			   &symbol->end, symbol->name) != 4)
			break;
		nr_symbols++;
	}
	fclose(file);
	return nr_symbols && nr_symbols < MAX_SYMBOLS ? 0 : -1;
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "symbols=", 8) && read_symbols(argv[i] + 8))
			return -1;
		if (!strncmp(argv[i], "out=", 4))
			out = fopen(argv[i] + 4, "w");
	}
	if (!out || !nr_symbols)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
	return 0;
}
