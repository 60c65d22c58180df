"""What WhatsApp says in place of a message, and for polls, events and places.

iOS begins such lines with U+200E, Android does not; editors and mail programs drop the mark. Without it a line counts
only where its words leave no doubt.
"""

import re
from collections.abc import Collection

from trainer.sources.parsing.labels import is_lively
from trainer.sources.parsing.stems import Stems
from trainer.sources.parsing.whatsapp_labels import MISSED as _MORE_MISSED
from trainer.sources.parsing.whatsapp_labels import is_deleted, is_missed_call
from trainer.sources.parsing.whatsapp_words import OMITTED as _OMITTED
from trainer.sources.parsing.whatsapp_words import medium_in

_DELETED = """this message was deleted|you deleted this message|mensaje eliminado|se eliminó este mensaje|
    eliminaste este mensaje|este mensaje fue eliminado|diese nachricht wurde gelöscht|du hast diese nachricht gelöscht|
    ce message a été supprimé|vous avez supprimé ce message|mensagem apagada|você apagou esta mensagem|
    essa mensagem foi apagada|esta mensagem foi apagada|apagou esta mensagem|questo messaggio è stato eliminato|
    hai eliminato questo messaggio|dit bericht is verwijderd|u hebt dit bericht verwijderd|je hebt dit bericht verwijderd|
    данное сообщение удалено|сообщение удалено|вы удалили данное сообщение|вы удалили это сообщение|
    це повідомлення видалено|повідомлення видалено|ви видалили це повідомлення|bu mesaj silindi|bu mesajı sildiniz|
    このメッセージは削除されました|このメッセージを削除しました|あなたはこのメッセージを削除しました|此消息已被删除|
    此消息已删除|你删除了此消息|您删除了此消息|你撤回了|此訊息已刪除|已刪除此訊息|你已刪除此訊息|您已刪除此訊息|
    삭제된 메시지입니다|이 메시지를 삭제했습니다|pesan ini telah dihapus|pesan ini dihapus|anda menghapus pesan ini|
    anda telah menghapus pesan ini|تم حذف هذه الرسالة|لقد حذفت هذه الرسالة|لقد قمت بحذف هذه الرسالة|حذفت هذه الرسالة|
    הודעה זו נמחקה|מחקת הודעה זו|यह मैसेज डिलीट|यह संदेश हटा|आपने यह मैसेज|आपने यह संदेश|det här meddelandet har raderats|
    du raderade det här meddelandet|du slettede denne besked|denne besked blev slettet|denne meldingen ble slettet|
    du slettet denne meldingen|ta wiadomość została usunięta|usunięto tę wiadomość|usunąłeś tę wiadomość|
    tato zpráva byla smazána|tuto zprávu jste smazali|tämä viesti poistettiin|poistit tämän viestin|
    ezt az üzenetet törölték|törölted ezt az üzenetet|acest mesaj a fost șters|αυτό το μήνυμα διαγράφηκε|
    tin nhắn này đã bị xóa|bạn đã xóa tin nhắn này|ข้อความนี้ถูกลบ|คุณลบข้อความนี้|این پیام حذف شد|شما این پیام را حذف کردید|
    det här meddelandet togs bort|du tog bort det här meddelandet|tato zpráva byla odstraněna|διαγράψατε αυτό το μήνυμα|
    이 메시지는 삭제되었습니다|這則訊息已刪除|这条消息已删除|您已删除这条消息|इस मैसेज को मिटाया|ați șters acest mesaj|
    това съобщение беше изтрито|mesej ini telah dipadam|s’ha suprimit aquest missatge"""
CALL = """call llamada videollamada anruf sprachanruf videoanruf chamada ligação appel chiamata звон дзвін oproep
    gesprek arama 通話 通话 통화 panggilan مكالمة שיחה कॉल samtal opkald anrop połączen hovor puhelu hívás κλήση สาย
    gọi"""
