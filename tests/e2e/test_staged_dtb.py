# SPDX-License-Identifier: GPL-2.0-or-later
"""A staged device tree beside the running one: what it may not bring, what it keeps, and what it gets of the firmware's
knowledge."""

import re
import subprocess

import pytest

import early
import stash
from qemu import IMAGE, INITRAMFS, UBOOT, Machine, closed_on_failure, make_disk
from stash import BASE, BASE_B, BOOTARGS, FILES, MIB, WORK

KEXEC_FILE_MEMBUF = 0x100
RESERVED = "#address-cells = <2>; #size-cells = <2>; ranges;"
OTHER_CELLS = "#address-cells = <1>; #size-cells = <1>; ranges;"
FROM_DTB = f"{BOOTARGS} from=dtb"
CHOSEN = f'/ {{ chosen {{ bootargs = "{FROM_DTB}"; }}; }};'


def dtb(name, more="", memreserve="", base="raw.dtb"):
    """A dtb of the machine's, with more source text behind it. Without memory, command line, and so on by default."""
    source = subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dts", FILES[base]], check=True, capture_output=True,
                            text=True).stdout
    WORK.mkdir(parents=True, exist_ok=True)
    out = WORK / f"tree-{name}.dtb"
    text = source.replace("/dts-v1/;", f"/dts-v1/;\n{memreserve}", 1) + more
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", out], input=text.encode(), check=True)
    return out


def reserved(body, cells=RESERVED):
    return f"/ {{ reserved-memory {{ {cells} {body} }}; }};"


def cpus(body):
    """The same for both CPUs of the machine."""
    return f"/ {{ cpus {{ cpu@0 {{ {body} }}; cpu@1 {{ {body} }}; }}; }};"


SPIN_TABLE = cpus('enable-method = "spin-table"; cpu-release-addr = <0 0xd8>;') + "/ { /delete-node/ psci; };"


def machine(name, files, nodes=None, load=(), **kwargs):
    """Slots by records, empty by default. The guest's root has these files."""
    nodes = nodes or [stash.node(slot, base) for slot, base in BASE.items()]
    return stash.direct_machine(name, nodes, load, initrd=stash.initrd_with(name, files), **kwargs)


def full_b():
    """A record of b with a payload, and the files that QEMU loads for it."""
    files, load = stash.staged(BASE_B)
    return stash.node("b", BASE_B, files=files, bootargs=BOOTARGS), load


def empty_a():
    return stash.node("a", BASE["a"])


def check_b(m):
    """Check that b is unchanged."""
    assert stash.state(m, "b") == "staged", stash.kernel_log(m, "kexec_stash")
    assert stash.guest_sha256(m, stash.slot_path("b", "kernel")) == stash.sha256(IMAGE)
    m.run("kfl -f 0x100 /sys/fs/kexec/b/kernel")
    assert stash.state(m, "b") == "loaded"


def go(m, slot="a"):
    m.jump("kexec-membuf exec")
    m.shell()
    m.run("mount -t ext4 -o ro /dev/vda /mnt")
    assert stash.state(m, slot) == "running"


def entries(m):
    """The memreserve entries of the tree that the running kernel was given."""
    tree = WORK / f"{m.name}.now.dtb"
    stash.guest_file(m, "/sys/firmware/fdt", tree)
    source = subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dts", tree], check=True, capture_output=True,
                            text=True).stdout
    return re.findall(r"^/memreserve/\s*(\S+)\s+(\S+);", source, re.M)


# name, source text, the line behind "dtb: "
REFUSED = [
    ("vpu", reserved("vpu@62000000 { reg = <0 0x62000000 0 0x1000000>; no-map; };"),
     "its /reserved-memory/vpu@62000000 lies over slot 'b'"),
    ("self", reserved("vpu@50000000 { reg = <0 0x50000000 0 0x10000000>; no-map; };"),
     "its /reserved-memory/vpu@50000000 lies over slot 'a'"),
    ("pool", reserved('pool { compatible = "shared-dma-pool"; reusable; size = <0 0x4000000>; '
                      "alloc-ranges = <0 0x60000000 0 0x8000000>; };"),
     "its /reserved-memory/pool lies over slot 'b'"),
    ("cells", "/ { #size-cells = <1>; };",
     "its root has #address-cells 2 and #size-cells 1, that of the running tree 2 and 2"),
    ("reserved", reserved("vpu { reg = <0x70000000 0x1000>; };", OTHER_CELLS),
     "its #address-cells is not the root's, so Linux ignores /reserved-memory"),
    ("ranges", reserved("vpu { reg = <0 0x70000000 0 0x1000>; };", "#address-cells = <2>; #size-cells = <2>;"),
     "its ranges is missing, so Linux ignores /reserved-memory"),
    ("cpu", "/ { cpus { /delete-node/ cpu-map; /delete-node/ cpu@1; }; };",
     'leaves out the CPU with reg 0x1: if that is not to run, have a node of status "fail" for it'),
    ("bootargs", "/ { chosen { bootargs = [71 75 69 65 74]; }; };", "has bootargs that are no string"),
]


