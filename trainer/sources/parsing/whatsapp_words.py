"""What WhatsApp writes in place of a message, by word stems of many languages."""

import re

from trainer.sources.parsing.attachment import medium_of
from trainer.sources.parsing.stems import Stems, one_of

_PHOTO = """image imagen imagem immagin bild foto photo afbeelding изображ фото resim görüntü 画像 写真 图片 圖片
    图像 照片 사진 이미지 صورة תמונה तस्वीर छवि इमेज gambar kuva billede bilde obraz zdjęci obráz kép εικόνα รูปภาพ
    hình تصویر عکس imatge poză"""
_VIDEO = """video vidéo vídeo видео відео動画 動画 视频 視訊 影片 동영상 비디오 فيديو וידאו סרטון वीडियो wideo
    βίντεο วิดีโอ ویدیو"""
_VOICE = """audio áudio аудио аудіо голос voice voz voix sprach vocal ääni ljud 音声 ボイス 音频 音訊 語音 语音 오디오 음성
    صوت אודיו שמע ऑडियो dźwięk zvuk hang ήχο เสียง suara âm thoại sesli"""
_STICKER = """sticker стикер стікер наклей çıkartma スタンプ ステッカー 贴图 貼圖 表情 스티커 ملصق מדבקה स्टिकर
    figurinha autocollant naklejk tarra klisterm klistrem nálep matrica αυτοκόλλητ สติก nhãn استیکر adhesiu pegatina"""
_OTHER = """multivide meedia medij медиј datotek fayl fitxer αρχείο ficheiro vedlegg মিডিয়া கோப்பு ஊடக మీడియా మాధ్యమ
    ಮಾಧ್ಯಮ മീഡിയ મિડિયા ਮੀਡੀਆ میڈیا ມີເດຍ document dokument documento файл документ belge ファイル ドキュメント 文件 文档
    檔案 파일 문서 مستند מסמך contact kontakt contatto contacto media medien média mídia multimedia medya медиа медіа
    メディア 媒体 媒體 미디어 وسائط מדיה मीडिया สื่อ πολυμέσα رسانه archivo bestand phương multimédi mediá médiu multimédia"""
OMITTED = """esclus revelad изостав izostav izpušč praleist bez uten välja ära বাদ விடப்பட்ட நீக்கப்பட்ட విస్మరి
    ಕೈಬಿಡ ഒഴിവാക്കി વગળ છોડી અવગણ ਛੱਡ ਛਡ چھوڑ ہٹا o'tkazib omes παραλήφθηκε εξαίρεση ບໍ່ລວມ वगळ omit omess omis
    weggelassen ausgeschlossen weggelaten absent ocult опущ пропущ без dahil yok 省略 忽略 略過 含まれ 생략 제외
    disertakan utelat udelad utelämn pominię vynech poistett puuttu hiány παραλείφθ ละ bỏ حذف استبعاد استثناء הושמט
    छोड़ शामिल bijgesloten niet utelämnad udeladt пропусн"""
_ATTACHED = """attach adjunt angehängt anexad anexo joint allegat добавлен прикреп вложен bijgevoegd eklen ekli 添付
    附加 附件 첨부 lampir مرفق צורף संलग्न bifog vedlagt vedlegg załączon přilož liite csatol επισυνάπ แนบ đính
    prilož priložen pripojen privit приложен прикач pievienot pridėt lisatud aangeheg imeambatish naka-attach
    dilampir সংযুক্ত இணைக்க జోడించ जोड જોડ ಲಗತ್ತ ചേർത്ത ਨੱਥੀ منسلک əlavə biriktir тіркел bashkëngjit ataşat"""
EDITED = """edited editó editad bearbeitet modifié modificat bewerkt измен отредакт редаг düzenle 編集 编辑 編輯
    수정 แก้ไข diedit chỉnh تعديل संपादित נערכה ویرایش redigera redigere edytow uprav muokattu szerkeszt επεξεργ
    uređen urejen уређен redaguot rediģ muudet gewysig ulihaririwa na-edit এডিট সম্পাদ திருத்த సవరించ એડિટ સંપાદ
    ಎಡಿಟ್ ಸಂಪಾದ എഡിറ്റ് ਸੋਧ ਐਡਿਟ ترمیم redaktə tahrir өңдел redaktua редактир editat एडिट"""