_UNREADABLE = """waiting for this message|warte auf diese nachricht|auf diese nachricht wird gewartet|
    en attente de ce message|en attente du message|esperando este mensaje|esperando el mensaje|aguardando esta mensagem|
    aguardando mensagem|a aguardar esta mensagem|in attesa di questo messaggio|in attesa del messaggio|
    wachten op dit bericht|wacht op dit bericht|ожидание данного сообщения|ожидание этого сообщения|ожидание сообщения|
    очікування цього повідомлення|очікування повідомлення|oczekiwanie na tę wiadomość|oczekiwanie na wiadomość|
    bu mesaj bekleniyor|menunggu pesan ini|في انتظار هذه الرسالة|بانتظار هذه الرسالة|في انتظار الرسالة|ממתין להודעה|
    בהמתנה להודעה|इस मैसेज का इंतज़ार|इस मैसेज का इंतजार|इस संदेश की प्रतीक्षा|このメッセージを待|メッセージを待機中|
    正在等待此消息|等待此消息|正在等待此訊息|等待此訊息|이 메시지를 기다리|väntar på det här meddelandet|
    väntar på detta meddelande|venter på denne besked|venter på denne meldingen|odotetaan tätä viestiä|odottaa tätä viestiä|
    čeká se na tuto zprávu|čekání na tuto zprávu|várakozás erre az üzenetre|várakozás az üzenetre|se așteaptă acest mesaj|
    în așteptarea acestui mesaj|αναμονή για αυτό το μήνυμα|αναμονή για το μήνυμα|กำลังรอข้อความนี้|รอข้อความนี้|
    đang chờ tin nhắn này|đang đợi tin nhắn này|در انتظار این پیام|this message can't be displayed|
    this message can’t be displayed|this message couldn't load|message unavailable|
    čaká sa na túto správu|čekanje na ovu poruku|čakanje na to sporočilo|laukiama šios žinutės|gaida šo ziņu|
    изчакване на това съобщение|s'està esperant aquest missatge|s’està esperant aquest missatge|bu mesaj gözlənilir|
    diese nachricht kann hier nicht angezeigt|nachricht nicht verfügbar|ce message ne peut pas|message indisponible|
    este mensaje no se puede|no se puede mostrar este mensaje|mensaje no disponible|não é possível exibir esta mensagem|
    mensagem indisponível|impossibile visualizzare|messaggio non disponibile|dit bericht kan hier niet|
    bericht niet beschikbaar|не удается отобразить|сообщение недоступно|повідомлення недоступне|wiadomość niedostępna|
    mesaj kullanılamıyor|pesan tidak tersedia|الرسالة غير متاحة|הודעה לא זמינה|このメッセージは表示できません|
    无法显示此消息|無法顯示此訊息|消息不可用|訊息無法使用|메시지를 표시할 수 없|meddelandet är inte tillgängligt"""
_ONCE = """view|once einmalansicht einmalig|ansicht einmaligen|ansicht vue|unique vista|única visualizaci|única ver|una|vez
    visualiza|única visualização|única visualizza|una|volta visualizzazione|singola eenmalig|weergave eenmalige|weergave
    eenmalig|bekijken eenmalig|kunt|bekijken однократн|просмотр одноразов jednorazow tek|seferlik sekali|lihat
    العرض|لمرة|واحدة لمرة|واحدة צפייה|חד एक|बार|देख 一度だけ表示 1回表示 1回限り 一次性 单次查看 單次檢視 限看一次 限閱一次
    阅后即焚 한|번|보기 한번|보기 visa|en|gång engångs vis|én|gang vis|en|gang engangs kerran|katsott kertakatsel
    jednorázov zobrazit|jednou egyszer|megtekinthető egyszeri vizualizare|unică μία|προβολή προβολή|μίας|φοράς
    μίας|προβολής ดูครั้งเดียว xem|một|lần یک|بار"""
MESSAGE = """message nachricht mensaje mensagem messaggio bericht сообщен повідомл wiadomoś mesaj pesan رسالة הודעה मैसेज
    メッセージ 消息 訊息 메시지 meddeland besked melding viest zpráv üzenet μήνυμα ข้อความ tin"""
_CALLS = """voice call|video call|audio call|sprachanruf|videoanruf|sprachanruf|llamada de voz|videollamada|
    llamada de vídeo|chamada de voz|chamada de vídeo|ligação de voz|ligação de vídeo|videochamada|appel vocal|appel vidéo|
    appel audio|chiamata vocale|videochiamata|chiamata video|spraakoproep|video-oproep|videogesprek|spraakgesprek|
    video-oproep|аудиозвонок|видеозвонок|голосовой звонок|аудіодзвінок|відеодзвінок|аудіовиклик|відеовиклик|
    голосовий дзвінок|sesli arama|görüntülü arama|połączenie głosowe|połączenie wideo|rozmowa głosowa|rozmowa wideo|
    panggilan suara|panggilan video|مكالمة صوتية|مكالمة فيديو|שיחה קולית|שיחת וידאו|שיחת קול|वॉइस कॉल|वीडियो कॉल|音声通話|
    ビデオ通話|语音通话|视频通话|語音來電|視訊來電|语音来电|视频来电|語音通話|視訊通話|음성통화|영상통화|음성 통화|
    영상 통화|röstsamtal|videosamtal|taleopkald|stemmeopkald|videoopkald|taleanrop|videoanrop|lydanrop|äänipuhelu|
    videopuhelu|hlasový hovor|videohovor|hanghívás|videohívás|apel vocal|apel video|φωνητική κλήση|βιντεοκλήση|κλήση βίντεο|
    การโทรด้วยเสียง|วิดีโอคอล|การโทรวิดีโอ|การโทรด้วยวิดีโอ|สายโทรด้วยเสียง|cuộc gọi thoại|cuộc gọi video|gọi thoại|
    gọi video|تماس صوتی|تماس تصویری"""
