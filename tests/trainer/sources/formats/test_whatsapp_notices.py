"""What WhatsApp says itself, in many languages: never somebody's words."""

from pathlib import Path

import pytest

from tests.trainer.sources.reading import read
from trainer.sources.message import Message


def only(tmp_path: Path, text: str) -> Message:
    """What is read of a text that Ana sends in a group."""
    lines = ["04/03/2025, 09:00 - Bo: hi", "04/03/2025, 09:01 - Cy: hi", f"04/03/2025, 10:00 - Ana: {text}"]
    (tmp_path / "chat.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    messages, rejects = read(tmp_path / "chat.txt")
    assert rejects == []
    return messages[2]


@pytest.mark.parametrize("mark", ["", "\u200e"])
@pytest.mark.parametrize(
    ("text", "kind", "words", "attachments"),
    [
        ("Waiting for this message. This may take a while.", "unsupported", None, ()),
        ("Warte auf diese Nachricht. Das kann einen Moment dauern.", "unsupported", None, ()),
        ("Esperando este mensaje. Esto puede tomar tiempo.", "unsupported", None, ()),
        ("En attente de ce message. Cela peut prendre du temps.", "unsupported", None, ()),
        ("Aguardando mensagem. Essa ação pode levar alguns instantes.", "unsupported", None, ()),
        ("正在等待此消息。这可能需要一段时间。", "unsupported", None, ()),
        ("This message was deleted by admin Bo", "unsupported", None, ()),
        ("Missed voice call", "call", None, ()),
        ("Voice call, 3 min", "call", None, ()),
        ("Verpasster Sprachanruf", "call", None, ()),
        ("Appel vocal manqué", "call", None, ()),
        ("Llamada de voz perdida", "call", None, ()),
        ("Videochiamata persa", "call", None, ()),
        ("Пропущенный аудиозвонок", "call", None, ()),
        ("不在着信 音声通話", "call", None, ()),
        ("<View once voice message omitted>", "message", "", ("voice",)),
        (
            "You received a view once photo. For added privacy, you can only open it on your phone.",
            "message",
            "",
            ("photo",),
        ),
        ("Einmalige Ansicht Foto", "message", "", ("photo",)),
        ("Vidéo à vue unique", "message", "", ("video",)),
        ("live location shared", "message", "", ("location",)),
        ("Live-Standort wird geteilt", "message", "", ("location",)),
        ("Ubicación en tiempo real compartida", "message", "", ("location",)),
        ("Standort: https://maps.google.com/?q=52.1,4.3", "message", "", ("location",)),
        ("место: https://maps.google.com/?q=52.1,4.3", "message", "", ("location",)),
        ("sourdough.pdf • 4 pages document omitted", "message", "", ("file",)),
        ("Rezept.docx Dokument weggelassen", "message", "", ("file",)),
        ("Contact card omitted", "message", "", ("file",)),
        (
            "POLL:\nrye or spelt?\nOPTION: rye (2 votes)\nOPTION: spelt (0 votes)",
            "message",
            "rye or spelt?\nrye\nspelt",
            ("poll",),
        ),
        (
            "UMFRAGE:\nwann?\nOPTION: heute (1 Stimme)\nOPTION: morgen (2 Stimmen)",
            "message",
            "wann?\nheute\nmorgen",
            ("poll",),
        ),
        ("EVENT: bake day\nDescription: bring flour", "message", "bake day", ("event",)),
        ("VERANSTALTUNG: Backtag", "message", "Backtag", ("event",)),
    ],
)
def test_what_the_app_writes(
    tmp_path: Path, mark: str, text: str, kind: str, words: str | None, attachments: tuple[str, ...]
) -> None:
    """With the mark of iOS and without, as Android and editors leave it."""
    message = only(tmp_path, mark + text)
    assert (message.kind, message.attachments) == (kind, attachments)
    assert words is None or message.text == words


@pytest.mark.parametrize(
    "text",
    [
        "waiting for you",
        "i missed your call, voice was off",
        "let us have a video call?",
        "you added me to the wrong group",
        "we left early",
        "live and let live",
        "the position is: far left",
        "my plan:\n10:00 - up\n11:00 - bread",
        "document this please",
        "einmal noch, dann foto",
        "standort unklar",
    ],
)
def test_what_people_say_is_theirs(tmp_path: Path, text: str) -> None:
    """Even if it speaks of calls, groups and photos."""
    message = only(tmp_path, text)
    assert (message.kind, message.text, message.attachments) == ("message", text, ())


def test_a_file_has_one_notation(tmp_path: Path) -> None:
    """Lines that begin with a date in another one belong to the message above them."""
    schedule = "13/05/2021 10:30 Dentist: bring papers\n13/05/2021 12:00 Lunch - at the harbour\n13.05.2021, 18:00 Konzert: ja!"
    text = f"12/05/21, 10:00 - Ann: the plan\n{schedule}\n12/05/21, 10:01 - Bob: ok\n14/05/21, 09:02 - Ann: x\n"
    (tmp_path / "chat.txt").write_text(text)
    messages, rejects = read(tmp_path / "chat.txt")
    assert [(one.sender_name, one.text) for one in messages] == [
        ("Ann", f"the plan\n{schedule}"),
        ("Bob", "ok"),
        ("Ann", "x"),
    ]
    assert rejects == []


def test_two_exports_put_together_are_both_read(tmp_path: Path) -> None:
    """Of an old phone and a new one, each with its notation and its order of day and month."""
    old = "".join(f"[3/{day}/20, 10:00:00 AM] Ann: old {day}\n" for day in range(13, 18))
    new = "".join(f"0{day}.04.21, 10:00 - Bob: new {day}\n" for day in range(1, 6))
    (tmp_path / "chat.txt").write_text(old + new)
    messages, rejects = read(tmp_path / "chat.txt")
    assert len(messages) == 10
    assert (messages[0].timestamp, messages[9].timestamp) == (1584093600.0, 1617616800.0)
    assert rejects == []


def test_an_excerpt_pasted_into_a_private_chat_stays_in_it(tmp_path: Path) -> None:
    """A line that steps back in time, by somebody who speaks nowhere else, is a quotation: the chat is still private."""
    said = ["05 - Bo: hallo", "09 - Ana: ich zitiere:", "00 - Cy: das", "10 - Ana: ende"]
    (tmp_path / "chat.txt").write_text("".join(f"13.11.25, 01:{line}\n" for line in said))
    messages, _ = read(tmp_path / "chat.txt")
    assert [one.text for one in messages] == ["hallo", "ich zitiere:\n13.11.25, 01:00 - Cy: das", "ende"]
    assert {one.conversation_type for one in messages} == {"dm"}


def test_a_line_about_the_group_is_nobodys(tmp_path: Path) -> None:
    """Although it has a colon, or stands under a name without a mark."""
    lines = [
        "26.03.25, 09:13 - Ana: moin",
        "26.03.25, 09:14 - Jonas: moin",
        "26.03.25, 09:15 - Lena: moin",
        "26.03.25, 09:18 - Ana hat die Gruppenbeschreibung geändert: neue Regeln",
        "26.03.25, 09:19 - Group call: Bo joined",
        "26.03.25, 09:20 - Backgruppe: Du hast die Gruppe erstellt",
        "26.03.25, 09:21 - Jonas: Jonas hat die Gruppe verlassen",
        "26.03.25, 09:22 - Lena: Lena ist mein Name",
    ]
    path = tmp_path / "WhatsApp-Chat mit Backgruppe.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    messages, rejects = read(path)
    assert [one.kind for one in messages] == [*["message"] * 3, "service", "call", "service", "service", "message"]
    assert {one.conversation_type for one in messages} == {"group"}
    assert rejects == []


@pytest.mark.parametrize("name", ["Callum Smith", "Bo Loiseau", "Bo van Left", "Bo Anruf", "Call Center"])
def test_names_that_begin_like_the_apps_words(tmp_path: Path, name: str) -> None:
    """Are people's, also beside somebody who has their first name."""
    lines = [f"04/03/2025, 09:0{minute} - Bo: hi" for minute in range(4)]
    lines.append(f"04/03/2025, 10:00 - {name}: hello: you")
    (tmp_path / "chat.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    messages, _ = read(tmp_path / "chat.txt")
    assert (messages[-1].sender_name, messages[-1].text, messages[-1].kind) == (name, "hello: you", "message")


def test_the_notice_of_encryption_under_a_persons_name(tmp_path: Path) -> None:
    """In a private chat without marks; what that person says is still theirs."""
    notice = "Messages and calls are end-to-end encrypted. Only people in this chat can read them."
    lines = [f"Bo: {notice}", "Bo: i added you", "Ana: so i see"]
    path = tmp_path / "WhatsApp Chat - Bo.txt"
    path.write_text("".join(f"[04.03.25, 09:00:0{second}] {line}\n" for second, line in enumerate(lines)))
    messages, _ = read(path)
    assert [(one.kind, one.sender_name) for one in messages] == [("service", ""), ("message", "Bo"), ("message", "Ana")]
    assert {one.conversation_type for one in messages} == {"dm"}


@pytest.mark.parametrize(
    "line",
    [
        "Waiting for Bo: tap to retry",
        "En attente de Bo : appuyez pour réessayer",
        "Warten auf Bo: zum Wiederholen tippen",
    ],
)
def test_the_app_waits_for_somebody_who_is_not_called_so(tmp_path: Path, line: str) -> None:
    """Unless that is a contact's name: nobody of the rest of it speaks there."""
    chat = "04/03/2021, 22:05 - Bo: hi\n04/03/2021, 22:06 - Ana: hello\n04/03/2021, 22:07 - {}\n"
    path = tmp_path / "WhatsApp Chat with Bo.txt"
    path.write_text(chat.format(line.replace(" :", ":")), encoding="utf-8")
    assert [(message.sender_name, message.kind) for message in read(path)[0]] == [
        ("Bo", "message"),
        ("Ana", "message"),
        ("", "service"),
    ]
    path.write_text(chat.format("Waiting for Godot: he is late"), encoding="utf-8")
    assert read(path)[0][-1].sender_name == "Waiting for Godot"
