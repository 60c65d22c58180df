"""What Messenger and Instagram say in place of a message, in their languages.

Most such lines begin with the sender's own name and end with a full stop, in whatever language: nobody writes so about
themselves. Lines that begin with `You` or with no subject are told by their words; those that name nobody of the chat are
the English sentences of Messenger's own client (MAWLocalizationType in its web page).
"""

import re

from trainer.sources.parsing.messenger_labels import is_label
from trainer.sources.parsing.stems import Stems
from trainer.sources.parsing.whatsapp_words import EDITED, medium_in

_LONGEST = 200  # characters of a notice
_STOPS = (".", "。", "।", "۔")
_YOU = re.compile(
    r"(?:you|du|sie|ihr|vous|tu|t[uú]|usted|você|voc[eê]s?|je|jij|u|вы|ты|ви|ти|sen|siz|anda|kamu|đã|bạn|คุณ|आपने|आप|أنت|"
    r"لقد|אתה|את|sinä|olet|ai|ați|εσείς|din|ikaw|awak)(?!\w)|hai(?!\w)|has(?!\w)|你|您|あなた|회원님|"
    r"\w+(?:aste|iste|ałeś|ałaś|iłeś|iłaś|ąłeś|ęłaś|łeś|łaś|łeś\(-aś\)|li jste|tál|tél|din|dın|dun|dün|tin|tın|tun|tün)(?!\w)",
    re.IGNORECASE,
)
_ME = re.compile(
    r"(?<!\w)(?:me|my|mir|mich|mein\w*|moi|mon|ma|mi|mio|mia|meu|minha|mij|mijn|мне|меня|mnie|bana|benim|mig|meg)(?!\w)",
    re.IGNORECASE,
)
_SENT = """sent sends shared gesendet geschickt geteilt envoyé partagé envió enviaste enviado compartió compartiste enviou
    compartilh partilh inviato condiviso verzonden gestuurd gedeeld stuurde отправ поделил надісла надсила wysłał wysłano
    udostępnił gönderdi gönderdin paylaş mengirim membagikan menghantar أرسل أرسلت بإرسال שלח שיתף भेज 送信 送りました 发送
    发来 傳送 分享 보냈 공유 skickade delade sendte delte sendt lähett jakoi poslal odeslal küld trimis έστειλ κοινοποί ส่ง
    gửi فرستاد ارسال изпрати poslao poslala nagpadala ipinadala"""
_ACTS = """changed named set called missed started ended joined left added removed unsent reacted liked pinned unpinned
    created turned voted replied muted invited waved made updated deleted geändert benannt festgelegt gesetzt angerufen
    verpasst gestartet beendet beigetreten verlassen hinzugefügt entfernt zurückgezogen gelöscht reagiert angepinnt fixiert
    erstellt aktiviert deaktiviert abgestimmt genannt modifié changé nommé défini appelé manqué démarré lancé terminé
    rejoint quitté ajouté retiré supprimé annulé réagi épinglé créé activé désactivé voté cambi nombr puso estableci llam
    perdi inici termin unió uniste sali saliste agreg añad elimin quit anul reaccion fij cre activ desactiv vot mudou
    mudaste alterou alterar nomeou definiu ligou perdeu iniciou encerrou entrou saiu adicion remov apag cancelou reagiu
    fixou criou ativou desativou modificato impostato chiamato perso avviato iniziato terminat entrato uscito abbandonato aggiunto
    rimosso annullato reagito fissato creato attivato disattivato votato gewijzigd veranderd ingesteld gebeld gemist
    gestart beëindigd deelgenomen verlaten toegevoegd verwijderd ingetrokken gereageerd vastgezet gemaakt сменил изменил
    назвал установил звонил пропустил начал завершил присоедин покину вышел добавил удалил отменил отреаг закрепил создал
    включил выключил проголос змінив змінила назвав встанов пропуст приєдна залиш додав додала видалив видалила створив
    zmienił nazwał ustawił zadzwonił przegap nieodebran rozpoczął zakończył dołączył opuścił dodał usunął cofnął zareagował
    przypiął utworzył włączył wyłączył değiştir adlandır ayarla belirle aradı aradın kaçır başlat katıl ayrıl ekledi çıkar
    geri|al sabitle oluştur mengubah menamai mengatur menetapkan menelepon melewatkan memulai bergabung keluar menambahkan
    mengeluarkan membatalkan menyematkan membuat غيّر غيرت بتغيير سمّى تعيين اتصل فاتت بدأ انضم غادر أضاف أزال ألغى إلغاء
    تفاعل ثبّت أنشأ שינה שינית קבע התקשר החמיץ התחיל הצטרף עזב הוסיף הסיר ביטל הגיב הצמיד יצר बदल नाम सेट कॉल मिस शुरू
    शामिल छोड़ जोड़ हटा रद्द पिन बनाया 変更 設定 名前 発信 不在 開始 終了 参加 退出 追加 削除 取り消 固定 作成 更改 更改了
    命名 设置 設定 呼叫 未接 开始 開始 加入 退出 离开 離開 添加 新增 移除 撤回 收回 置顶 釘選 创建 建立 변경 설정 지정 전화
    부재중 시작 참여 나갔 추가 삭제 취소 고정 만들 ändrade döpte angav ringde missade startade avslutade gick|med lämnade
    lade|till tog|bort ångrade reagerade fäste skapade ændrede kaldte angav ringede forlod tilføjede fjernede trak|tilbage
    fastgjorde oprettede endret ga|navn startet avsluttet ble|med forlot la|til fjernet trakk reagerte festet opprettet
    vaihtoi muutti nimesi asetti soitti aloitti liittyi poistui lisäsi poisti perui reagoi kiinnitti loi změnil pojmenoval
    nastavil volal zmeškal zahájil připojil opustil přidal odebral zrušil reagoval připnul vytvořil megváltoztat módosít
    elnevez beállít hívott elindít csatlakoz kilépett elhagyt hozzáad eltávolít visszavon reagált kitűz létrehoz schimbat
    modificat numit setat apelat ratat început părăsit adăugat eliminat anulat reacționat fixat creat άλλαξε όρισε ονόμασε
    κάλεσε έχασε ξεκίνησε αποχώρησε πρόσθεσε αφαίρεσε αναίρεσε αντέδρασε καρφίτσωσε δημιούργησε เปลี่ยน ตั้ง โทร พลาด เริ่ม
    เข้าร่วม ออกจาก เพิ่ม ลบ ยกเลิก ปักหมุด สร้าง đổi đặt gọi bỏ|lỡ bắt|đầu tham|gia rời thêm xóa thu|hồi ghim tạo تغییر
    گذاشت تماس شروع پیوست ترک اضافه حذف سنجاق ایجاد"""
