# SPDX-License-Identifier: GPL-2.0-or-later
"""The Debian package, make install, the systemd units and the completion, as far as this machine can
test them. test_update_agents.py runs them under systemd."""

import gzip
import os
import re
import shlex
import subprocess

import pytest

from qemu import BUILD, TOP

TOOL = TOP / "tools/kexec-membuf"
WORK = BUILD / "tests/package"
PROGRAMS = ["kexec-membuf", "kexec-membuf-pack"]
UNITS = ["kexec-membuf-load@.service", "sys-fs-kexec.mount"]
# Which package a library of Debian 12 is in
PACKAGES = {"libc.so.6": "libc6", "ld-linux-aarch64.so.1": "libc6", "libcrypto.so.3": "libssl3",
            "libfdt.so.1": "libfdt1", "libjson-c.so.5": "libjson-c5", "liblz4.so.1": "liblz4-1", "liblzma.so.5": "liblzma5",
            "libz.so.1": "zlib1g", "libzstd.so.1": "libzstd1"}


def run(*command, **kwargs):
    """Run a command that must succeed; its standard output."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          check=False, **kwargs)
    assert done.returncode == 0, f"{shlex.join(map(str, command))}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module", name="deb")
def fixture_deb():
    """The package, built if something changed."""
    path = run(TOP / "scripts/deb").splitlines()[-1]
    print(path)
    return path


@pytest.fixture(scope="module", name="unpacked")
def fixture_unpacked(deb):
    root = WORK / "unpacked"
    run("rm", "-rf", root)
    run("dpkg-deb", "-R", deb, root)
    return root


def make(*settings):
    run("make", "-s", "-C", TOOL, f"O={WORK}/native", *settings)


@pytest.fixture(scope="module", name="installed")
def fixture_installed():
    """The tool for this machine, installed below a prefix of its own, with the files that the units name."""
    prefix = WORK / "prefix"
    run("rm", "-rf", prefix)
    make("install", f"PREFIX={prefix}")
    return prefix


def field(deb, name):
    return run("dpkg-deb", "-f", deb, name).strip()


# The package

def test_package_holds_program_units_completion_and_pages(deb):
    """Exactly these files, all of root, none writable by others; only the programs can be executed."""
    rows = [line.split(None, 5) for line in run("dpkg-deb", "-c", deb).splitlines()]
    files = {row[5].split(" -> ")[0]: row for row in rows if not row[0].startswith("d")}
    print("\n".join(sorted(files)))
    doc = "./usr/share/doc/kexec-membuf"
    pages = {name[len(doc) + 1:].removesuffix(".gz") for name in files if name.startswith(doc + "/")}
    assert pages == {"changelog", "copyright", "early.md", "file-system.md", "updates.md"}
    assert {name for name in files if not name.startswith(doc + "/")} == {
        *(f"./usr/sbin/{name}" for name in PROGRAMS), *(f"./usr/share/man/man8/{name}.8.gz" for name in PROGRAMS),
        *(f"./usr/share/bash-completion/completions/{name}" for name in PROGRAMS),
        "./usr/share/lintian/overrides/kexec-membuf",
        *(f"./lib/systemd/system/{unit}" for unit in UNITS)}
    for name, row in files.items():
        assert row[0] == ("-rwxr-xr-x" if "/sbin/" in name else "-rw-r--r--"), row
        assert row[1] == "root/root", row


def test_package_is_arm64_and_has_the_tools_version(deb, installed):
    version = run(installed / "sbin/kexec-membuf", "--version").split()[1]
    print(version, deb)
    assert [field(deb, name) for name in ("Package", "Architecture", "Version")] == ["kexec-membuf", "arm64", version]


def test_program_is_linked_with_shared_libraries_that_the_package_depends_on(deb, unpacked):
    """The program uses all of the Makefile's libraries as shared ones. Depends has the package of each, with a version, and
    nothing else."""
    program = unpacked / "usr/sbin/kexec-membuf"
    assert "AArch64" in run("readelf", "-h", program)
    dynamic = run("readelf", "-d", program)
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)
    depends = dict(re.fullmatch(r"(\S+) \(>= (\S+)\)", part).groups() for part in field(deb, "Depends").split(", "))
    print(needed, depends)
    named = " ".join(re.findall(r"^libs [:+]= (-l.*)$", (TOOL / "Makefile").read_text(), re.M)).split()
    assert len(named) == 7
    for lib in named:
        assert any(so.startswith(f"lib{lib.removeprefix('-l')}.so.") for so in needed), f"{lib} is linked statically"
    assert {PACKAGES[so] for so in needed} == set(depends)
    # kexec-membuf-pack calls it
    assert field(deb, "Recommends") == "cpio"
    assert "NOW" in dynamic and "PIE" in dynamic


def test_lintian_finds_nothing(deb):
    """lintian finds nothing in the package, its source and its build."""
    changes = f"{TOP}/build/deb/{os.path.basename(deb).removesuffix('.deb')}.changes"
    done = subprocess.run(["lintian", "--allow-root", "-i", "-I", "--pedantic", changes], capture_output=True,
                          text=True, check=False)
    print(done.stdout, done.stderr)
    assert (done.returncode, done.stdout) == (0, "")
    # A file that lintian cannot open is not a clean one
    assert re.search(r"^ \S+ .*kexec-membuf_\S+\.dsc$", open(changes, encoding="utf-8").read(), re.M)
    assert "error" not in done.stderr.lower()


def test_installing_starts_nothing_but_the_mount(unpacked):
    """The administrator chooses which slot is loaded, if any."""
    scripts = "".join((unpacked / "DEBIAN" / name).read_text() for name in ("postinst", "prerm", "postrm"))
    print(scripts)
    assert set(re.findall(r"[\w@-]+\.(?:service|mount|target)", scripts)) == {"sys-fs-kexec.mount"}


# The units

def test_units_have_nothing_that_systemd_minds(installed):
    """systemd-analyze knows their settings, and finds program and manual page."""
    units = [installed / "lib/systemd/system" / name for name in UNITS]
    done = subprocess.run(["systemd-analyze", "verify", *map(str, units)], capture_output=True, text=True, check=False,
                          env={**os.environ, "MANPATH": str(installed / "share/man")})
    print(done.stdout, done.stderr)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_units_of_the_package_name_its_program(unpacked, installed):
    for name in UNITS:
        text = (unpacked / "lib/systemd/system" / name).read_text()
        print(text)
        assert text == (installed / "lib/systemd/system" / name).read_text().replace(f"{installed}/sbin", "/usr/sbin")
        assert "@SBINDIR@" not in text
    assert "\nExecStart=/usr/sbin/kexec-membuf load %i" in (unpacked / "lib/systemd/system" / UNITS[0]).read_text()


def test_loading_is_enabled_by_slot_for_a_kexec_only(unpacked):
    """Not at boot: a loaded slot cannot be staged into. A slot's name may have a '-', and is kept as it is."""
    root = WORK / "enabled"
    run("rm", "-rf", root)
    run("cp", "-a", unpacked, root)
    run("systemctl", f"--root={root}", "enable", "kexec-membuf-load@rescue-1.service", "sys-fs-kexec.mount")
    links = sorted(str(path.relative_to(root / "etc/systemd/system")) for path in (root / "etc").rglob("*")
                   if path.is_symlink())
    print(links)
    assert links == ["kexec.target.wants/kexec-membuf-load@rescue-1.service", "sysinit.target.wants/sys-fs-kexec.mount"]