class TestRefused:
    """One line, and no other change."""

    @pytest.fixture(scope="class")
    def m(self):
        b, load = full_b()
        files = {f"{name}.dtb": dtb(f"refused-{name}", more) for name, more, _ in REFUSED}
        with machine("tree-refused", {**files, "good.dtb": dtb("good", CHOSEN)}, [empty_a(), b], load) as m:
            m.run("cp /mnt/own.linux /sys/fs/kexec/a/kernel; cp /mnt/own.initrd /sys/fs/kexec/a/initrd")
            yield m

    @pytest.mark.parametrize("row", REFUSED, ids=[row[0] for row in REFUSED])
    def test_one_line(self, m, row):
        name, _, why = row
        m.run(f"cp /{name}.dtb /sys/fs/kexec/a/dtb && dmesg -c > /dev/null")
        print(m.fails("kexec-membuf load a"))
        lines = stash.kernel_log(m, "kexec_stash: ")
        print(lines)
        assert [line.partition("kexec_stash: ")[2] for line in lines] == [f"slot 'a': dtb: {why}"]
        assert m.read("/sys/kernel/kexec_loaded") == "0" and stash.state(m, "b") == "staged"
        m.run("cp /good.dtb /sys/fs/kexec/a/dtb && kexec-membuf load a && kexec-membuf unload")
        check_b(m)
        m.run("kexec-membuf unload")


def leftovers():
    """A tree saved from a boot that used both slots as its memory."""
    chosen = ("linux,initrd-start = <0 0x62000000>; linux,initrd-end = <0 0x62800000>; linux,elfcorehdr = <0 0x61000000 0 "
              "0x1000>; linux,usable-memory-range = <0 0x60000000 0 0x2000000>; linux,uefi-system-table = <0 0x61000000>; "
              "linux,ima-kexec-buffer = <0 0x63000000 0 0x10000>; linux,kho-fdt = <0 0x64000000>; "
              "linux,kho-scratch = <0 0x65000000 0 0x100000>; linux,sml-base = <0 0x50000000>;")
    return dtb("leftovers", f"/ {{ chosen {{ {chosen} }}; }};" + CHOSEN + SPIN_TABLE,
               "/memreserve/ 0x62000000 0x10000;\n/memreserve/ 0x55000000 0x1000;\n/memreserve/ 0x72000000 0x1000;")


def test_leftovers_of_another_boot():
    """Left-overs cost no memory and no slot. CPUs start as firmware wants it. The tree's command line is its own."""
    b, load = full_b()
    with machine("tree-leftovers", {"x.dtb": leftovers()}, [empty_a(), b], load) as m:
        before = entries(m), m.run("nproc"), stash.meminfo(m, "MemTotal")
        stash.stage(m, "a", dtb="/x.dtb", bootargs=None)
        m.run("kexec-membuf load a")
        go(m)
        after = entries(m), m.run("nproc"), stash.meminfo(m, "MemTotal")
        print(before, after, sep="\n")
        assert m.read("/proc/device-tree/model").strip("\0") == "staged board"
        assert m.read("/proc/cmdline") == FROM_DTB
        assert after[1] == before[1] == "2"
        # Those of the interrupt controller's tables, and no more
        assert not [entry for entry in after[0] if int(entry[0], 16) in (0x62000000, 0x55000000, 0x72000000)]
        assert len(after[0]) <= len(before[0]) + 8
        # a is ordinary memory now
        assert after[2] >= before[2]
        chosen = m.run("ls /proc/device-tree/chosen").split()
        print(chosen)
        assert not {"linux,elfcorehdr", "linux,usable-memory-range", "linux,uefi-system-table", "linux,sml-base"} & \
            set(chosen)
        check_b(m)
        # Once more: the slot that it came from is back
        go(m, "b")
        assert stash.state(m, "a") == "empty"


