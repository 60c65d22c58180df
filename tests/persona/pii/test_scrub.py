"""Personal data goes, whatever its country's habits; everything that only looks like it stays."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona.pii.accounts import is_card, is_iban
from persona.pii.scrub import scrub

PERSONAL = {
    "e-mail": """
        mail me: bob.smith+x@mail.example.co.uk!
        bob (at) example (dot) org
        <bob@example.org>
    """,
    "phone": """
        +49 151 23456789
        call +1 (555) 123-4567 now
        tel:+31612345678
        0049 30 901820
        (212) 555-0123
        212-555-0123
        06 12 34 56 78
        0171/1234567
        030 / 1234567
        +86 138 1234 5678
        call 4155550132
        我的手机 13812345678
        @4915123456789 look
        hi @+49 170 7654321 and
    """,
    "card": """
        4111 1111 1111 1111
        card:5500-0000-0000-0004
        378282246310005
    """,
    "iban": """
        DE89 3704 0044 0532 0130 00
        GB82WEST12345698765432 ok
        my iban is nl91 abna 0417 1643 00 thanks
    """,
    "ip": """
        192.168.1.17
        203.0.113.7:8080
        2001:db8::ff00:42:8329
    """,
    "key": """
        AKIAIOSFODNN7EXAMPLE
        ghp_abcdefghijklmnopqrstuvwxyz0123456789
        password: hunter2!
        密码：geheim99
        123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0
        5f4dcc3b5aa765d61d8327deb882cf99
        eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N
    """,
    "address": """
        i live at 12 Baker Street
        12 baker street, come over
        Hauptstraße 5b
        Lange Str. 12
        Keizersgracht 123 bel 2
        10 rue de la Paix
        Via Roma 12
        Calle Mayor, 3
        ул. Ленина, д. 5
        南京路123号
        3丁目4番5号
    """,
}
HARMLESS = """
    2021-03-04
    04.03.2021 10:30
    see you 12/05/2023 at 18:30, or on 12.5.
    10/10, 24/7, 9/11, 50/50, 100%
    21-19 21-17 lol, then 6-0 6-1 6-0
    $10,000,000 or 10 000 000 or 1.000.000 euro
    12,50 € for 2x 500 g
    1999-2004, 2020 2021 2022, spring 2021
    20210304
    <@123456789012345678> and 1623456789012345678
    v1.2.3.4 is out; 127.0.0.1 sweet 127.0.0.1
    12:30:45, 16:9, std::vector
    1609459200
    4 8 15 16 23 42
    5 hours down the street, 10 minutes down the road
    Windows 11 22H2 build 22621.1, iPhone 12 mini
    3.14159265358979
    👍🏽😀 1️⃣2️⃣3️⃣
    lunch @ joes.place today, says @bob@mastodon.social
    password reset please
    2,147,483,648 and 18446744073709551615
    ISBN 978-3-16-148410-0
    aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    the-quick-brown-fox-2020-jumps-over-it
    auf Platz 3
    2 Fast 2 Furious
    I have 1234567890 reasons
    1000000000000
    version 12.4.1.7 broke it
    Build: 10.3.19.45
    这件事二号再说
    第3号选手坐2号线
    在国贸大厦3层吃饭
    bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5
"""


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


@pytest.mark.parametrize("text,kind", [(text, kind) for kind, texts in PERSONAL.items() for text in lines(texts)])
def test_what_is_personal_becomes_a_placeholder(text: str, kind: str) -> None:
    """One find, of its kind, and the words around it stay."""
    scrubbed = scrub(text, ("US", "DE", "CN"))
    assert scrubbed.kinds == (kind,), scrubbed.text
    assert f"[{kind}]" in scrubbed.text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("昨天晚上我们一起去了中山北路45号吃饭", "昨天晚上我们一起去了[address]吃饭"),
        ("北京市朝阳区建国路88号3号楼502室", "[address]"),
        ("我住在望京小区3号楼2单元501室", "我住在[address]"),
        ("阳光花园5栋302", "[address]"),
        ("延安西路1088弄12号", "[address]"),
        ("人民路一百二十三号", "[address]"),
        ("台北市中山北路二段 45 號", "[address]"),
        ("to BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "to [key]"),
        ("to bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", "to [key]"),
    ],
)
def test_chinese_addresses_and_bech32_go_whole(text: str, left: str) -> None:
    """Estates, buildings and rooms too; words before and after stay. The check sum tells an address of a chain."""
    assert scrub(text).text == left


@pytest.mark.parametrize("text", lines(HARMLESS))
def test_what_only_looks_personal_stays(text: str) -> None:
    """Dates, scores, prices, years, ids, versions, emoji: in a corpus with phones of four countries too."""
    assert scrub(text, ("US", "DE", "CN", "NL")).text == text


def test_a_national_number_counts_in_its_country() -> None:
    """Where no country is known, ten digits are ten digits."""
    assert scrub("4155550132", ("US",)).kinds == ("phone",)
    assert scrub("4155550132").kinds == ()
    assert scrub("call 612 345 678", ("ES",)).kinds == ("phone",)


def test_several_finds_are_all_replaced_and_the_rest_stays() -> None:
    """Also over the lines of one message: a private key goes whole."""
    key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----"
    found = scrub(f"a@b.org or +4915123456789\n{key}\nok")
    assert found.text == "[e-mail] or [phone]\n[key]\nok"
    assert sorted(found.kinds) == ["e-mail", "key", "phone"]


@given(st.text(st.sampled_from(string.ascii_letters + string.digits + " .,:;@+-()/[]=_\n你路号"), max_size=120))
def test_any_text_can_be_scrubbed_and_the_finds_are_counted(text: str) -> None:
    """As many placeholders come in as finds are told."""
    once = scrub(text, ("US", "DE"))
    assert len(once.kinds) == sum(once.text.count(mark) - text.count(mark) for mark in map("[{}]".format, PERSONAL))
    assert set(once.kinds) <= PERSONAL.keys()


@given(st.integers(0, 10**14 - 1))
def test_a_changed_digit_is_no_card(number: int) -> None:
    """Luhn's check digit finds every single wrong one."""
    stem = f"4{number:014}"
    right = [stem + digit for digit in string.digits if is_card(stem + digit)]
    assert len(right) == 1


@given(st.integers(0, 10**18 - 1))
def test_an_account_has_one_pair_of_check_digits(number: int) -> None:
    """Modulo 97, for the length its country uses."""
    right = [check for check in range(2, 99) if is_iban(f"DE{check:02}{number:018}")]
    assert len(right) == 1
    assert not is_iban(f"DE{right[0]:02}{number:018}0")