def test_the_load_unit_is_confined(installed):
    """As systemd sees it: a load needs root, CAP_SYS_BOOT and the stash, and little else."""
    done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--threshold=20", "--no-pager",
                           str(installed / "lib/systemd/system" / UNITS[0])], capture_output=True, text=True,
                          check=False)
    print(done.stdout, done.stderr)
    assert done.returncode == 0


# make install

def tree(root):
    return {str(path.relative_to(root)): (path.lstat().st_mode, path.read_bytes() if path.is_file() else None)
            for path in root.rglob("*")}


@pytest.mark.parametrize("settings, folders", [
    (["PREFIX=/usr"],
     ["usr/sbin", "usr/share/man/man8", "usr/lib/systemd/system", "usr/share/bash-completion/completions"]),
    ([], ["usr/local/sbin", "usr/local/share/man/man8", "usr/local/lib/systemd/system",
          "usr/local/share/bash-completion/completions"]),
    (["SBINDIR=/bin", "MANDIR=/m", "UNITDIR=/u", "COMPLETIONDIR=/c"], ["bin", "m/man8", "u", "c"]),
], ids=["usr", "default", "each"])
def test_uninstall_removes_what_install_put_there(settings, folders):
    """The usual variables say where everything goes. After an uninstall the old files are there, and files beside it stay."""
    dest = WORK / "dest"
    run("rm", "-rf", dest)
    for folder in folders:
        (dest / folder).mkdir(parents=True)
        (dest / folder / "kexec-membuf.other").write_text("somebody else's\n")
    before = tree(dest)
    make("install", f"DESTDIR={dest}", *settings)
    new = set(tree(dest)) - set(before)
    print(sorted(new))
    sbin, man, unit, completion = folders
    assert new == {*(f"{sbin}/{name}" for name in PROGRAMS), *(f"{man}/{name}.8" for name in PROGRAMS),
                   *(f"{completion}/{name}" for name in PROGRAMS), *(f"{unit}/{name}" for name in UNITS)}
    assert os.access(dest / sbin / "kexec-membuf-pack", os.X_OK)
    assert f"\nExecStart=/{sbin}/kexec-membuf " in (dest / unit / UNITS[0]).read_text()
    make("uninstall", f"DESTDIR={dest}", *settings)
    assert tree(dest) == before