MISSED = """missed silenced verpasst perdida perdido manqué manqu persa perse gemist пропущен cevapsız nieodebran tak|terjawab
    فائتة لم|يُرد שלא|נענתה छूट मिस्ड 不在着信 未接 부재중 missat missad ubesvaret mistet tapt ubesvart vastaamat zmeškan
    nem|fogadott nepřijat ratat pierdut αναπάντητη ไม่ได้รับ nhỡ bỏ|lỡ ازدست‌رفته از|دست|رفته"""
_LIVE = """live tiempo|real direct tempo|real tempo|reale atual трансл canlı terkini مباشر זמן|אמת ライブ 实时 實時 即時 실시간
    realtid realtids sanntid reaaliaika aktuální élő timp|real ζωντανή real-time trực|tiếp"""
_PLACE = """location standort ubicaci localiza localisation position posizione locatie местополож геопозиц геолокац
    местонахожд місцезнаходж конум konum lokalizac lokasi موقع מיקום लोकेशन स्थान 位置 위치 plats placering posisjon
    sijainti poloh helyzet tartózkodási locați τοποθεσία ตำแหน่ง vị|trí مکان"""
_EVENT = """EVENT VERANSTALTUNG TERMIN EVENTO ÉVÉNEMENT ÉVÈNEMENT EVENEMENT СОБЫТИЕ МЕРОПРИЯТИЕ ПОДІЯ ETKİNLİK WYDARZENIE
    ACARA イベント 活动 活動 이벤트 حدث אירוע EVENEMANG BEGIVENHED ARRANGEMENT TAPAHTUMA UDÁLOST ESEMÉNY EVENIMENT ΕΚΔΗΛΩΣΗ
    กิจกรรม"""
# What is done in groups, by the stems of the verbs.
_DONE = """left added removed created changed joined pinned deleted turned updated started requested admin
    erstellt hinzugefügt entfernt verlassen geändert beigetreten angepinnt fixiert gelöscht aktiviert deaktiviert
    créé ajouté retiré quitté modifié changé rejoint épinglé supprimé activé désactivé
    creó añadió agregó eliminó salió cambió unió fijó activó desactivó abandonó
    criou adicionou removeu saiu mudou alterou entrou fixou ativou desativou
    creato aggiunto rimosso abbandonato uscit cambiato modificato entrat fissato attivato disattivato
    aangemaakt gemaakt toegevoegd verwijderd verlaten gewijzigd deelgenomen vastgezet
    создал добавил удалил вышел покину изменил присоедин закрепил включил отключил
    створи дода видали вийш залиши зміни приєдна закріпи
    utworzył dodał usunął opuścił wyszedł zmienił dołączył przypiął oluştur ekledi çıkar ayrıldı değiştir katıldı sabitle
    membuat menambahkan mengeluarkan keluar mengubah bergabung menyematkan أنشأ أضاف أزال غادر غيّر غير انضم ثبّت
    יצר הוסיף הסיר יצא עזב שינה הצטרף הצמיד बनाया जोड़ा हटाया छोड़ बदला शामिल पिन
    作成 追加 退出 退会 削除 変更 参加 ピン留め 创建 建立 添加 新增 移除 退出 离开 離開 更改 变更 變更 加入 置顶 置頂 釘選
    만들 추가 나갔 내보 변경 바꿨 참여 참가 고정 skapade lade|till tog|bort lämnade ändrade gick|med fäste
    oprettede tilføjede fjernede forlod ændrede deltog opprettet la|til fjernet forlot endret ble|med festet
    lisäsi poisti poistui vaihtoi muutti liittyi kiinnitti vytvořil přidal odebral opustil změnil připojil připnul
    létrehoz hozzáad eltávolít kilépett módosít megváltoztat csatlakozott kitűz creat adăugat eliminat părăsit ieșit schimbat
    modificat alăturat fixat δημιούργησε πρόσθεσε αφαίρεσε αποχώρησε άλλαξε μπήκε καρφίτσωσε สร้าง เพิ่ม ออกจาก เปลี่ยน เข้าร่วม
    ปักหมุด đã|tạo đã|thêm đã|xóa đã|rời đã|thay đã|tham đã|ghim ایجاد افزود اضافه ترک تغییر پیوست سنجاق"""