def test_tree_of_a_running_system():
    """A tree that U-Boot and Linux have changed can be staged."""
    with stash.uboot_machine("tree-saved") as m:
        m.uboot(f"kstash reserve a {stash.SLOT_SIZE:#x} {BASE['a']:#x}")
        stash.uboot_stage(m, "b", "own.linux", "own.initrd")
        stash.uboot_boot(m)
        m.run("mount -t ext4 -o ro /dev/vda /mnt")
        before = entries(m)
        stash.stage(m, "a", dtb="/sys/firmware/fdt")
        m.run("kexec-membuf load a")
        go(m)
        print(before, entries(m))
        assert not {entry for entry in before if int(entry[0], 16) < 0x50000000} & set(entries(m))
        check_b(m)


# The command line of a staged tree

def test_command_line_by_uboot():
    extra = make_disk(WORK / "tree-uboot.img", {**FILES, "args.dtb": dtb("args", CHOSEN, base="virt.dtb")})
    m = Machine("tree-cmdline-uboot", bios=UBOOT, disk=extra)
    with m:
        m.uboot_prompt()
        m.uboot("virtio scan")
        m.uboot(f"kstash reserve a {stash.SLOT_SIZE:#x} {BASE['a']:#x}")
        for file, name in (("kernel", "own.linux"), ("initrd", "own.initrd"), ("dtb", "args.dtb")):
            m.uboot(f"kstash load a {file} virtio 0 {name}")
        stash.uboot_boot(m)
        print(m.run("kexec-membuf load a"))
        go(m)
        assert m.read("/proc/cmdline") == FROM_DTB


def fit():
    """Kernel, initrd and a tree with a command line of its own."""
    source = WORK / "tree-fit.its"
    out = WORK / "tree-fit.itb"
    image = '{name} {{ data = /incbin/("{path}"); type = "{kind}"; arch = "arm64"; os = "linux"; compression = "none"; ' \
            'load = <0>; entry = <0>; hash-1 {{ algo = "sha256"; }}; }};'
    images = "\n".join(image.format(name=name, path=path, kind=kind) for name, path, kind in (
        ("k", IMAGE, "kernel"), ("r", INITRAMFS, "ramdisk"), ("f", dtb("args-fit", CHOSEN), "flat_dt")))
    source.write_text('/dts-v1/;\n/ { description = "x"; #address-cells = <1>; images {' + images +
                      '}; configurations { default = "c"; c { kernel = "k"; ramdisk = "r"; fdt = "f"; }; }; };')
    subprocess.run(["mkimage", "-f", source, out], check=True, capture_output=True)
    return out


def test_command_line_by_staging_and_fit():
    """Staged without one by cp and from a FIT; a load that is not strict; and none of this beside one that is given."""
    disk = make_disk(WORK / "tree-fit.img", {**FILES, "fit.itb": fit()})
    nodes = [stash.node(slot, base) for slot, base in BASE.items()]
    initrd = stash.initrd_with("tree-cmdline", {"x.dtb": dtb("args", CHOSEN)})
    m = Machine("tree-cmdline", kernel=IMAGE, initrd=initrd, append=BOOTARGS, dtb=stash.device_tree("tree-cmdline", nodes),
                disk=disk)
    with m:
        m.shell()
        m.run("mount -t ext4 -o ro /dev/vda /mnt")
        m.run("kexec-membuf stage a --kernel /mnt/own.linux --initrd /mnt/own.initrd --dtb /x.dtb", timeout=120)
        m.run("kexec-membuf load a")
        go(m, "a")
        assert m.read("/proc/cmdline") == FROM_DTB
        # From a FIT, and an ordinary call
        m.run("kexec-membuf stage b --fit /mnt/fit.itb", timeout=120)
        path = stash.slot_path("b")
        assert m.run(f"kfl -i {path}initrd {path}kernel") == "OK"
        go(m, "b")
        assert m.read("/proc/cmdline") == FROM_DTB
        # The slot's own, and the caller's, come first
        m.run("kexec-membuf stage a --fit /mnt/fit.itb", timeout=120)
        m.run(f"printf %s '{BOOTARGS} from=slot' > {stash.slot_path('a', 'cmdline')}")
        m.run("kexec-membuf load a")
        go(m, "a")
        assert m.read("/proc/cmdline") == f"{BOOTARGS} from=slot"
        m.run("kexec-membuf stage b --fit /mnt/fit.itb", timeout=120)
        assert m.run(f"kfl -f {KEXEC_FILE_MEMBUF} -c '{BOOTARGS} from=caller' {path}kernel") == "OK"
        go(m, "b")
        assert m.read("/proc/cmdline") == f"{BOOTARGS} from=caller"