_THINGS = """attachment photo video gif sticker voice|message audio|message link location theme nickname group message poll
    emoji quick|reaction call chat story post reel anhang foto sprachnachricht standort design thema spitzname gruppe
    nachricht umfrage anruf videochat story beitrag pièce|jointe vidéo autocollant message|vocal lien localisation thème
    pseudo surnom groupe sondage réaction appel archivo|adjunto adjunto imagen vídeo mensaje enlace ubicación tema apodo
    grupo encuesta reacción llamada historia anexo figurinha mensagem localiza apelido enquete sondagem reação chamada
    história allegato immagine messaggio posizione soprannome gruppo sondaggio reazione chiamata storia bijlage bericht
    locatie bijnaam groep peiling gesprek oproep verhaal вложени фото видео стикер сообщени ссылк местополож тем псевдоним
    ник групп опрос эмодзи звон чат истори вкладенн відео стікер повідомл посиланн нік груп опитуван дзвін чаті załącznik
    zdjęci film naklejk wiadomoś lokalizac motyw pseudonim grup ankiet połączeni ek fotoğraf çıkartma mesaj bağlantı konum
    tema takma grup anket arama sohbet lampiran stiker pesan tautan lokasi nama|panggilan julukan grup jajak panggilan مرفق
    صورة فيديو ملصق رسالة رابط موقع سمة مظهر لقب كنية مجموعة استطلاع مكالمة دردشة קובץ תמונה סרטון מדבקה הודעה קישור מיקום
    ערכת כינוי קבוצה סקר שיחה अटैचमेंट फ़ोटो वीडियो स्टिकर मैसेज संदेश थीम उपनाम निकनेम ग्रुप पोल कॉल चैट 添付 写真 動画
    スタンプ メッセージ リンク 位置 テーマ ニックネーム グループ アンケート 通話 絵文字 チャット 附件 照片 图片 视频 貼圖
    贴图 表情 消息 訊息 链接 連結 主题 主題 昵称 暱稱 群组 群組 投票 通话 通話 聊天 相片 影片 첨부 사진 동영상 스티커
    메시지 링크 위치 테마 별명 그룹 투표 통화 이모티콘 채팅 bilaga bild klistermärke meddelande länk plats tema smeknamn
    grupp omröstning samtal vedhæft billede besked placering kaldenavn gruppe afstemning opkald vedlegg bilde melding
    posisjon kallenavn avstemning anrop samtale liite liitteen kuva tarra viesti linkki sijainti teema lempinimi ryhmä
    kysely puhelu příloh fotk fotografi nálepk zpráv odkaz poloh motiv přezdív skupin anket hovor melléklet fénykép matric
    üzenet hivatkozás tém becenev csoport szavazás hívás atașament fotografie autocolant mesaj locație temă poreclă grup
    sondaj apel συνημμένο φωτογραφία βίντεο αυτοκόλλητο μήνυμα τοποθεσία θέμα ψευδώνυμο ομάδα δημοσκόπηση κλήση ไฟล์แนบ
    รูปภาพ รูป วิดีโอ สติกเกอร์ ข้อความ ลิงก์ ตำแหน่ง ธีม ชื่อเล่น กลุ่ม โพล สาย แชท tệp|đính file|đính ảnh video nhãn
    tin|nhắn liên|kết vị|trí chủ|đề biệt|danh nhóm thăm|dò cuộc|gọi پیوست عکس ویدیو برچسب پیام تم گروه نظرسنجی تماس"""