_MEDIA = [
    (medium, Stems(stems.split()))
    for medium, stems in (
        ("sticker", _STICKER),
        ("gif", "gif"),
        ("voice", _VOICE),
        ("video", _VIDEO),
        ("photo", _PHOTO),
        ("file", _OTHER),
    )
]
_OMITS = Stems(OMITTED.split())
_MEDIUM = Stems(f"{_STICKER} gif {_VOICE} {_VIDEO} {_PHOTO} {_OTHER}".split())
_BESIDE_MEDIA = re.compile(r"(?<!\w)(?:card|note|notiz|nota|once|one|de|la|el|da|o|a|le|un)(?!\w)", re.IGNORECASE)
_DOCUMENT = re.compile(r"[^\n]{1,200}\.\w{2,5}(?: ?• ?\u200e?\d+ [^•\u200e\n]{1,20}?)?[ \u200e]+([^\d\u200e•\n]{4,40})")
_PAGES = re.compile(
    r"([^\n]{1,200}\.\w{2,5})(?: ?• ?\u200e?\d+ [^•\u200e\n]{1,20}?)? ?(?=\u200e?<[^<>:\n]{2,30}: ?[^<>\n]{0,20}-\1 ?>)"
)
_ANY_ATTACHED, _ANY_EDITED = (one_of(stems.split()) for stems in (_ATTACHED, EDITED))
_PLACEHOLDER = re.compile(r"<([^<>\n@/]{4,60})>")
_NAMED = re.compile(r"\u200e?<[^<>:\n]{2,30}: ?([^<>\n]{1,200}\.\w{2,5}) ?>")
_BESIDE = re.compile(
    r"\u200e?(?:([^\n]{0,60}-WA\d+\.\w{2,5})|([^\n]{1,200}\.\w{2,5})) "
    rf"\((?(1)[^()\n]+|[^()\n]*(?:{_ANY_ATTACHED})[^()\n]*)\)",
    re.IGNORECASE,
)
_EDIT_MARK = re.compile(rf"\u200e?<[^<>\n]{{0,60}}(?:{_ANY_EDITED})[^<>\n]{{0,60}}>\s*$", re.IGNORECASE)
_IN_NAME = {"PHOTO": "photo", "VIDEO": "video", "AUDIO": "voice", "STICKER": "sticker", "GIF": "gif"}
_FIRST_LETTERS = {"PTT": "voice", "AUD": "voice", "STK": "sticker", "IMG": "photo", "VID": "video"}


def attached(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the text without what stands for files, and their media."""
    media = [_medium_of_file(match[1].strip()) for match in _NAMED.finditer(text)] if "<" in text else []
    text = _NAMED.sub("", _PAGES.sub("", text)) if media else text
    first, _, rest = text.partition("\n")
    if len(first) < 400 and first.rstrip().endswith(")") and (beside := _BESIDE.fullmatch(first.strip())):
        name = (beside[1] or beside[2]).strip("\u200e ")
        return "" if rest.strip("\u200e ") == name else rest, (*media, _medium_of_file(name))
    if medium := _omitted(first.strip()):
        return rest, (*media, medium)
    before, _, last = text.rpartition("\n")
    if before and last.startswith("\u200e") and (medium := _omitted(last.strip())):
        return before, (*media, medium)
    if before and last.count(" ") == 1 and (medium := _omitted(last.strip())):
        return before, (*media, medium)
    return text, tuple(media)


def _omitted(line: str) -> str:
    """Return the medium of what a whole line says was left out, empty if none.

    It does so in angle brackets, after U+200E, behind the name of a document, or in words for media alone.
    """
    bare = line.strip("\u200e")
    inside = _PLACEHOLDER.fullmatch(bare) if bare.startswith("<") else None
    words = inside[1] if inside else bare
    if not inside and "." in bare and (document := _DOCUMENT.fullmatch(bare)) and _is_left_out(document[1]):
        return "file"
    if not inside and (len(bare) > 60 or (bare is line and not _is_left_out(bare))):
        return ""
    if not (_OMITS.search(words) or (inside and _MEDIA[-1][1].search(words))):
        return ""
    return medium_in(words) or ("file" if inside else "")


def _is_left_out(words: str) -> bool:
    """Return whether `words` are a medium and that it is omitted, and nothing else."""
    if len(words) > 60 or not _OMITS.search(words):
        return False
    rest = _MEDIUM.sub("\0", _OMITS.sub("\1", words))
    if "\0" not in rest or "\1" not in rest:
        return False
    others = [word for word in rest.split() if "\0" not in word and "\1" not in word]
    return len(others) <= 2 and all(_BESIDE_MEDIA.search(word) for word in others)


def medium_in(words: str) -> str:
    """Return the medium that `words` name, empty if none."""
    return next((medium for medium, pattern in _MEDIA if pattern.search(words)), "")


def _medium_of_file(name: str) -> str:
    for word, medium in _IN_NAME.items():
        if f"-{word}-" in name:
            return medium
    if name[3:4] == "-" and name[:3].upper() in _FIRST_LETTERS:
        return _FIRST_LETTERS[name[:3].upper()]
    return "sticker" if name.lower().endswith(".webp") else medium_of(name)


def without_edit_mark(text: str) -> str:
    """Return `text` without the note that it was edited."""
    return _EDIT_MARK.sub("", text.rstrip()).rstrip() if text.rstrip().endswith(">") else text
