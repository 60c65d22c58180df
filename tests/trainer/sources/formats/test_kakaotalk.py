"""KakaoTalk's exports of computers and phones."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.trainer.sources.reading import FIXTURES, read
from trainer.sources.message import Message

HERE = FIXTURES / "kakaotalk"


def stamps(messages: list[Message]) -> list[str]:
    return [datetime.fromtimestamp(message.timestamp or 0, UTC).strftime("%Y-%m-%d %H:%M") for message in messages]


def test_a_computer_writes_the_day_once() -> None:
    """Notices, calls and deletions are nobody's words; a sentence that begins like a placeholder is."""
    messages, rejects = read(HERE / "computer.txt")
    assert [(message.kind, message.sender_name, message.text, message.attachments) for message in messages] == [
        ("service", "", "나무님이 구름님을 초대했습니다.", ()),
        ("message", "나무", "오늘 몇 시에 와?", ()),
        ("message", "구름", "일곱 시쯤\n조금 늦을지도", ()),
        ("message", "바다", "", ("photo",)),
        ("deleted", "바다", "삭제된 메시지입니다.", ()),
        ("call", "구름", "보이스톡 해요", ()),
        ("service", "", "바다님이 나갔습니다.", ()),
        ("message", "나무", "사진 좀 보내 줘", ()),
    ]
    assert stamps(messages)[1:4] + stamps(messages)[-1:] == [
        "2023-05-10 09:23",
        "2023-05-10 12:25",
        "2023-05-10 12:26",
        "2023-05-11 00:05",
    ]
    assert {(message.conversation_type, message.conversation_name) for message in messages} == {("group", "빵집")}
    assert rejects == []


def test_a_phone_writes_the_day_with_every_message() -> None:
    """A colon in a text is no name; two people make a private chat."""
    messages, rejects = read(HERE / "phone.txt")
    said = [message for message in messages if message.kind == "message"]
    assert [(message.sender_name, message.text, message.attachments) for message in said] == [
        ("나무", "잘 잤어?", ()),
        ("구름", "응\n너는 : 어때", ()),
        ("나무", "", ("sticker",)),
    ]
    assert stamps(said) == ["2023-05-10 09:23", "2023-05-10 21:25", "2023-05-10 21:26"]
    assert {message.conversation_type for message in messages} == {"dm"}
    assert rejects == []


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("tablet.txt", [("나무", "반죽 다 됐어"), ("", "구름님이 들어왔습니다."), ("구름", ""), ("바다", "고마워")]),
        ("english.txt", [("Ann", "rye or wheat?"), ("Bo", "rye"), ("Cy", "")]),
        (
            "KakaoTalk_Chat_빵집_2023-05-11-21-37-00.csv",
            [("나무", "오늘 몇 시에 와?"), ("구름", "일곱 시쯤\n조금 늦을지도"), ("바다", "")],
        ),
    ],
)
def test_other_notations(file: str, said: list[tuple[str, str]]) -> None:
    """Of 24 hours, in English, and the Mac's."""
    messages, rejects = read(HERE / file)
    assert [(message.sender_name, message.text) for message in messages] == said
    assert {message.conversation_type for message in messages} == {"group"}
    assert rejects == []


def test_a_date_of_no_known_calendar_is_refused(tmp_path: Path) -> None:
    """And told."""
    path = tmp_path / "chat.txt"
    path.write_text("2023년 5월 10일 오전 9:23, 나무 : 하나\n2023년 15월 40일 오전 9:24, 나무 : 둘\n", encoding="utf-8")
    messages, rejects = read(path)
    assert [message.text for message in messages] == ["하나"]
    assert [reject.raw for reject in rejects] == ["둘"]


def test_boards_and_searches(tmp_path: Path) -> None:
    """What is put on the chat's board is somebody's words; a search is a link."""
    lines = [
        "톡게시판 '공지': 내일 만나요",
        "톡게시판 '투표': 어디로?",
        "샵검색: #빵",
        "사진을 보냈습니다.",
        "샵검색 해봐",
    ]
    said = "".join(f"[보] [오후 9:0{number}] {line}\n" for number, line in enumerate(lines))
    day = "--------------- 2024년 3월 1일 금요일 ---------------\n"
    (tmp_path / "k.txt").write_text(
        f"빵 3 님과 카카오톡 대화\n저장한 날짜 : 2024-03-01\n\n{day}{said}", encoding="utf-8"
    )
    messages, _ = read(tmp_path / "k.txt")
    assert [(one.text, one.attachments) for one in messages] == [
        ("내일 만나요", ("note",)),
        ("어디로?", ("poll",)),
        ("", ("link",)),
        ("", ("photo",)),
        ("샵검색 해봐", ()),
    ]


def test_notices_under_a_name_and_names_of_pictures(tmp_path: Path) -> None:
    """The Mac's CSV names a picture by its hash, and says under somebody's name what happened."""
    rows = [f"{'0a' * 32}.jpg", "시이님이 들어왔습니다.", "빵님이 시이님을 초대했습니다.", "0a.jpg"]
    text = "".join(f'2024-03-01 21:0{number}:00,"보","{row}"\n' for number, row in enumerate(rows))
    (tmp_path / "KakaoTalk_Chat_빵_2024-03-01-21-00-00.csv").write_text(f"Date,User,Message\n{text}", encoding="utf-8")
    messages, _ = read(tmp_path)
    assert [(one.kind, one.text, one.attachments) for one in messages] == [
        ("message", "", ("photo",)),
        ("service", "시이님이 들어왔습니다.", ()),
        ("service", "빵님이 시이님을 초대했습니다.", ()),
        ("message", "0a.jpg", ()),
    ]
    assert {one.conversation_name for one in messages} == {"빵"}