_LIKES = (
    "liked a message|gefällt eine nachricht|hat eine nachricht mit „gefällt mir“ markiert|eine nachricht gefällt|"
    "a aimé un message|le gustó un mensaje|indicó que le gusta un mensaje|le gusta un mensaje|curtiu uma mensagem|"
    'gostou de uma mensagem|ha messo "mi piace" a un messaggio|ha messo mi piace a un messaggio|piace un messaggio|'
    "vindt een bericht leuk|heeft een bericht leuk gevonden|понравилось сообщение|нравится сообщение|"
    "поставил(а) «нравится» сообщению|сподобалося повідомлення|lubi wiadomość|polubił(a) wiadomość|bir mesajı beğendi|"
    "menyukai pesan|أعجب برسالة|أعجبته رسالة|אהב/ה הודעה|एक मैसेज पसंद किया|メッセージに「いいね！」しました|"
    "メッセージに「いいね!」しました|赞了一条消息|对一条消息点了赞|對一則訊息按讚|說一則訊息讚|"
    "메시지를 좋아합니다|gillade ett meddelande|"
    "synes godt om en besked|likte en melding|tykkäsi viestistä|líbí se mu zpráva|označil(a) zprávu jako to se mi líbí|"
    "kedvelt egy üzenetet|a apreciat un mesaj|του/της αρέσει ένα μήνυμα|ถูกใจข้อความ|đã thích một tin nhắn"
).split("|")
_CALL_ENDED = (  # Instagram says so without a name or a full stop
    "video chat ended|audio call ended|voice call ended|video call ended|videochat beendet|audioanruf beendet|"
    "videoanruf beendet|sprachanruf beendet|appel vidéo terminé|appel audio terminé|discussion vidéo terminée|"
    "videochat finalizado|videollamada finalizada|llamada de audio finalizada|finalizó el videochat|"
    "finalizó la videollamada|bate-papo com vídeo encerrado|chamada de vídeo encerrada|chamada de áudio encerrada|"
    "videochiamata terminata|la videochiamata è terminata|chiamata audio terminata|la chiamata audio è terminata|"
    "videochat beëindigd|videogesprek beëindigd|audiogesprek beëindigd|spraakoproep beëindigd|видеочат завершен|"
    "видеочат завершён|видеозвонок завершен|видеозвонок завершён|аудиозвонок завершен|аудиозвонок завершён|"
    "відеочат завершено|аудіовиклик завершено|czat wideo został zakończony|czat wideo zakończony|"
    "połączenie audio zakończone|görüntülü sohbet sona erdi|sesli arama sona erdi|görüntülü arama sona erdi|"
    "obrolan video berakhir|panggilan audio berakhir|panggilan video berakhir|ビデオチャットが終了しました|"
    "音声通話が終了しました|视频聊天已结束|语音通话已结束|視訊聊天已結束|語音通話已結束|영상 채팅이 종료되었습니다|"
    "음성 통화가 종료되었습니다|不在着信|부재중 전화|videochatten avslutades|videochatten har avslutats|videochat afsluttet"
).split("|")
_GONE = """longer mehr plus ya|no non|è não|está niet|meer больше більше już artık lagi já|não لم|يعد לא|זמינ अब ご利用
    不再 已不 더|이상 inte|längre ikke|længere ikke|lenger enää už|není már|nem nu|mai δεν ไม่ không|còn دیگر unavailable"""
_POLL = """poll umfrage sondage encuesta enquete sondagem sondaggio peiling опрос опитув ankiet anket jajak استطلاع סקר पोल
    アンケート 投票 투표 omröstning afstemning avstemning kysely szavazás sondaj δημοσκόπηση โพล thăm|dò نظرسنجی"""