def test_command_line_by_initrd():
    cpio = early.payload("tree-early", "a", kernel=IMAGE, initrd=INITRAMFS, dtb=dtb("args", CHOSEN))
    m = early.machine("tree-early", f"a:{128 * MIB:#x}", initrd=early.initrd("tree-early", cpio, INITRAMFS))
    with m:
        m.run("kexec-membuf load a")
        m.jump("kexec-membuf exec")
        m.shell()
        assert stash.state(m, "a") == "running"
        assert m.read("/proc/cmdline") == FROM_DTB


# A /reserved-memory that Linux would ignore

@pytest.mark.parametrize("name, cells", [("bare", ""), ("other-cells", OTHER_CELLS)], ids=["bare", "other-cells"])
def test_repaired_by_uboot(name, cells):
    """U-Boot's records are in a node that Linux takes."""
    odd = dtb(name, reserved("", cells), base="virt.dtb")
    m = Machine(f"tree-{name}", bios=UBOOT, disk=make_disk(WORK / f"tree-{name}.img", {**FILES, "odd.dtb": odd}))
    with m:
        m.uboot_prompt()
        m.uboot("virtio scan")
        stash.uboot_stage(m, "a", "own.linux", "own.initrd")
        m.uboot(f"kstash reserve b {stash.SLOT_SIZE:#x} {BASE['b']:#x}")
        m.uboot(f'setenv bootargs "{BOOTARGS}"')
        m.uboot("load virtio 0 48000000 odd.dtb")
        m.uboot("load virtio 0 ${kernel_addr_r} own.linux")
        m.uboot("load virtio 0 ${ramdisk_addr_r} own.initrd")
        m.send("booti ${kernel_addr_r} ${ramdisk_addr_r}:${filesize} 48000000\r")
        m.wait_for("Starting kernel", fatal=r"(?i)\berror\b[^\r\n]*|Bad Linux[^\r\n]*")
        m.shell()
        print(stash.kernel_log(m, "kexec_stash|Reserved memory"))
        assert {slot: stash.state(m, slot) for slot in stash.slots(m)} == {"a": "staged", "b": "empty"}
        m.run("kexec-membuf load a")
        m.jump("kexec-membuf exec")
        m.shell()
        assert stash.state(m, "a") == "running"


@pytest.mark.parametrize("body, cells, why", [
    ("", OTHER_CELLS, "#address-cells is not the root's, so Linux ignores /reserved-memory"),
    ("", "#address-cells = <2>; #size-cells = <2>;", "ranges is missing, so Linux ignores /reserved-memory"),
], ids=["other-cells", "no-ranges"])
def test_record_that_linux_ignores(body, cells, why):
    """A line for each slot says why. An ordinary load works."""
    name = "tree-ignored"
    nodes = "\n".join(stash.node(slot, base) for slot, base in BASE.items()) + body
    tree = dtb(name, reserved(nodes, cells) + "/ { chosen { }; memory@40000000 { device_type = \"memory\"; "
               "reg = <0 0x40000000 0 0x80000000>; }; };")
    m = Machine(name, kernel=IMAGE, initrd=INITRAMFS, append=BOOTARGS, dtb=tree, disk=stash.disk())
    with m:
        m.shell()
        m.run("mount -t ext4 -o ro /dev/vda /mnt")
        lines = stash.kernel_log(m, r"kexec_stash: .*refused")
        print(lines)
        for slot in BASE:
            assert len([line for line in lines if f"slot '{slot}' at" in line and line.endswith(why)]) == 1
        assert len(lines) == 2 and stash.slots(m) == []
        assert m.run(f"kfl -i /mnt/own.initrd -c '{BOOTARGS}' /mnt/own.linux") == "OK"


def high_machine(name, body):
    """A slot above 4 GiB by the parameter, beside a /reserved-memory of 32 bit cells."""
    tree = dtb(name, reserved(body, OTHER_CELLS) + "/ { chosen { }; memory@40000000 { device_type = \"memory\"; "
               "reg = <0 0x40000000 1 0x80000000>; }; };")
    m = Machine(name, kernel=IMAGE, initrd=INITRAMFS, append=f"{BOOTARGS} kexec_stash=a:128M", dtb=tree, disk=stash.disk(),
                mem="6G")
    with closed_on_failure(m):
        m.shell()
        m.run("mount -t ext4 -o ro /dev/vda /mnt")
        assert int(m.read(stash.slot_path("a", "base")), 0) >= 1 << 32
    return m


