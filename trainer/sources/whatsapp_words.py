"""What WhatsApp writes in place of a message, by the stems of its words in the languages it is most used in."""

import re

from trainer.sources.attachment import kind_of

_PHOTO = """image imagen imagem immagin bild foto photo afbeelding изображ фото resim görüntü 画像 写真 图片 圖片
    图像 照片 사진 이미지 صورة תמונה तस्वीर छवि इमेज gambar kuva billede bilde obraz zdjęci obráz kép εικόνα รูปภาพ
    hình تصویر عکس imatge poză"""
_VIDEO = """video vidéo vídeo видео відео動画 動画 视频 視訊 影片 동영상 비디오 فيديو וידאו סרטון वीडियो wideo
    βίντεο วิดีโอ ویدیو"""
_VOICE = """audio áudio аудио аудіо голос voice sprach vocal ääni ljud 音声 ボイス 音频 音訊 語音 语音 오디오 음성
    صوت אודיו שמע ऑडियो dźwięk zvuk hang ήχο เสียง suara âm"""
_STICKER = """sticker стикер стікер наклей çıkartma スタンプ ステッカー 贴图 貼圖 表情 스티커 ملصق מדבקה स्टिकर
    figurinha autocollant naklejk tarra klisterm klistrem nálep matrica αυτοκόλλητ สติก nhãn استیکر adhesiu pegatina"""
_OTHER = """document dokument documento файл документ belge ファイル ドキュメント 文件 文档 檔案 파일 문서 مستند
    מסמך contact kontakt contatto contacto media medien média mídia multimedia medya медиа медіа メディア 媒体 媒體
    미디어 وسائط מדיה मीडिया สื่อ πολυμέσα رسانه archivo bestand phương multimédi mediá médiu multimédia"""
_OMITTED = """omit omess omis weggelassen ausgeschlossen weggelaten absent ocult опущ пропущ без dahil yok 省略 忽略
    略過 含まれ 생략 제외 disertakan utelat udelad utelämn pominię vynech poistett puuttu hiány παραλείφθ ละ bỏ حذف
    استبعاد استثناء הושמט छोड़ शामिल bijgesloten niet utelämnad udeladt"""
_ATTACHED = """attach adjunt angehängt anexad anexo joint allegat добавлен прикреп вложен bijgevoegd eklen 添付 附加
    附件 첨부 lampir مرفق צורף संलग्न bifog vedlagt vedlegg załączon přilož liite csatol επισυνάπ แนบ đính"""
_DELETED = """this.message.was.deleted you.deleted.this.message deleted.by.admin eliminó.este.mensaje
    eliminaste.este.mensaje mensaje.fue.eliminado diese.nachricht.wurde.gelöscht hast.diese.nachricht.gelöscht
    message.a.été.supprimé avez.supprimé.ce.message mensagem.apagada apagou.esta.mensagem mensagem.foi.apagada
    messaggio.è.stato.eliminato eliminato.questo.messaggio bericht.is.verwijderd bericht.verwijderd
    сообщение.удалено удалили.данное.сообщение удалили.это.сообщение повідомлення.видалено mesaj.silindi
    mesajı.sildiniz メッセージは削除されました メッセージを削除しました 消息已被删除 消息已删除 訊息已刪除
    已刪除此訊息 删除了此消息 删除此消息 삭제된.메시지 메시지를.삭제 pesan.ini.telah.dihapus pesan.ini.dihapus
    menghapus.pesan حذف.هذه.الرسالة حذفت.هذه.الرسالة הודעה.זו.נמחקה संदेश.हटाया मैसेज.हटा meddelande…borttage
    meddelelse…slettet melding…slettet wiadomość…usunięt zpráva…smaz viesti…poist üzenet…töröl"""
_EDITED = """edited editó editad bearbeitet modifié modificat bewerkt измен отредакт редаг düzenle 編集 编辑 編輯
    수정 แก้ไข diedit chỉnh تعديل संपादित נערכה ویرایش redigera redigere edytow uprav muokattu szerkeszt επεξεργ"""
_CALL = """call llamada videollamada anruf sprachanruf videoanruf chamada ligação appel chiamata звон дзвін oproep
    gesprek arama 通話 通话 통화 panggilan مكالمة שיחה कॉल samtal opkald anrop połączen hovor puhelu hívás κλήση สาย
    gọi"""