_SENDS, _DOES, _OF = Stems(_SENT.split()), Stems(_ACTS.split()), Stems(_THINGS.split())
_OF_NOBODY = frozenset((*_LIKES, *_CALL_ENDED))
_OF_THE_CLIENT = re.compile(
    r"Your other chat (?:has been|with .{1,60} was|was) archived\.|Previous messages may be in your other chat\."
    r"|(?:Instagram|Messenger) upgraded the security of this chat\..{0,120}"
    r"|Messages and calls are secured with end-to-end encryption\."
    r"|Disappearing messages were turned off\..{0,100}|You unsent a message|A poll has been unsent\."
    r"|Your poll has multiple updates\.|You cleared (?:your|the) nickname.{0,80}\."
    r"|A screenshot was taken\.|Current screen was recorded\.|You took a screenshot\.|You recorded the screen\."
    r"|Someone added .{1,120} to the group\. (?:You|They) can only see messages sent after .{1,20} added\."
    r"|A contact (?:missed your|started a) .{1,20}\.|The (?:audio|video) call ended\."
    r"|(?:You|A chat admin) changed who can add people to .{1,30}\."
    r"|You're messaging .{1,60} for the first time\..{0,120}"
    r"|You turned o(?:n|ff) message sharing permissions for this chat\..{0,120}"
)
_NO_LONGER, _POLL_WORD = Stems(_GONE.split()), Stems(_POLL.split())
_PLACE = Stems(
    "location standort localis ubicaci localiza posizione locatie местополож lokalizac konum lokasi موقع 位置 위치".split()
)
_EDIT_NOTE = re.compile(r"(.+?) ?\(([^()\n]{3,30})\)\s*", re.DOTALL)
_EDITED = Stems(
    (*EDITED.split(), *"modifi muokat redig upraven szerkeszt bearb düzenl επεξεργ відред изменено".split())
)
_LETTER = re.compile(r"[^\W\d_]")


def is_notice(sender: str, text: str) -> bool:
    """Return whether the app says `text` about its sender."""
    if not text or len(text) > _LONGEST or "\n" in text or not (text.endswith(_STOPS) or len(text) < 110):
        return False
    if _OF_THE_CLIENT.fullmatch(text):
        return True
    stops = text.endswith(_STOPS)
    rest = text[len(sender) :] if sender and text.startswith(sender) else ""
    if rest and _parts(sender[-1], rest[0]) and _LETTER.search(rest):
        return stops or _does(rest) or is_label(rest.strip().capitalize(), False)
    first = sender.split(" ")[0] if sender else ""
    if first and len(first) > 1 and text.startswith(f"{first} ") and _does(text) and _OF.search(text):
        return stops
    if sender and stops and _is_in(sender, text) and _does(text):
        return True
    of_account = bool(_YOU.match(text))
    return _is_of_nobody(text) or is_label(text, of_account) or (stops and (_is_of_the_account(text) or _is_bare(text)))


def _parts(before: str, after: str) -> bool:
    """Return whether a word ends between two characters; scripts without blanks end it anywhere."""
    return not (before.isalnum() and after.isalnum()) or max(before, after) >= "\u0e00"


def _is_in(name: str, text: str) -> bool:
    """Return whether a name of more than two letters stands inside a text as a word."""
    at = text.find(name)
    end = at + len(name)
    return (
        len(name) > 2 and at > 0 and end < len(text) and _parts(text[at - 1], name[0]) and _parts(name[-1], text[end])
    )


def _does(text: str) -> bool:
    return bool(_DOES.search(text) or _SENDS.search(text))


def _is_of_nobody(text: str) -> bool:
    """Return whether a text is `Liked a message` or `Video chat ended`."""
    return text.strip().rstrip("".join(_STOPS)).casefold() in _OF_NOBODY


def _is_of_the_account(text: str) -> bool:
    """Return whether it tells what the account itself did: `You sent an attachment.`"""
    return (
        len(text) <= 110 and bool(_YOU.match(text)) and not _ME.search(text) and _does(text) and bool(_OF.search(text))
    )


def _is_bare(text: str) -> bool:
    """Return whether it is a notice without a subject.

    A poll that is gone, or what Japanese and Korean say of the account.
    """
    if len(text) <= 80 and _POLL_WORD.search(text) and _NO_LONGER.search(text):
        return True
    if len(text) <= 80 and "Messenger" in text and not _ME.search(text) and len(text.split()) <= 12:
        return True
    polite = text.endswith(("しました。", "습니다.", "했습니다.", "ました。"))
    return polite and len(text) <= 40 and _does(text) and bool(_OF.search(text))


def sent_medium(text: str) -> str:
    """Return the medium that a notice says was sent, empty if it says something else."""
    if not _SENDS.search(text):
        return ""
    return "location" if _PLACE.search(text) else medium_in(text) or "file"


def without_edit_note(text: str) -> tuple[str, bool]:
    """Return a text without its `(edited)`, and whether it had one."""
    match = _EDIT_NOTE.fullmatch(text) if text.rstrip().endswith(")") else None
    if match and match[2][0] not in " " and len(match[2].split()) <= 3 and _EDITED.search(match[2]):
        return match[1], True
    return text, False
