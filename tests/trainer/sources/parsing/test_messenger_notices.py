"""What Messenger and Instagram say, in the languages of their apps; {} stands for the sender."""

import pytest

from trainer.sources.parsing.messenger_notices import is_notice, sent_medium, without_edit_note

NAMED = [
    "{} changed the theme to Love.",
    "{} missed a call from you.",
    "{} named the group Bread Club.",
    "{} pinned a message.",
    "{} created a poll: rye?",
    "{} hat das Thema zu Liebe geändert.",
    "{} hat die Gruppe Brotclub genannt.",
    "{} hat deinen Anruf verpasst.",
    "{} a changé le thème pour Amour.",
    "{} a nommé le groupe Club du pain.",
    "{} a manqué votre appel.",
    "{} cambió el tema a Amor.",
    "{} te llamó.",
    "{} mudou o tema para Amor.",
    "{} saiu do grupo.",
    "{} ha cambiato il tema in Amore.",
    "{} heeft het thema gewijzigd in Liefde.",
    "{} heeft de groep verlaten.",
    "{} ha iniziato una videochiamata",
    "{} изменил(а) тему на «Любовь».",
    "{} змінила тему на «Кохання».",
    "{} zmienił(a) motyw na Miłość.",
    "{} temayı Aşk olarak değiştirdi.",
    "{} mengubah tema menjadi Cinta.",
    "غيّر {} السمة إلى الحب.",
    "{} שינה את ערכת הנושא לאהבה.",
    "{} ने थीम बदलकर प्यार कर दी।",
    "{}さんがテーマを変更しました。",
    "{}将主题更改为“爱”。",
    "{}님이 테마를 변경했습니다.",
    "{} ändrade temat till Kärlek.",
    "{} ændrede temaet til Kærlighed.",
    "{} endret temaet til Kjærlighet.",
    "{} vaihtoi teemaksi Rakkaus.",
    "{} změnil(a) motiv na Láska.",
    "{} megváltoztatta a témát erre: Szerelem.",
    "{} a schimbat tema în Dragoste.",
    "Ο/Η {} άλλαξε το θέμα σε Αγάπη.",
    "{} เปลี่ยนธีมเป็นความรัก.",
    "{} đã đổi chủ đề thành Tình yêu.",
]
OF_THE_ACCOUNT = [
    "You set the nickname for Zed to Z.",
    "You sent an attachment.",
    "Du hast den Spitznamen für Zed auf Z festgelegt.",
    "Du hast einen Anhang gesendet.",
    "Vous avez envoyé une pièce jointe.",
    "Enviaste un archivo adjunto.",
    "Você enviou um anexo.",
    "Hai inviato un allegato.",
    "Je hebt een bijlage verzonden.",
    "Вы отправили вложение.",
    "Wysłałeś załącznik.",
    "添付ファイルを送信しました。",
    "你发送了附件。",
    "첨부 파일을 보냈습니다.",
    "Du skickade en bilaga.",
    "This poll is no longer available.",
    "Diese Umfrage ist nicht mehr verfügbar.",
    "Ce sondage n’est plus disponible.",
    "Esta encuesta ya no está disponible.",
    "Этот опрос больше недоступен.",
]
REACTIONS = [
    "Reacted 😂 to your message ",
    "Liked a message",
    "Hat mit 😂 auf deine Nachricht reagiert ",
    "A réagi avec 😂 à votre message ",
    "Reaccionó con 😂 a tu mensaje ",
    "Reagiu com 😂 à sua mensagem ",
    "Ha reagito con 😂 al tuo messaggio ",
    "Heeft met 😂 op je bericht gereageerd ",
    "Отреагировал(а) 😂 на ваше сообщение ",
    "あなたのメッセージに😂でリアクションしました",
    "메시지에 😂 공감을 남겼습니다",
    "Menanggapi pesan Anda dengan 😂",
    "Đã bày tỏ cảm xúc 😂 về tin nhắn của bạn ",
    "Curtiu uma mensagem",
    "A aimé un message",
    "Ha aggiunto la reazione ❤️ al tuo messaggio ",
    "Video chat ended",
    "La videochiamata è terminata",
    "Videochat beëindigd",
    "Videochat beendet",
    "ビデオチャットが終了しました",
]
SENT = [
    ("{} sent an attachment.", "file"),
    ("{} sent a GIF.", "gif"),
    ("{} hat ein Foto gesendet.", "photo"),
    ("{} a envoyé une vidéo.", "video"),
    ("{} envió un mensaje de voz.", "voice"),
    ("{} enviou uma figurinha.", "sticker"),
    ("{} ha inviato la posizione.", "location"),
    ("{} отправил(а) фото.", "photo"),
    ("{}さんが写真を送信しました。", "photo"),
]