def _any(stems: str) -> str:
    """A pattern for any of these stems; `.` stands for what is no letter, `…` for anything. Scripts that write articles
    or whole sentences into one word have stems inside words."""
    return "|".join(
        (r"(?<!\w)" if stem[0] < "\u0590" else "")
        + "[^\n]{0,20}".join(r"\W+".join(map(re.escape, part.split("."))) for part in stem.split("…"))
        for stem in stems.split()
    )


_KINDS = [
    (kind, re.compile(_any(stems), re.IGNORECASE))
    for kind, stems in (
        ("sticker", _STICKER),
        ("gif", "gif"),
        ("voice", _VOICE),
        ("video", _VIDEO),
        ("photo", _PHOTO),
        ("file", _OTHER),
    )
]
_OMITS = re.compile(_any(_OMITTED), re.IGNORECASE)
_PLACEHOLDER = re.compile(r"<([^<>\n@/]{4,60})>")
_NAMED = re.compile(r"\u200e?<[^<>:\n]{2,30}: ?([^<>\n]{1,200}\.\w{2,5}) ?>")
_BESIDE = re.compile(
    r"\u200e?(?:([^\n]{0,60}-WA\d+\.\w{2,5})|([^\n]{1,200}\.\w{2,5})) "
    rf"\((?(1)[^()\n]+|[^()\n]*(?:{_any(_ATTACHED)})[^()\n]*)\)",
    re.IGNORECASE,
)
_EDIT_MARK = re.compile(rf"\s*\u200e?<[^<>\n]{{0,60}}(?:{_any(_EDITED)})[^<>\n]{{0,60}}>\s*$", re.IGNORECASE)
_GONE = re.compile(rf"[^\n]{{0,40}}(?:{_any(_DELETED)})[^\n]{{0,40}}", re.IGNORECASE)
_CALLS = re.compile(_any(_CALL), re.IGNORECASE)
_ENCRYPTED = re.compile(
    _any("encrypt verschlüss cifra cript chiffr шифр şifre 加密 暗号 암호 مشفر מוצפנ"), re.IGNORECASE
)
_IN_NAME = {"PHOTO": "photo", "VIDEO": "video", "AUDIO": "voice", "STICKER": "sticker", "GIF": "gif"}
_FIRST_LETTERS = {"PTT": "voice", "AUD": "voice", "STK": "sticker", "IMG": "photo", "VID": "video"}


def attached(text: str) -> tuple[str, tuple[str, ...]]:
    """The text without what stands for files in it, and the kinds of those files."""
    kinds = [_kind_of_file(found[1].strip()) for found in _NAMED.finditer(text)]
    text = _NAMED.sub("", text) if kinds else text
    first, _, rest = text.partition("\n")
    if beside := _BESIDE.fullmatch(first.strip()):
        return rest, (*kinds, _kind_of_file((beside[1] or beside[2]).strip("\u200e ")))
    if kind := _omitted(first.strip()):
        return rest, (*kinds, kind)
    return text, tuple(kinds)


def _omitted(line: str) -> str:
    """The kind of what a whole line says was left out."""
    if (inside := _PLACEHOLDER.fullmatch(line.strip("\u200e"))) is not None:
        words, sure = inside[1], False
    elif len(line) <= 60 and not line.endswith((".", "!", "?")):
        words, sure = line.strip("\u200e"), line.startswith("\u200e")
    else:
        return ""
    if not _OMITS.search(words) and not (inside and _KINDS[-1][1].search(words)):
        return ""
    if not (inside or sure or len(words.split()) <= 2):
        return ""
    return next((kind for kind, pattern in _KINDS if pattern.search(words)), "file" if inside else "")


def _kind_of_file(name: str) -> str:
    for word, kind in _IN_NAME.items():
        if f"-{word}-" in name:
            return kind
    if name[3:4] == "-" and name[:3].upper() in _FIRST_LETTERS:
        return _FIRST_LETTERS[name[:3].upper()]
    return "sticker" if name.lower().endswith(".webp") else kind_of(name)


def without_edit_mark(text: str) -> str:
    """`text` without the note that it was edited."""
    return _EDIT_MARK.sub("", text) if text.rstrip().endswith(">") else text


def is_gone(text: str) -> bool:
    """Whether a text only says that a message was deleted, or could not be written down."""
    return text == "null" or (len(text) < 120 and bool(_GONE.fullmatch(text.strip("\u200e \u2068\u2069.。"))))


def is_call(text: str) -> bool:
    """Whether a line by WhatsApp itself speaks of a call."""
    return len(text) <= 60 and bool(_CALLS.search(text)) and not _ENCRYPTED.search(text)
