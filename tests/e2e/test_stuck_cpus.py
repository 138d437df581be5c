# SPDX-License-Identifier: GPL-2.0-or-later
"""CPUs that block a kexec: firmware with a spin table starts them, but cannot stop them."""

import re
import subprocess

import stash
from qemu import IMAGE, Machine, closed_on_failure
from stash import BASE_A, BOOTARGS, INITRAMFS


def spin_table_tree(name, nodes):
    """QEMU's tree with a spin table for the CPUs, which nothing serves."""
    out = stash.device_tree(name, nodes)
    source = out.with_suffix(".dts")
    text, count = re.subn(r'enable-method = "psci";', 'enable-method = "spin-table"; cpu-release-addr = <0x0 0xd8>;',
                          source.read_text())
    assert count == 2, f"{count} CPUs in {source}"
    source.write_text(text)
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-p", "4096", "-o", out, source], check=True)
    return out


def test_refusal_names_them_and_the_way_out():
    files, load = stash.staged(BASE_A)
    tree = spin_table_tree("stuck-cpus", [stash.node("a", BASE_A, files=files, bootargs=BOOTARGS)])
    with Machine("stuck-cpus", kernel=IMAGE, initrd=INITRAMFS, append=BOOTARGS, dtb=tree, load=load) as m:
        with closed_on_failure(m):
            m.shell()
        assert m.run("nproc").strip() == "1" and m.read("/sys/devices/system/cpu/possible") == "0-1"
        said = m.fails("kexec-membuf load a")
        print(said)
        assert "slot 'a': CPUs 1 cannot be stopped" in said and "nr_cpus=1" in said
        assert "in use" not in said
        assert stash.state(m, "a") == "staged" and m.read("/sys/kernel/kexec_loaded") == "0"


def test_one_cpu_is_enough():
    """The way out that the line names."""
    files, load = stash.staged(BASE_A)
    tree = spin_table_tree("one-cpu", [stash.node("a", BASE_A, files=files, bootargs=f"{BOOTARGS} nr_cpus=1")])
    with Machine("one-cpu", kernel=IMAGE, initrd=INITRAMFS, append=f"{BOOTARGS} nr_cpus=1", dtb=tree, load=load) as m:
        with closed_on_failure(m):
            m.shell()
        m.run("kexec-membuf load a")
        m.jump("kexec-membuf exec")
        m.shell()
        assert stash.state(m, "a") == "running"
