"""LINE's history, of phones and of the desktop."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.trainer.sources.reading import FIXTURES, read

HERE = FIXTURES / "line"


def test_a_phones_export() -> None:
    """Halves of the day, quoted lines, stickers, calls, what the app says."""
    messages, rejects = read(HERE / "[LINE] phone.txt")
    assert [(one.sender_name, one.text, one.attachments) for one in messages if one.kind == "message"] == [
        ("ミナト", "おはよう", ()),
        ("なぎさ", '二行\n"だよ', ()),
        ("ミナト", "", ("sticker",)),
        ("なぎさ", "", ("photo",)),
        ("なぎさ", "10:05 に集合", ()),
    ]
    assert [one.kind for one in messages if one.kind != "message"] == ["service", "call"]
    assert {(one.conversation_id, one.conversation_type) for one in messages} == {("ミナト", "dm")}
    assert rejects == []


def test_the_desktops_export_has_blanks_in_names() -> None:
    """A name is as long as everything that begins with it goes on alike."""
    messages, rejects = read(HERE / "desktop.txt")
    assert [(one.sender_name, one.text, one.attachments) for one in messages] == [
        ("Mia Sol", "morning", ()),
        ("Ren", "", ("photo",)),
        ("Mia Sol", "who took\nthe oars", ()),
        ("Mia Sol", "nobody says", ()),
        ("Ren", "not me", ()),
        ("Ren", "", ("sticker",)),
        ("Okoye", "fine", ()),
    ]
    assert {one.conversation_type for one in messages} == {"group"}
    assert rejects == []


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("令和6年3月1日(金)", "2024-03-01"),
        ("令和6/03/01(金)", "2024-03-01"),
        ("令和元年5月1日(水)", "2019-05-01"),
        ("令和６年３月１日（金）", "2024-03-01"),
        ("R6.3.1(金)", "2024-03-01"),
        ("㋿6年3月1日", "2024-03-01"),
        ("平成31年4月30日 火曜日", "2019-04-30"),
        ("2024年3月1日(金)", "2024-03-01"),
        ("0006/03/01(金)", "2024-03-01"),  # the era left out, its year padded
        ("0006/03/01(月)", ""),
        ("令和6年2月31日(金)", ""),
    ],
)
def test_days_of_the_japanese_calendar(tmp_path: Path, day: str, expected: str) -> None:
    """However the era is written; a day that is none leaves its messages undated."""
    (tmp_path / "[LINE] g.txt").write_text(
        f"[LINE] Gのトーク履歴\n保存日時：2024/03/09 10:00\n\n{day}\n10:00\tAna\tone\n", encoding="utf-8"
    )
    messages, rejects = read(tmp_path / "[LINE] g.txt")
    assert [one.text for one in messages] == ["one"]
    at = messages[0].timestamp
    assert (datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d") if at else "") == expected
    assert rejects == []


@pytest.mark.parametrize(
    ("file", "first", "last"),
    [
        ("[LINE] phone.txt", "2021-03-04 09:05", "2021-03-05 00:02"),
        ("desktop.txt", "2021-03-04 09:05", "2021-03-05 00:02"),
        ("english-phone.txt", "2020-03-20 22:05", "2020-03-21 00:05"),
        ("taiwan.txt", "2022-05-06 07:08", "2022-05-06 23:08"),
        ("desktop-untitled.txt", "2025-12-30 23:43", "2025-12-31 00:10"),
        ("thai.txt", "2024-01-15 10:30", "2024-01-16 09:00"),
        ("english-day-first.txt", "2026-04-26 16:35", "2026-04-26 16:36"),
    ],
)
def test_days_stand_on_lines_of_their_own(file: str, first: str, last: str) -> None:
    """In the shapes of apps and languages."""
    messages, rejects = read(HERE / file)
    stamps = [datetime.fromtimestamp(one.timestamp or 0, UTC).strftime("%Y-%m-%d %H:%M") for one in messages]
    assert (stamps[0], stamps[-1]) == (first, last)
    assert rejects == []


@pytest.mark.parametrize(
    ("file", "name", "kind"),
    [
        ("[LINE] phone.txt", "ミナト", "dm"),
        ("desktop.txt", "Harbour Lights", "group"),
        ("english-phone.txt", "Harbour", "group"),
        ("english-day-first.txt", "Alex", "dm"),
        ("thai.txt", "ท่าเรือ", "group"),
        ("desktop-untitled.txt", "", "dm"),
    ],
)
def test_the_first_line_names_the_chat(file: str, name: str, kind: str) -> None:
    """And says whether it is with somebody or in a group."""
    messages, _ = read(HERE / file)
    assert {(one.conversation_name, one.conversation_type) for one in messages} == {(name, kind)}


def history(tmp_path: Path, title: str, *lines: str) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """Kind, name, text and media of what is read of a file."""
    (tmp_path / "line.txt").write_text("\n".join((title, *lines)) + "\n", encoding="utf-8")
    messages, rejects = read(tmp_path / "line.txt")
    assert rejects == []
    return [(one.kind, one.sender_name, one.text, one.attachments) for one in messages]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("10:02\t\tCy joined the group.", "service"),
        ("10:03\tAna unsent a message.", "service"),
        ("10:04\tYou unsent a message.", "service"),
        ("10:05\tBo\tBo made an announcement: bake day", "service"),
        ("10:06\tAna added Dee to the group.", "service"),
        ("10:07\tAna\tAuto-reply\tI am away", "service"),
        ("10:03\t花子がメッセージの送信を取り消しました", "service"),
        ("10:04\tメッセージの送信を取り消しました", "service"),
        ("10:05\tBo\tメッセージの送信を取り消しました", "service"),
        ("下午1:03\tBo撤回了一条消息", "service"),
        ("下午1:03\tBo已收回訊息", "service"),
        ("오후 1:03\t철수님이 메시지를 삭제했습니다.", "service"),
        ("10:05\tBo\t☎ Missed call", "call"),
        ("10:05\tBo\tyou unsent a message?", "message"),
        ("10:05\tBo\twe joined the group of bakers", "message"),
        ("10:05\tBo\t2026.02.01 Sunday", "message"),
    ],
)
def test_notices_are_nobodys_words(tmp_path: Path, line: str, kind: str) -> None:
    """With a name in a column of its own or without one."""
    messages = history(tmp_path, "[LINE] Chat history in Club", "Saved on: 2/8/2026, 10:05", "", "Sun, 2/1/2026", line)
    assert [one[0] for one in messages] == [kind]


@pytest.mark.parametrize(
    ("text", "media", "words"),
    [
        ("[Location] Mill, 12 Long Lane", "location", ""),
        ("[Album] 3 photos", "album", ""),
        ("[ノート] 明日の予定", "note", ""),
        ("[File] recipe.pdf", "file", ""),
        ("[LINEギフト]プレゼントを贈りました", "gift", ""),
        ("[Poll]rye or spelt", "poll", "rye or spelt"),
        ("[照片]", "photo", ""),
        ("[语音信息]", "voice", ""),
        ("[表情贴图]", "sticker", ""),
        ("[동영상]", "video", ""),
        ("[สติกเกอร์]", "sticker", ""),
    ],
)
def test_tags_stand_for_media(tmp_path: Path, text: str, media: str, words: str) -> None:
    """In the app's language."""
    lines = ("", "", "Sun, 2/1/2026", f"10:00\tBo\t{text}")
    ((kind, _, said, attachments),) = history(tmp_path, "[LINE] Chat history with Bo", *lines)
    assert (kind, said, attachments) == ("message", words, (media,))


