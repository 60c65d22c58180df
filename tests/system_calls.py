"""A unit's system call filters, as systemd builds them: SystemCallFilter with SystemCallErrorNumber,
RestrictAddressFamilies, RestrictNamespaces and LockPersonality."""

import errno
import subprocess
from collections.abc import Iterable, Mapping, Sequence

from pyseccomp import ALLOW, EQ, ERRNO, MASKED_EQ, NE, Arg, SyscallFilter

FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10}
NAMESPACES = (0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)  # CLONE_NEW…


def calls(names: Iterable[str]) -> set[str]:
    """System calls, groups (`@basic-io`) resolved as this machine's systemd knows them."""
    found: set[str] = set()
    for name in names:
        if not name.startswith("@"):
            found.add(name)
            continue
        shown = ["systemd-analyze", "syscall-filter", "--no-pager", name]
        lines = subprocess.run(shown, check=True, capture_output=True, text=True).stdout.splitlines()[1:]
        found |= calls(line.strip() for line in lines if line.strip() and not line.strip().startswith("#"))
    return found


def filters(limits: Mapping[str, Sequence[str]]) -> list[SyscallFilter]:
    """The filters of a service's settings; the one that might forbid to load another comes last. What systemd doesn't
    know is answered ENOSYS, as it does."""
    kept: set[str] = calls(["@default"])
    for value in limits["SystemCallFilter"]:
        named = calls(value.removeprefix("~").split())
        kept = kept - named if value.startswith("~") else kept | named
    refused = ERRNO(getattr(errno, limits["SystemCallErrorNumber"][-1]))
    common = SyscallFilter(ERRNO(errno.ENOSYS))
    for name in calls(["@known"]):
        try:
            common.add_rule(ALLOW if name in kept else refused, name)
        except OSError:  # of another kind of processor, or newer than the library
            continue
    return [_families(limits["RestrictAddressFamilies"][-1].split()), _namespaces(), _personality(), common]


def _families(kept: Sequence[str]) -> SyscallFilter:
    found = SyscallFilter(ALLOW)
    for family in set(range(64)) - {FAMILIES[name] for name in kept}:
        found.add_rule(ERRNO(errno.EAFNOSUPPORT), "socket", Arg(0, EQ, family))
    return found


def _namespaces() -> SyscallFilter:
    found = SyscallFilter(ALLOW)
    for flag in NAMESPACES:
        for name in ("unshare", "clone"):
            found.add_rule(ERRNO(errno.EPERM), name, Arg(0, MASKED_EQ, flag, flag))
    found.add_rule(ERRNO(errno.EPERM), "setns")
    found.add_rule(ERRNO(errno.ENOSYS), "clone3")  # its flags lie in memory, where no filter can look
    return found


def _personality() -> SyscallFilter:
    found = SyscallFilter(ALLOW)
    found.add_rule(ERRNO(errno.EPERM), "personality", Arg(0, NE, 0))
    return found
