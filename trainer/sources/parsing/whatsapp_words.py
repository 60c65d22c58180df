"""What WhatsApp writes in place of a message, by word stems of many languages."""

import re

from trainer.sources.parsing.attachment import kind_of

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
_DELETED = """this message was deleted|you deleted this message|se eliminó este mensaje|eliminaste este mensaje|
    este mensaje fue eliminado|diese nachricht wurde gelöscht|du hast diese nachricht gelöscht|
    ce message a été supprimé|vous avez supprimé ce message|mensagem apagada|você apagou esta mensagem|
    essa mensagem foi apagada|esta mensagem foi apagada|apagou esta mensagem|questo messaggio è stato eliminato|
    hai eliminato questo messaggio|dit bericht is verwijderd|u hebt dit bericht verwijderd|
    je hebt dit bericht verwijderd|данное сообщение удалено|сообщение удалено|вы удалили данное сообщение|
    вы удалили это сообщение|це повідомлення видалено|повідомлення видалено|ви видалили це повідомлення|
    bu mesaj silindi|bu mesajı sildiniz|このメッセージは削除されました|このメッセージを削除しました|
    あなたはこのメッセージを削除しました|此消息已被删除|此消息已删除|你删除了此消息|您删除了此消息|你撤回了|
    此訊息已刪除|已刪除此訊息|你已刪除此訊息|您已刪除此訊息|삭제된 메시지입니다|이 메시지를 삭제했습니다|
    pesan ini telah dihapus|pesan ini dihapus|anda menghapus pesan ini|anda telah menghapus pesan ini|
    تم حذف هذه الرسالة|لقد حذفت هذه الرسالة|لقد قمت بحذف هذه الرسالة|حذفت هذه الرسالة|הודעה זו נמחקה|מחקת הודעה זו|
    यह मैसेज डिलीट|यह संदेश हटा|आपने यह मैसेज|आपने यह संदेश|det här meddelandet har raderats|
    du raderade det här meddelandet|du slettede denne besked|denne besked blev slettet|denne meldingen ble slettet|
    du slettet denne meldingen|ta wiadomość została usunięta|usunięto tę wiadomość|usunąłeś tę wiadomość|
    tato zpráva byla smazána|tuto zprávu jste smazali|tämä viesti poistettiin|poistit tämän viestin|
    ezt az üzenetet törölték|törölted ezt az üzenetet|acest mesaj a fost șters|αυτό το μήνυμα διαγράφηκε|
    tin nhắn này đã bị xóa|bạn đã xóa tin nhắn này|ข้อความนี้ถูกลบ|این پیام حذف شد"""
_EDITED = """edited editó editad bearbeitet modifié modificat bewerkt измен отредакт редаг düzenle 編集 编辑 編輯
    수정 แก้ไข diedit chỉnh تعديل संपादित נערכה ویرایش redigera redigere edytow uprav muokattu szerkeszt επεξεργ"""
_CALL = """call llamada videollamada anruf sprachanruf videoanruf chamada ligação appel chiamata звон дзвін oproep
    gesprek arama 通話 通话 통화 panggilan مكالمة שיחה कॉल samtal opkald anrop połączen hovor puhelu hívás κλήση สาย
    gọi"""


def _any(stems: str) -> str:
    """A pattern for any of these stems; Scripts that write articles or whole sentences into one word have stems
    inside words."""
    return "|".join((r"(?<!\w)" if stem[0] < "\u0590" else "") + re.escape(stem) for stem in stems.split())


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
_EDIT_MARK = re.compile(rf"\u200e?<[^<>\n]{{0,60}}(?:{_any(_EDITED)})[^<>\n]{{0,60}}>\s*$", re.IGNORECASE)
_GONE = tuple(beginning.strip() for beginning in _DELETED.split("|"))
_CALLS = re.compile(_any(_CALL), re.IGNORECASE)
_ENCRYPTED = re.compile(
    _any("encrypt verschlüss cifra cript chiffr шифр şifre 加密 暗号 암호 مشفر מוצפנ"), re.IGNORECASE
)
_IN_NAME = {"PHOTO": "photo", "VIDEO": "video", "AUDIO": "voice", "STICKER": "sticker", "GIF": "gif"}
_FIRST_LETTERS = {"PTT": "voice", "AUD": "voice", "STK": "sticker", "IMG": "photo", "VID": "video"}


def attached(text: str) -> tuple[str, tuple[str, ...]]:
    """The text without what stands for files in it, and the kinds of those files."""
    kinds = [_kind_of_file(found[1].strip()) for found in _NAMED.finditer(text)] if "<" in text else []
    text = _NAMED.sub("", text) if kinds else text
    first, _, rest = text.partition("\n")
    if len(first) < 400 and first.rstrip().endswith(")") and (beside := _BESIDE.fullmatch(first.strip())):
        return rest, (*kinds, _kind_of_file((beside[1] or beside[2]).strip("\u200e ")))
    if kind := _omitted(first.strip()):
        return rest, (*kinds, kind)
    return text, tuple(kinds)


def _omitted(line: str) -> str:
    """The kind of what a whole line says was left out: in angle brackets, after U+200E, or in one or two words."""
    bare = line.strip("\u200e")
    inside = _PLACEHOLDER.fullmatch(bare) if bare.startswith("<") else None
    words = inside[1] if inside else bare
    if not inside and (len(bare) > 60 or (bare is line and bare.count(" ") > 1)):
        return ""
    if not (_OMITS.search(words) or (inside and _KINDS[-1][1].search(words))):
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
    return _EDIT_MARK.sub("", text.rstrip()).rstrip() if text.rstrip().endswith(">") else text


def is_gone(text: str) -> bool:
    """Whether a text only says that a message was deleted, or could not be written down."""
    return text == "null" or (len(text) < 120 and text.lstrip("\u200e ").casefold().startswith(_GONE))


def is_call(text: str) -> bool:
    """Whether a line by WhatsApp itself speaks of a call."""
    return len(text) <= 60 and bool(_CALLS.search(text)) and not _ENCRYPTED.search(text)