def test_the_weekday_decides_day_and_month(tmp_path: Path) -> None:
    """The second of January 2026 is no Sunday; a day line needs no blank line before it."""
    lines = ["Sun, 2/1/2026", "10:00\tBo\thi", "Mon, 2/2/2026", "09:00\tBo\tmorning", "24:05\tBo\tlate"]
    lines += ["Wed, 4/2/2026", "24:07\tBo\tearly", "24:08\tBo\tearly too"]
    (tmp_path / "line.txt").write_text("\n".join(("[LINE] Chat history with Bo", "", "", *lines)), encoding="utf-8")
    messages, _ = read(tmp_path / "line.txt")
    stamps = [datetime.fromtimestamp(one.timestamp or 0, UTC).strftime("%Y-%m-%d %H:%M") for one in messages]
    assert stamps == [
        "2026-02-01 10:00",
        "2026-02-02 09:00",
        "2026-02-03 00:05",
        "2026-02-04 00:07",
        "2026-02-04 00:08",
    ]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("10:04 Ana i left the group because of you", "message"),
        ("10:04 Ana we created a poll", "message"),
        ("10:04 Ana that has invited many a guest", "message"),
        ("10:04 Ana 設定を変更しました", "message"),
        ("10:04 Ana 我更改了计划", "message"),
        ("10:04 Bo unsent a message.", "service"),
        ("10:04 Cy joined the group.", "service"),
        ("10:04 Bo changed the group's name to Bread", "service"),
    ],
)
def test_on_the_desktop_a_blank_is_all_that_parts_a_name(tmp_path: Path, line: str, kind: str) -> None:
    """What somebody tells of groups is theirs."""
    lines = ["10:00 Ana hi", "10:01 Bo ok", "10:02 Ana hm", "10:02 Bo so", "10:03 Ana yes", "10:03 Bo yes", line]
    messages = history(tmp_path, "2026.02.01 Sunday", *lines)
    assert [one[0] for one in messages] == [*["message"] * 6, kind]