@pytest.mark.parametrize("sender", ["Zoë", "Zoë Maria Vee"])
@pytest.mark.parametrize("text", NAMED + [text for text, _ in SENT])
def test_lines_about_the_sender(sender: str, text: str) -> None:
    """A name, and what its bearer did."""
    assert is_notice(sender, text.format(sender))


@pytest.mark.parametrize("text", OF_THE_ACCOUNT + REACTIONS)
def test_lines_without_a_name(text: str) -> None:
    """About the account itself, or reactions."""
    assert is_notice("Zoë", text)


@pytest.mark.parametrize(
    "text",
    [
        "Your other chat with Bo was archived.",
        "Instagram upgraded the security of this chat. Messages and calls will be secured with end-to-end encryption.",
        "Messages and calls are secured with end-to-end encryption.",
        "Disappearing messages were turned off.",
        "You changed disappearing messages. Messages will disappear 5 minutes after they're sent.",
        "You unsent a message",
        "A poll has been unsent.",
        "Your poll has multiple updates.",
        "You cleared the nickname for Bo.",
        "You took a screenshot.",
        "Someone added Bo and 3 others to the group. They can only see messages sent after they were added.",
        "A contact started a video chat.",
        "The audio call ended.",
        "A chat admin changed who can add people to all members.",
        "You turned off message sharing permissions for this chat.",
    ],
)
def test_sentences_of_messengers_client(text: str) -> None:
    """About nobody who speaks there; as its web page has them."""
    assert is_notice("Zoë", text)


@pytest.mark.parametrize(
    "text",
    [
        "Your poll was great.",
        "You took a screenshot of my cat?",
        "The call ended badly.",
        "Someone added me to a group.",
    ],
)
def test_what_people_say_of_such_things_stays(text: str) -> None:
    """A poll, a screenshot, a call."""
    assert not is_notice("Zoë", text)


@pytest.mark.parametrize(("text", "kind"), SENT)
def test_what_was_sent(text: str, kind: str) -> None:
    """A placeholder tells what it stands for."""
    assert sent_medium(text.format("Zoë")) == kind


@pytest.mark.parametrize(
    "text",
    [
        "you sent me the wrong photo",
        "You changed your mind about the group?",
        "du hast mir ein Foto geschickt.",
        "liked it",
        "i reacted too fast",
        "I left the group because of you.",
        "the theme is love.",
        "😂 what a message",
        "this poll is silly.",
        "ich habe die Gruppe verlassen.",
        "j'ai changé le thème.",
        "写真ありがとう。",
    ],
)
def test_what_people_say(text: str) -> None:
    """Is theirs, although it speaks of groups and photos."""
    assert not is_notice("Zoë", text)


def test_a_name_is_a_whole_word() -> None:
    """Al says `Also …`, and nobody's name stands inside `changed`."""
    assert not is_notice("Al", "Also I think so.")
    assert not is_notice("Ange", "he changed the plan.")
    assert not is_notice("Ana", "Ana.")


@pytest.mark.parametrize(
    ("text", "rest", "edited"),
    [
        ("last year (edited)", "last year", True),
        ("letztes Jahr (bearbeitet)", "letztes Jahr", True),
        ("l'an dernier (modifié)", "l'an dernier", True),
        ("año pasado (editado)", "año pasado", True),
        ("去年 (已编辑)", "去年", True),
        ("last year (i think)", "last year (i think)", False),
    ],
)
def test_the_note_of_an_edit(text: str, rest: str, edited: bool) -> None:
    """In its language, and what only stands in brackets."""
    assert without_edit_note(text) == (rest, edited)