def test_manual_page_names_the_units(unpacked):
    text = gzip.decompress((unpacked / "usr/share/man/man8/kexec-membuf.8.gz").read_bytes()).decode()
    for name in ("sys-fs-kexec.mount", "kexec-membuf-load@"):
        assert re.search(rf"^\.Pa {name}", text, re.M), name


# The completion

@pytest.fixture(scope="module", name="complete")
def fixture_complete(installed):
    """Press the tabulator key: complete("load", "") returns what may follow 'kexec-membuf load '."""
    stash = WORK / "stash"
    for slot in ("a", "b", "rescue-1"):
        (stash / slot).mkdir(parents=True, exist_ok=True)
        (stash / slot / "state").touch()
    (stash / "no-slot").mkdir(exist_ok=True)
    files = WORK / "files"
    (files / "a folder").mkdir(parents=True, exist_ok=True)
    for name in ("Image", "Image of b", "initrd.img"):
        (files / name).touch()
    script = "set -u; . \"$1\"; complete -p \"${1##*/}\" > /dev/null; function=${1##*/}; shift; " \
        "COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); \"_${function//-/_}\"; printf '%s\\n' \"${COMPREPLY[@]}\""

    def press(*words, program=installed / "sbin/kexec-membuf", completes="kexec-membuf", **env):
        completion = installed / "share/bash-completion/completions" / completes
        done = subprocess.run(["bash", "-c", script, "bash", str(completion), str(program), *words], cwd=files,
                              capture_output=True, text=True, check=False,
                              env={**os.environ, "KEXEC_MEMBUF_STASH": str(stash), **env})
        print(words, done)
        # Output there would be on the typed line
        assert (done.returncode, done.stderr) == (0, "")
        offered = done.stdout.splitlines() if done.stdout != "\n" else []
        assert len(offered) == len(set(offered))
        return set(offered)
    return press


def commands_of(program):
    return set(re.findall(r"^ +kexec-membuf ([a-z]+)", run(program, "--help"), re.M))