_ENCRYPTION = """encrypt verschlüss cifra cript chiffr шифр şifre szyfr enkrips 加密 暗号 암호 مشفر التشفير مشفرة מוצפנ
    रक्षित रमज kryptera krypter salat šifrov titkosít κρυπτογρ เข้ารหัส mã|hóa رمزگذاری"""


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(phrase.strip() for phrase in text.split("|")))


_GONE_PHRASES = _phrases(_DELETED) + _phrases(_UNREADABLE)
_GONE_STARTS = frozenset(phrase[:4] for phrase in _GONE_PHRASES)
_CALL_NOUN = Stems(_phrases(_CALLS))
_CALL_WORD = Stems(CALL.split())
_MISSED_CALL = Stems(MISSED.split())
_VIEW_ONCE = Stems(_ONCE.split())
_SENT_ONCE = re.compile(r"[^.。!?\n]{8,90}[.。!]\s*[^\n]{20,160}")  # …, and a sentence that says where to open it
_MESSAGE_WORD = Stems(MESSAGE.split())
_LIVE_WORD, _PLACE_WORD = Stems(_LIVE.split()), Stems(_PLACE.split())
_DOES = Stems(_DONE.split())
_ENCRYPTED = Stems(_ENCRYPTION.split())
_MAP = re.compile(
    r"[^\n:]{2,40}: ?\u200e?(?:[^\n]{0,80}\()?https?://(?:maps\.|goo\.gl/maps|(?:www\.)?google\.[a-z.]+/maps|foursquare\.com|"
    r"(?:www\.)?foursquare)\S*\)?"
)
_OPTION = re.compile(r"\u200e?([^\n:]{2,30}): ?(.*?) ?\u200e?\(\u200e?\d+ ?[^()\d]+\)")
_EVENTS = re.compile(rf"(?:{'|'.join(_EVENT.split())}): ?(.+)")
_WAITING = re.compile(
    r"(?:waiting for|warte(?:n)? auf|en attente de|esperando a|a aguardar|aguardando|in attesa di|wachten op|wacht op|"
    r"ожидание|ожидаем|очікування|oczekiwanie na|väntar på|venter på|čekání na|menunggu|正在等待|等待)\s*",
    re.IGNORECASE,
)
_REACTED = re.compile(
    r"(?:you reacted|du hast (?:mit )?\S+ reagiert|has reaccionado|reaccionaste|vous avez réagi)\b.{0,80}",
    re.IGNORECASE,
)


_ANY = Stems(
    (
        *(stem for stems in (CALL, MISSED, _MORE_MISSED, _LIVE, _ONCE, _OMITTED) for stem in stems.split()),
        *_phrases(_CALLS),
    )
)
_LONGEST_NOTICE = 300  # characters
_LONGEST_DEED = 160
_CALL_NOUNS = frozenset(
    "call anruf gruppenanruf llamada chamada ligação appel chiamata звонок дзвінок oproep groepsgesprek gesprek arama"
    " 通話 通话 통화 panggilan مكالمة שיחה कॉल samtal opkald anrop połączenie rozmowa hovor puhelu hívás κλήση"
    " グループ通話 群组通话 群組通話 그룹통화".split()
)
_GROUP = re.compile(
    r"gr[ou]+p|csoport|skupin|ομαδ|ryhm|групп|груп|قروب|جماعية|קבוצ|ग्रुप|समूह|グループ|群组|群組|그룹|กลุ่ม|nhóm",
    re.IGNORECASE,
)


def may_be_notice(text: str) -> bool:
    """Return whether a text may stand for a medium, a call or a place, at a quick look."""
    return (
        text.startswith("\u200e")
        or "<" in text
        or "://" in text
        or "\u200e" in text
        or (len(text) <= _LONGEST_NOTICE and _ANY.may_occur(text))
    )


def is_gone(text: str) -> bool:
    """Return whether a text only says that a message was deleted, or could not be shown."""
    if text == "null":
        return True
    bare = text.strip("\u200e ")
    beginning = bare[:80].casefold()
    if beginning[:4] in _GONE_STARTS and len(text) < 160 and beginning.startswith(_GONE_PHRASES):
        return not is_lively(bare)
    return is_deleted(bare)


