"""Keys and tokens in a text: by the prefixes their issuers document, by a label before them, or by how random they look."""

import math
import re
from collections import Counter
from collections.abc import Sequence

_ISSUED = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?s:.{0,8000}?)(?:-----END [A-Z ]{3,40}-----|\Z)"
    r"|(?<![\w\-])(?:"
    r"(?:AKIA|ASIA)[A-Z\d]{16}"  # AWS
    r"|gh[pousr]_\w{20,255}|github_pat_\w{20,255}|glpat-[\w\-]{20,64}"  # GitHub, GitLab
    r"|xox[abeoprs]-[\w\-]{10,250}|AIza[\w\-]{35}|ya29\.[\w\-]{20,250}"  # Slack, Google
    r"|sk-[\w\-]{20,250}|[sr]k_(?:live|test)_\w{16,250}|SG\.[\w\-]{16,32}\.[\w\-]{16,64}"  # OpenAI, Stripe, SendGrid
    r"|hf_\w{30,60}|npm_\w{36}|pypi-[\w\-]{50,250}"  # Hugging Face, npm, PyPI
    r"|eyJ[\w\-]{8,4000}\.[\w\-]{4,4000}(?:\.[\w\-]{0,4000})?"  # JSON web tokens
    r"|[MNO][\w\-]{22,28}\.[\w\-]{6}\.[\w\-]{27,45}|\d{8,10}:[\w\-]{35}"  # Discord's bots, Telegram's
    r"|ssh-(?:rsa|ed25519) [\w+/=]{40,2000}"
    r")(?![\w\-])"
)
_LABELLED = re.compile(
    r"(?:passwor[dt]|passwd|passphrase|\bpwd|passcode|api[ _\-]?key|secret[ _\-]?key|access[ _\-]?token|auth[ _\-]?token"
    r"|contraseña|mot de passe|kennwort|wachtwoord|пароль|密码|密碼|パスワード) ?(?:is|ist)? ?[:=：] ?"
    r"(?P<secret>[^\s\[\]]{4,200})",
    re.IGNORECASE,
)
_BECH32 = re.compile(
    r"(?<![\w\-])(?:[a-z][a-z\d]{1,20}1[ac-hj-np-z02-9]{14,600}|[A-Z][A-Z\d]{1,20}1[AC-HJ-NP-Z02-9]{14,600})(?!\w)"
)
_BECH32_LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_SUMS = (1, 0x2BC830A3)  # of bech32 and bech32m (Bitcoin's BIP 173 and BIP 350)
SHORTEST = 16  # characters; few messages hold a word as long
_LABELS = ("pass", "pwd", "key", "token", "contrase", "mot de", "kennw", "wachtw", "парол", "密", "パス")
_RUN = re.compile(r"(?<![\w+/=\-@])[A-Za-z\d+/_\-]{24,400}={0,2}(?![\w+/=])")
_HEX = re.compile(r"(?:0x)?[0-9a-fA-F]{32,}")
_CHANGE = re.compile(r"(?<=[a-z])[A-Z\d]|(?<=\d)[A-Za-z]|(?<=[A-Z])[a-z\d]")
_RANDOM_BITS = 3.8  # Shannon entropy a character: words joined by dashes stay below, base64 of 24 characters lies above


def keys(text: str) -> Sequence[tuple[int, int]]:
    """Return the spans of keys, tokens and labelled passwords, the longest of those that begin together."""
    long = any(len(word) >= SHORTEST for word in text.split()) or "-----BEGIN" in text
    spans = [match.span() for match in _ISSUED.finditer(text)] if long else []
    if (":" in text or "=" in text or "：" in text) and any(label in text.lower() for label in _LABELS):
        spans += [match.span("secret") for match in _LABELLED.finditer(text)]
    if long:
        spans += [match.span() for match in _RUN.finditer(text) if _is_random(match[0])]
        spans += [match.span() for match in _BECH32.finditer(text) if _is_bech32(match[0])] if "1" in text else ()
    apart: list[tuple[int, int]] = []
    for start, stop in sorted(spans, key=lambda span: (span[0], -span[1])):
        if not apart or start >= apart[-1][1]:
            apart.append((start, stop))
    return apart


def _is_random(run: str) -> bool:
    """Return whether a long run of letters and digits was drawn by a machine: hexadecimal, or letters of both cases and
    digits that change kind often."""
    if _HEX.fullmatch(run):
        return not run.isdecimal() and len(set(run)) > 6
    if not (any(map(str.isdigit, run)) and run != run.lower() and run != run.upper()):
        return False
    counts = Counter(run)
    bits = -sum(count / len(run) * math.log2(count / len(run)) for count in counts.values())
    return bits >= _RANDOM_BITS and len(_CHANGE.findall(run)) >= len(run) / 5


def _is_bech32(run: str) -> bool:
    """Return whether the check sum of an address or key of Bitcoin, Lightning, Nostr and their kin is right."""
    prefix, _, data = run.lower().rpartition("1")
    values = [ord(char) >> 5 for char in prefix] + [0] + [ord(char) & 31 for char in prefix]
    values += [_BECH32_LETTERS.index(char) for char in data]
    checksum = 1
    for value in values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            checksum ^= generator if top >> place & 1 else 0
    return checksum in _BECH32_SUMS
