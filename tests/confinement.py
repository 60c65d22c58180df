"""A unit's limits around a command, without systemd: what systemd.exec(5) says they are, made with mounts, a user and
system call filters. Left out: PrivateUsers, PrivateIPC, and what needs cgroups.

Needs root, and a mount namespace of its own, which `command` asks for.
"""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

NOBODY = 65534
ROOT = Path("/mnt")  # where the command's root is put together
STATE = "var/lib/alterego"

Service = Mapping[str, Sequence[str]]


def service(unit: Path) -> Service:
    """The settings of a unit's [Service], each with its values in order."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text().partition("[Service]")[2].splitlines():
        name, is_setting, value = line.partition("=")
        if is_setting and not line.startswith("#"):
            found.setdefault(name, []).append(value.replace("%S", "/var/lib").replace("%t", "/run"))
    return found


def command(installed: Path, unit: str, state: Path, words: Sequence[str]) -> list[str]:
    """What runs `words` under the limits of a unit that lies under `installed`, with `state` as its state."""
    own = ["unshare", "--mount", "--propagation", "private", sys.executable, "-m", "tests.confinement"]
    return [*own, str(installed), unit, str(state), *words]


def _mount(*words: str | Path) -> None:
    subprocess.run(["mount", *map(str, words)], check=True)


def _bind(there: Path, here: Path, *options: str) -> None:
    if there.is_dir():
        here.mkdir(parents=True, exist_ok=True)
    else:
        here.touch()
    _mount("--bind", *options, there, here)


def _tmpfs(here: Path, mode: str) -> None:
    here.mkdir(parents=True, exist_ok=True)
    _mount("-t", "tmpfs", "-o", f"mode={mode}", "tmpfs", here)


def build_root(installed: Path, limits: Service, state: Path) -> None:
    """ProtectSystem=strict, ProtectHome, PrivateTmp, ProtectProc, ProcSubset, DevicePolicy=closed, StateDirectory,
    LoadCredential: all is read-only but the state, and nothing of home is there but a Python that lies in it."""
    _tmpfs(ROOT, "755")
    for there in map(Path, ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/sys")):
        if there.is_symlink():
            (ROOT / there.name).symlink_to(there.readlink())
        elif there.is_dir():
            _bind(there, ROOT / there.name, "-o", "ro")
    subprocess.run(["cp", "-a", "/etc", ROOT], check=True)
    subprocess.run(["cp", "-a", f"{installed}/etc", ROOT], check=True)
    (installed / "opt/alterego/.venv").mkdir(exist_ok=True)
    _bind(installed / "opt/alterego", ROOT / "opt/alterego", "-o", "ro")
    _bind(Path(sys.prefix), ROOT / "opt/alterego/.venv", "-o", "ro")
    if not sys.base_prefix.startswith("/usr"):
        _bind(Path(sys.base_prefix), ROOT / sys.base_prefix.lstrip("/"), "-o", "ro")
    _bind(state, ROOT / STATE)
    for folder in ("tmp", "var/tmp"):
        _tmpfs(ROOT / folder, "1777")
    _devices()
    subset = ",subset=pid" if limits.get("ProcSubset") == ["pid"] else ""
    (ROOT / "proc").mkdir()
    _mount("-t", "proc", "-o", f"hidepid=invisible{subset}", "proc", ROOT / "proc")
    _run_folder(installed, limits)
    _mount("-o", "remount,ro", ROOT)


def _devices() -> None:
    _tmpfs(ROOT / "dev", "755")
    _tmpfs(ROOT / "dev/shm", "1777")
    nodes = [Path("/dev") / name for name in ("null", "zero", "full", "random", "urandom")]
    for node in [*nodes, *(one for one in Path("/dev").glob("nvidia*") if one.is_char_device())]:
        _bind(node, ROOT / "dev" / node.name)


def _run_folder(installed: Path, limits: Service) -> None:
    _tmpfs(ROOT / "run", "755")
    kept = [ROOT / "run/credentials", *(ROOT / "run" / name for name in limits.get("RuntimeDirectory", ()))]
    for folder in kept:
        folder.mkdir(mode=0o700)
        os.chown(folder, NOBODY, NOBODY)
    for credential in limits.get("LoadCredential", ()):
        name, _, source = credential.partition(":")
        if (there := installed / source.lstrip("/")).is_file():
            copy = shutil.copy(there, kept[0] / name)
            os.chown(copy, NOBODY, NOBODY)


def environment(limits: Service) -> dict[str, str]:
    """What a service finds, and what a test hands on."""
    words = [word for line in limits.get("Environment", ()) for word in shlex.split(line)]
    found = dict(word.split("=", 1) for word in words)
    found |= {"HOME": f"/{STATE}", "USER": "nobody", "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"}
    found |= {"STATE_DIRECTORY": f"/{STATE}", "CREDENTIALS_DIRECTORY": "/run/credentials", "HF_HUB_OFFLINE": "1"}
    return found


def main() -> None:
    """Set the limits, and become the command."""
    from tests.system_calls import filters

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("installed", type=Path)
    parser.add_argument("unit")
    parser.add_argument("state", type=Path)
    parser.add_argument("words", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    limits = service(given.installed / "etc/systemd/system" / given.unit)
    loaded = filters(limits)
    build_root(given.installed, limits, given.state)
    os.chroot(ROOT)
    os.chdir(limits["WorkingDirectory"][-1])
    os.umask(int(limits["UMask"][-1], 8))
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    for one in loaded:
        one.load()  # NoNewPrivileges comes with it
    os.execve(given.words[0], given.words, environment(limits))


if __name__ == "__main__":
    main()