def test_records_that_cannot_be_written():
    """One line, and an ordinary load works. A load from the slot is refused."""
    with high_machine("tree-unwritten", "vpu { reg = <0x70000000 0x1000>; };") as m:
        m.run("dmesg -c > /dev/null")
        why = "#address-cells is not the root's, so Linux ignores /reserved-memory"
        assert m.run("kexec -s -l /mnt/own.linux --initrd=/mnt/own.initrd --reuse-cmdline; echo $?").endswith("0")
        assert m.read("/sys/kernel/kexec_loaded") == "1"
        lines = [line.partition("kexec_stash: ")[2] for line in stash.kernel_log(m, "kexec_stash: ")]
        print(lines)
        assert lines == [f"the next kernel cannot know of any slot: {why}"]
        stash.stage(m, "a")
        m.run("dmesg -c > /dev/null")
        print(m.fails("kexec-membuf load a"))
        lines = [line.partition("kexec_stash: ")[2] for line in stash.kernel_log(m, "kexec_stash: ")]
        print(lines)
        assert lines == [f"slot 'a': the next kernel cannot know of it: {why}"]
        assert m.read("/sys/kernel/kexec_loaded") == "1"
        m.jump("kexec -e")
        m.shell()


def test_repaired_by_linux():
    """If no node would change its meaning, the slot is there after an ordinary kexec too."""
    with high_machine("tree-repaired", "") as m:
        stash.stage(m, "a")
        m.run(f"kexec -s -l /mnt/own.linux --initrd=/mnt/own.initrd --command-line='{BOOTARGS}'")
        m.jump("kexec -e")
        m.shell()
        print(stash.kernel_log(m, "kexec_stash|Reserved memory"))
        assert stash.state(m, "a") == "staged"


def test_payload_of_a_refused_record_is_forgotten():
    """This kernel uses the memory already. The next one finds the record right."""
    files, load = stash.staged(BASE["a"])
    kernel = 0x40200000     # where QEMU puts it
    nodes = [stash.node("a", BASE["a"], files=files, bootargs=BOOTARGS),
             stash.node("over", kernel, 64 * MIB, {"kernel": (0, IMAGE.stat().st_size, None)}, bootargs="x")]
    # Without the ITS, whose tables may lie there and stay
    with stash.direct_machine("tree-forgotten", nodes, load, machine=",its=off") as m:
        assert stash.kernel_log(m, r"slot 'over' .*refused: reg lies over the running kernel")
        m.run("kexec-membuf load a")
        go(m)
        print(stash.kernel_log(m, "kexec_stash: slot"))
        assert stash.state(m, "over") == "empty"
        assert m.run(f"ls {stash.slot_path('over')}").split() == m.run(f"ls {stash.slot_path('a')}").split()


def test_staged_tree_is_repaired():
    """Slots by the parameter, and a staged tree whose /reserved-memory Linux would ignore."""
    odd = dtb("odd", reserved("pool { };", OTHER_CELLS))
    m = early.machine("tree-staged-odd", "a:128M@0x50000000,b:128M@0x60000000",
                      initrd=stash.initrd_with("tree-staged-odd", {"odd.dtb": odd}))
    with m:
        stash.stage(m, "b")
        stash.stage(m, "a", dtb="/odd.dtb")
        m.run("kexec-membuf load a")
        go(m)
        assert "kexec_stash" not in m.read("/proc/cmdline")
        check_b(m)


def test_frame_buffer_goes_on():
    """It is in the next tree with its memory, which has another phandle there."""
    node = "fb: fb@70000000 { reg = <0 0x70000000 0 0x400000>; no-map; phandle = <0x9000>; };"
    chosen = ("/ { chosen { framebuffer@70000000 { compatible = \"simple-framebuffer\"; memory-region = <&fb>; "
              "width = <800>; height = <600>; stride = <3200>; format = \"a8r8g8b8\"; }; }; };")
    nodes = [stash.node(slot, base) for slot, base in BASE.items()] + [node, "}; };" + chosen + "/ { reserved-memory {"]
    staged = dtb("fb", "/ { taken { phandle = <0x9000>; }; };" + CHOSEN)
    with machine("tree-fb", {"fb.dtb": staged}, nodes) as m:
        stash.stage(m, "a", dtb="/fb.dtb")
        m.run("kexec-membuf load a")
        go(m)
        tree = "/proc/device-tree"
        assert m.read(f"{tree}/model").strip("\0") == "staged board"
        named = m.run(f"od -A n -t x1 {tree}/chosen/framebuffer@70000000/memory-region")
        region = m.run(f"od -A n -t x1 {tree}/reserved-memory/fb@70000000/phandle")
        print(named, region)
        assert named == region
        assert m.read(f"{tree}/chosen/framebuffer@70000000/format").strip("\0") == "a8r8g8b8"