@pytest.mark.parametrize(
    "notice",
    [
        "you unsent a message.",
        "メッセージの送信を取り消しました",
        "您已收回訊息",
        "你撤回了一条消息",
        "메시지 전송을 취소했습니다.",
    ],
)
def test_what_the_desktop_says_to_whoever_exported_is_nobodys(tmp_path: Path, notice: str) -> None:
    """It stands under their own name; with a word more, somebody says it."""
    path = tmp_path / "chat.txt"
    path.write_text(
        f"2026.02.01 Sunday\n10:00 Bo hi\n10:01 Ana yes\n10:02 Ana {notice}\n10:03 Ana {notice} why\n", encoding="utf-8"
    )
    assert [message.kind for message in read(path)[0]] == ["message", "message", "service", "message"]


PASTED = """[LINE] Chat history with Bo
Saved on: 2024/03/09 10:00

2024/03/01(Fri)
10:00\tAna\thello
10:01\tBo\t"they wrote ""so""
{}
10:02\tDee\tme too"
10:05\tAna\toh
"""


@pytest.mark.parametrize("pasted", ["10:02\tCy\tlook", "2024/03/01(Fri)\t", "10:02\tCy\ta\n\n10:03\tEd\tb"])
def test_an_excerpt_in_a_message_makes_no_group(tmp_path: Path, pasted: str) -> None:
    """What stands in quotation marks is one message, and the chat stays private."""
    path = tmp_path / "chat.txt"
    path.write_text(PASTED.format(pasted), encoding="utf-8")
    messages, rejects = read(path)
    assert [(message.sender_name, message.conversation_type) for message in messages] == [
        ("Ana", "dm"),
        ("Bo", "dm"),
        ("Ana", "dm"),
    ]
    assert messages[1].text == f'they wrote "so"\n{pasted}\n10:02\tDee\tme too'
    assert rejects == []


def test_a_quotation_mark_that_somebody_typed_swallows_nobody(tmp_path: Path) -> None:
    """In two messages, or without an end."""
    path = tmp_path / "chat.txt"
    said = ['Ana\t"to be', "Bo\twhat", 'Ana\tor not"', 'Bo\t"hm', "Ana\tyes"]
    lines = [f"10:0{minute}\t{line}" for minute, line in enumerate(said)]
    path.write_text("\n".join(["[LINE] Chat history with Bo", "2024/03/01(Fri)", *lines]), encoding="utf-8")
    messages, _ = read(path)
    assert [f"{message.sender_name}\t{message.text}" for message in messages] == said


@pytest.mark.parametrize(
    ("title", "day", "tags"),
    [
        ("Historial de chat con Bo", "vie., 1/3/2024", "[Vídeo] [Mensaje de voz] [Foto]"),
        ("Lịch sử trò chuyện với Bo", "2024/03/01(Th 6)", "[Video] [Tin nhắn thoại] [Hình ảnh]"),
        ("Bo ile sohbet geçmişi", "Cum, 1/3/2024", "[Video] [Sesli mesaj] [Resim]"),
    ],
)
def test_other_languages_of_the_app(tmp_path: Path, title: str, day: str, tags: str) -> None:
    """Their days and their tags of media."""
    said = "".join(f"21:0{number}\tBo\t{tag}]\n" for number, tag in enumerate(tags.rstrip("]").split("] ")))
    text = f"[LINE] {title}\n: 2024/03/02 12:03\n\n{day}\n21:00\tAna\t[video of mine]\n{said}"
    (tmp_path / "chat.txt").write_text(text, encoding="utf-8")
    messages, rejects = read(tmp_path / "chat.txt")
    assert [one.attachments for one in messages] == [(), ("video",), ("voice",), ("photo",)]
    assert messages[0].timestamp == 1709326800.0
    assert {one.conversation_type for one in messages} == {"dm"}
    assert rejects == []
