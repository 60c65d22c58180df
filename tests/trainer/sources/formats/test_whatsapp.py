"""WhatsApp's export in the languages of many phones."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.trainer.sources.reading import FIXTURES, read
from trainer.sources.message import Message
from trainer.sources.registry import find

HERE = FIXTURES / "whatsapp"


def said(messages: list[Message]) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(one.sender_name, one.text, one.attachments) for one in messages if one.kind == "message"]


def stamp(message: Message) -> str:
    assert message.timestamp is not None
    return datetime.fromtimestamp(message.timestamp, UTC).strftime("%Y-%m-%d %H:%M:%S")


def line(tmp_path: Path, text: str, name: str = "chat.txt") -> Message:
    (tmp_path / name).write_text(text + "\n", encoding="utf-8")
    (message, *_), rejects = read(tmp_path / name)
    assert rejects == []
    return message


def test_an_android_export_of_a_group(tmp_path: Path) -> None:
    """Names with colons, many lines, form feeds, mentions, edits, people who are no contacts, a year that gets longer."""
    messages, rejects = read(HERE / "WhatsApp Chat with Canal Crew.txt")
    assert said(messages) == [
        ("Odile", "who has the paddle", ()),
        ("Odile", "who has the paddle", ()),
        ("Dr. No: Fog", "not me", ()),
        ("Dr. No: Fog", "it says:\n10:30 - departure\n\nand a form\x0cfeed\u2028here", ()),
        ("Dr. No: Fog", "", ("file",)),
        ("Tibo", "@Odile sure", ()),
        ("Odile", "the lock at noon", ("photo",)),
    ]
    kinds = [one.kind for one in messages if one.kind != "message"]
    assert kinds == ["service", "service", "unsupported", "unsupported", "call"]
    assert [stamp(one) for one in messages[5:9]] == [
        "2021-03-01 10:02:00",
        "2021-03-01 12:03:00",
        "2021-03-14 00:04:00",
        "2021-03-14 13:05:00",
    ]
    assert messages[7].mentions == (("", "Odile"),)
    assert {(one.conversation_name, one.conversation_type) for one in messages} == {("Canal Crew", "group")}
    assert len({one.message_id for one in messages}) == len(messages)
    assert rejects == []


def test_an_ios_export_marks_what_nobody_said() -> None:
    """U+200E begins what WhatsApp says: files, deletions, calls."""
    messages, rejects = read(HERE / "_chat.txt")
    assert said(messages) == [
        ("Henrike", "moin\nzweite Zeile", ()),
        ("Henrike", "", ("photo",)),
        ("Joris", "", ("voice",)),
        ("Joris", "schau", ("photo",)),
        ("Henrike", "", ("sticker",)),
        ("Joris", 'doch "klar"', ()),
        ("Ferne", "bin da", ()),
    ]
    assert [one.kind for one in messages if one.kind != "message"] == ["service", "unsupported", "call"]
    assert rejects == []


@pytest.mark.parametrize(
    ("file", "texts", "first", "last", "kind"),
    [
        ("Arabic.txt", ["مساء الخير", "أهلا: كيفك", ""], "2018-06-13 21:25:15", "2018-06-14 00:05:00", "dm"),
        ("與小河的WhatsApp對話.txt", ["早安~", "", "還沒睡？"], "2020-03-05 09:05:00", "2020-03-06 23:10:00", "dm"),
        ("Chat de WhatsApp con Nube.txt", ["", "listo", ""], "2019-04-05 23:30:00", "2019-04-17 00:02:00", "dm"),
        ("klo.txt", ["terve", "no terve\nse on siinä"], "2022-03-12 14:08:00", "2022-03-12 14:09:00", "dm"),
        ("korean.txt", ["안녕", "응"], "2022-03-05 15:04:00", "2022-03-05 15:05:00", "dm"),
        ("old-ios.txt", ["ja", ""], "2015-06-13 21:25:15", "2015-06-13 21:25:20", "dm"),
        ("WhatsApp Chat - Lin & Söhne.zip", ["hej", "hej hej"], "2020-02-03 10:05:06", "2020-02-03 10:05:09", "dm"),
    ],
)
def test_the_languages_of_phones(file: str, texts: list[str], first: str, last: str, kind: str) -> None:
    """Digits, halves of the day, day and month, encodings."""
    messages, rejects = read(HERE / file)
    assert [text for _, text, _ in said(messages)] == texts
    assert (stamp(messages[0]), stamp(messages[-1])) == (first, last)
    assert {one.conversation_type for one in messages} == {kind}
    assert rejects == []


@pytest.mark.parametrize(
    "text",
    [
        "13/06/2018, 21:25 - a: m",
        "6/13/18, 9:25\u202fPM - a: m",
        "13-06-2018, 09.25 PM - a: m",
        "13.06.18 21.25: a: m",
        "[06.13.18 21:25:00] a: m",
        "13.6.2018 klo 21.25 - a: m",
        "\u200e[13/6/18 9:25:00\u00a0p.\u00a0m.] a: m",
        "[2018/06/13, 21:25:00] a: m",
        "[2018. 6. 13. 오후 9:25:00] a: m",
        "2018年6月13日 下午9:25 - a: m",
        "[13/6/2561 21:25:00] a: m",
        "13/06/2018 à 21:25 - a: m",
        "2018. 06. 13. du. 9:25 - a: m",
        "13/6/18, 9:25 μ.μ. - a: m",
        "13.06.2018 21:25 – a: m",
        "13/06/2018 at 21:25 - a: m",
        "[21:25, 13/6/2018] a: m",
        "21:25, 13/06/18 - a: m",
        "[9:25 PM, 6/13/2018] a: m",
        "H30/6/13 21:25 - a: m",
        "[平成30年6月13日 21:25:00] a: m",
        "۱۳۹۷/۳/۲۳، ۲۱:۲۵ - a: m",
        "٢٩/٩/١٤٣٩ ٩:٢٥ م - a: m",
        "13/6/61 21:25 - a: m",
    ],
)
def test_one_moment_in_many_notations(tmp_path: Path, text: str) -> None:
    """The same evening on phones all over the world."""
    message = line(tmp_path, text)
    assert (stamp(message), message.sender_name, message.text) == ("2018-06-13 21:25:00", "a", "m")


def test_which_number_is_the_day_is_decided_by_the_whole_file(tmp_path: Path) -> None:
    """The first impossible month settles it; else time that runs backwards; else the usual order."""
    assert stamp(line(tmp_path, "3/6/18, 13:55 - a: m\n3/14/18, 13:55 - a: n"))[:10] == "2018-03-06"
    assert stamp(line(tmp_path, "3/6/18, 13:55 - a: m\n14/6/18, 13:55 - a: n"))[:10] == "2018-06-03"
    assert stamp(line(tmp_path, "2/12/18, 13:55 - a: m\n3/1/18, 13:55 - a: n"))[:10] == "2018-02-12"
    assert stamp(line(tmp_path, "3/6/18, 1:55 PM - a: m"))[:10] == "2018-03-06"
    assert stamp(line(tmp_path, "03/06/2018, 1:55 pm - a: m"))[:10] == "2018-06-03"


@pytest.mark.parametrize(
    ("text", "kinds", "rest"),
    [
        ("<Multimedia omitido>", ("file",), ""),
        ("<Без медиафайлов>", ("file",), ""),
        ("<メディアは含まれていません>", ("file",), ""),
        ("<Video note omitted>", ("video",), ""),
        ("\u200eimagen omitida", ("photo",), ""),
        ("\u200evidéo absente", ("video",), ""),
        ("PTT-20180613-WA0001.opus (bestand bijgevoegd)", ("voice",), ""),
        ("liste.pdf (dosya ekli)", ("file",), ""),
        ("STK-20180613-WA0001.webp (file attached)", ("sticker",), ""),
        ("\u200e<attached: 00000042-PHOTO-2020-06-07-15-13-20.jpg>", ("photo",), ""),
        ("<3 <you guys>", (), "<3 <you guys>"),
        ("my video (the good one)", (), "my video (the good one)"),
        ("i omitted the best part", (), "i omitted the best part"),
        ("ola <Mensagem editada>", (), "ola"),
    ],
)
def test_what_stands_for_a_file(tmp_path: Path, text: str, kinds: tuple[str, ...], rest: str) -> None:
    """In its language; and what only looks like it."""
    message = line(tmp_path, f"13/06/18, 21:25 - a: {text}")
    assert (message.attachments, message.text) == (kinds, rest)


def test_an_empty_message_is_somebodys(tmp_path: Path) -> None:
    """With the blank after the colon or without."""
    for end in (": ", ":"):
        message = line(tmp_path, f"13/06/18, 21:25 - a{end}")
        assert (message.sender_name, message.text, message.kind) == ("a", "", "message")


def test_an_export_made_later_repeats_the_same_ids(tmp_path: Path) -> None:
    """Exports are cumulative: wherever the file lies and whatever copy it is, a message is the same message."""
    source = HERE / "WhatsApp Chat with Canal Crew.txt"
    later = tmp_path / "elsewhere" / "WhatsApp Chat with Canal Crew (1).txt"
    later.parent.mkdir()
    shutil.copy(source, later)
    with later.open("a", encoding="utf-8") as file:
        file.write("3/16/2021, 8:00\u202fAM - Odile: new\n")
    before, _ = read(source)
    after, _ = read(later)
    assert [(one.conversation_id, one.message_id) for one in after[:-1]] == [
        (one.conversation_id, one.message_id) for one in before
    ]


def test_what_stands_before_the_first_message_is_told(tmp_path: Path) -> None:
    """An export that was cut at the front."""
    (tmp_path / "c.txt").write_text("rest of something\n13/06/18, 21:25 - a: m\n", encoding="utf-8")
    messages, rejects = read(tmp_path / "c.txt")
    assert [one.text for one in messages] == ["m"]
    assert [(one.offset, one.raw, one.reason) for one in rejects] == [
        (0, "rest of something", "text before the first message")
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Sample: nothing\nTest: at all\n+41: What...\nif\n",
        "2021-03-04 10:05:06 - INFO - started\nand more",
        "1/2 - half: of it\n",
        "[1] a footnote: here\n",
    ],
)
def test_other_texts_are_left_alone(tmp_path: Path, text: str) -> None:
    """Logs, notes and lists."""
    (tmp_path / "c.txt").write_text(text)
    assert list(find(tmp_path / "c.txt")) == []


def test_a_date_of_no_known_calendar_is_refused(tmp_path: Path) -> None:
    """With the line, and never as another year."""
    (tmp_path / "c.txt").write_text("13/06/18, 21:25 - a: m\n13/06/5784, 21:26 - a: n\n", encoding="utf-8")
    messages, rejects = read(tmp_path / "c.txt")
    assert [one.text for one in messages] == ["m"]
    assert [(one.raw, one.reason) for one in rejects] == [("a: n", "no such date, or of an unknown calendar")]


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        (("99/99/24", "1/3/24", "25/3/24", "31/2/24"), ["", "2024-03-01", "2024-03-25", ""]),
        (("31/2/24", "30/2/24", "1/3/24", "2/3/24"), ["", "", "2024-03-01", "2024-03-02"]),
        (("24/3/1", "24/3/5"), ["2024-03-01", "2024-03-05"]),  # the year first, as in Chinese of 2018
        (("12/30/23", "1/2/24"), ["2023-12-30", "2024-01-02"]),
        (("5/12/23", "3/1/24", "13/1/24", "2/30/24"), ["2023-12-05", "2024-01-03", "2024-01-13", ""]),
        (("1/3/24", "25/3/24", "4/5/03"), ["2024-03-01", "2024-03-25", ""]),  # before there was WhatsApp
    ],
)
def test_impossible_dates_never_change_the_year(tmp_path: Path, dates: tuple[str, ...], expected: list[str]) -> None:
    """They are refused with their lines; the others keep the order that the file has."""
    lines = [f"{day}, 10:0{number} - Ana: {number}\n" for number, day in enumerate(dates)]
    (tmp_path / "c.txt").write_text("".join(lines), encoding="utf-8")
    messages, rejects = read(tmp_path / "c.txt")
    days = {one.text: datetime.fromtimestamp(one.timestamp or 0, UTC).strftime("%Y-%m-%d") for one in messages}
    assert [days.get(str(number), "") for number in range(len(dates))] == expected
    assert len(rejects) == expected.count("")


def test_an_hour_of_24_belongs_to_the_day_that_its_neighbours_tell(tmp_path: Path) -> None:
    """After other hours of its date it is past midnight; before them it is the date's first."""
    (tmp_path / "chat.txt").write_text(
        "01.03.24, 23:59 - Ana: one\n01.03.24, 24:53 - Bo: two\n03.03.24, 24:00 - Ana: three\n03.03.24, 24:01 - Bo: four\n"
        "03.03.24, 01:10 - Ana: five\n",
        encoding="utf-8",
    )
    messages, _ = read(tmp_path / "chat.txt")
    assert [datetime.fromtimestamp(message.timestamp or 0, UTC).strftime("%d %H:%M") for message in messages] == [
        "01 23:59",
        "02 00:53",
        "03 00:00",
        "03 00:01",
        "03 01:10",
    ]


def test_a_name_is_no_half_of_the_day(tmp_path: Path) -> None:
    """`2024-03-01 15:04 Bo: hi` is another's log; of iOS there is a colon behind the time."""
    path = tmp_path / "a.txt"
    path.write_text("2024-03-01 15:04 Bo Lind: hi: you\n2024-03-01 15:05 Bo Lind: so: so\n" * 3)
    with pytest.raises(AssertionError, match="nothing recognised"):
        read(path)