def is_call(text: str) -> bool:
    """Return whether a line by WhatsApp itself is about a call."""
    return len(text) <= 60 and bool(_CALL_WORD.search(text)) and not _ENCRYPTED.search(text)


def is_call_record(text: str) -> bool:
    """Return whether a text under a name is the record of a call: `Voice call, 3 min`."""
    bare = text.replace("\u200e", "").strip()
    if len(bare) > 80 or "\n" in bare:
        return False
    if is_missed_call(bare) or not (noun := _CALL_NOUN.search(bare)):
        return is_missed_call(bare)
    before, after = bare[: noun.start()], bare[noun.end() :]
    if _MISSED_CALL.search(before + after):
        return before.count(" ") <= 3 and (not after.strip() or after.count(" ") <= 2 or after.lstrip()[0] in ",.،、。")
    return not before.strip() and (not after or after[0] in ",.،、。")


def is_encryption_notice(text: str) -> bool:
    """Return whether a chat's first line says that it is encrypted."""
    return len(text) > 25 and bool(_ENCRYPTED.search(text))


def is_done(text: str) -> bool:
    """Return whether `text` may tell what somebody did to a group."""
    return len(text) < 300 and bool(_DOES.search(text) or _REACTED.fullmatch(text.strip()))


def is_doing(text: str) -> bool:
    """Return whether `text` follows a name and tells what its bearer did to a group; surnames begin with capitals."""
    match = _DOES.search(text) if len(text) < _LONGEST_DEED else None
    return match is not None and not match[0][0].isupper()


def is_group_call(text: str) -> bool:
    """Return whether `text` is what WhatsApp calls a group's call: `Group call`."""
    words = set(text.casefold().replace("-", " ").split())
    return bool(words & _CALL_NOUNS) and bool(_GROUP.search(text))


def is_waiting(text: str, people: Collection[str]) -> bool:
    """Return whether `text` says that the app waits for one of `people`: `Waiting for Bo`, before a colon."""
    waiting = _WAITING.match(text)
    return waiting is not None and text[waiting.end() :].strip() in people


def is_reaction(text: str) -> bool:
    """Return whether `text` says that the account reacted to something."""
    return bool(_REACTED.fullmatch(text.replace("\u200e", "").strip()))


def shared(text: str, notable: bool) -> tuple[str, tuple[str, ...]] | None:
    """Return words and kind of a poll, an event, a place or a view-once medium.

    notable: may_be_notice(text). Of a poll the question and its options are
    kept, without the votes, which every export counts anew.
    """
    bare = text.lstrip("\u200e")
    first, _, rest = bare.partition("\n")
    if rest and first.endswith(":") and (poll := _poll(rest)):
        return poll, ("poll",)
    if event := _EVENTS.fullmatch(first.strip()):
        return event[1].strip(), ("event",)
    if not notable:
        return None
    if not rest.strip() and _is_place(first.strip()):
        return "", ("location",)
    return ("", (_viewed_once(first.strip()),)) if not rest.strip() and _viewed_once(first.strip()) else None


def _poll(rest: str) -> str:
    """Return the question and the options of a poll, a line each; empty if it is none."""
    lines = [line.strip() for line in rest.strip().split("\n")]
    options = [match for line in lines if (match := _OPTION.fullmatch(line))]
    if len(options) < 2 or len({match[1] for match in options}) > 1:
        return ""
    question = [line for line in lines if not _OPTION.fullmatch(line)]
    return "\n".join(line.strip("\u200e ") for line in (*question, *(match[2] for match in options)))


def _is_place(line: str) -> bool:
    if _MAP.fullmatch(line):
        return True
    return (
        len(line) <= 50
        and line.count(" ") <= 5
        and bool(_LIVE_WORD.search(line) and _PLACE_WORD.search(line))
        and (not re.search(r"[?!.,:]", line))
    )


def _viewed_once(line: str) -> str:
    """Return the medium that could be seen once, empty if the line is no such note."""
    bare = line.strip("<>\u200e ")
    if len(bare) > 260 or not _VIEW_ONCE.search(bare):
        return ""
    medium = medium_in(bare) or ("photo" if _MESSAGE_WORD.search(bare) else "")
    note = line.startswith(("<", "\u200e")) or bare.count(" ") <= 5 or _SENT_ONCE.fullmatch(bare)
    return ("photo" if medium == "file" else medium) if note else ""