def test_completion_offers_all_commands(complete, installed):
    commands = commands_of(installed / "sbin/kexec-membuf")
    assert commands >= {"list", "show", "verify", "load", "exec", "unload"}
    assert complete("") == commands | {"--help", "--version"}
    assert complete("l") == {name for name in commands if name.startswith("l")}
    assert complete("nosuch", "") == set()


def test_completion_offers_all_options_of_each_command(complete, installed):
    """Everything in its --help, in usage and in the list of options."""
    program = installed / "sbin/kexec-membuf"
    for command in commands_of(program):
        options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", run(program, command, "--help")))
        assert {"--help", "--version"} <= options
        assert complete(command, "-") == options, command
    assert "--reuse-cmdline" in complete("load", "a", "")


def test_completion_offers_slots_where_one_is_asked_for(complete, installed):
    program = installed / "sbin/kexec-membuf"
    seen = 0
    for command in commands_of(program):
        slots = complete(command, "") & {"a", "b", "rescue-1", "no-slot"}
        takes_one = f"kexec-membuf {command} SLOT" in run(program, command, "--help")
        assert slots == ({"a", "b", "rescue-1"} if takes_one else set()), command
        seen += takes_one
    assert seen >= 3
    assert complete("load", "r") == {"rescue-1"}
    assert not complete("load", "a", "") & {"a", "b", "rescue-1"}
    assert complete("load", "--no-initrd", "r") == {"rescue-1"}
    # Behind an option's value, however it was given
    assert complete("load", "--initrd", "Image", "r") == {"rescue-1"}
    assert complete("load", "--initrd", "=", "Image", "r") == {"rescue-1"}
    assert complete("load", "", KEXEC_MEMBUF_STASH="/nonexistent") == set()


def test_completion_offers_files_for_options_that_take_one(complete, installed):
    program = installed / "sbin/kexec-membuf"
    seen = 0
    for command in commands_of(program):
        for option in re.findall(r"^ +(--[a-z-]+) FILE", run(program, command, "--help"), re.M):
            assert complete(command, "a", option, "") == {"Image", "Image of b", "initrd.img", "a folder"}, option
            seen += 1
    assert seen >= 2
    assert complete("load", "a", "--initrd", "Im") == {"Image", "Image of b"}
    assert complete("load", "a", "--initrd", "=", "Im") == {"Image", "Image of b"}
    assert complete("load", "a", "--initrd", "=") == {"Image", "Image of b", "initrd.img", "a folder"}
    # Nobody can know a command line
    assert complete("load", "a", "--command-line", "") == set()


def test_completion_without_the_program_is_silent(complete):
    assert complete("", program="/nonexistent/kexec-membuf") == {"--help", "--version"}
    assert complete("load", "", program="/nonexistent/kexec-membuf") == set()


def test_completion_of_pack(complete, installed):
    """Options and files; names of slots are another machine's."""
    pack = {"program": installed / "sbin/kexec-membuf-pack", "completes": "kexec-membuf-pack"}
    options = set(re.findall(r"(?m)^ +(--?[a-z-]+)", run(pack["program"], "--help")))
    assert options >= {"-o", "--kernel", "--initrd", "--dtb", "--command-line", "--kernel-sig", "--help"}
    assert complete("", **pack) == complete("a", "-", **pack) == options
    assert complete("a", "--ker", **pack) == {"--kernel", "--kernel-sig"}
    for option in options - {"--command-line", "--help"}:
        assert complete("a", option, "", **pack) == {"Image", "Image of b", "initrd.img", "a folder"}, option
    assert complete("a", "--kernel", "Im", **pack) == {"Image", "Image of b"}
    assert complete("a", "--kernel", "=", **pack) == {"Image", "Image of b", "initrd.img", "a folder"}
    assert complete("a", "--kernel", "=", "Im", **pack) == {"Image", "Image of b"}
    assert complete("a", "--command-line", "", **pack) == set()
    assert complete("a", "", **{**pack, "program": "/nonexistent/kexec-membuf-pack"}) == set()
