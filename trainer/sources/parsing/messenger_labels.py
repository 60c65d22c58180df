"""Labels without a subject that Instagram and Messenger write in place of a message, in the languages of their apps.

`Missed audio call`, `Message unavailable`, `Replied to your story`, `Reacted 😂 to your message`. A text is a label if it
begins as a sentence does and holds nothing but a thing, what happened to it, and small words; of answers to stories also
whose story it was.
"""

import re

from persona.emoji import emoji_of
from trainer.sources.parsing.labels import bare_label, says_only
from trainer.sources.parsing.stems import Stems
from trainer.sources.parsing.whatsapp_notices import CALL, MESSAGE, MISSED

_CHATS = """audio video vidéo vídeo voice chat videochat audioanruf videoanruf sprachanruf videogespräch discussion
    vocal conversation bate-papo voz áudio vocale videochiamata spraak audio-oproep video-oproep videogesprek аудио
    аудіо видео відео голос czat rozmow wideo sesli görüntülü sohbet obrolan suara صوت فيديو دردشة קול וידאו צ'אט
    ऑडियो वीडियो चैट 音声 ビデオ チャット 语音 語音 视频 視訊 視像 聊天 음성 영상 채팅 오디오 ljud röst videosamtal
    lydopkald videoopkald lydanrop videoanrop ääni videopuhelu hlasov videohovor hang videó csevegés hívás βιντεοκλ
    ήχου φωνητικ συνομιλ เสียง วิดีโอ แชท thoại cuộc trò|chuyện صوتی تصویری گفتگو تماس apel שיחת"""
_STORY = """story stories storie histori história storia verhaal истори історі сторис relacj hikaye cerita kisah قصة
    قصت ستوري סטורי סיפור स्टोरी कहानी ストーリー 快拍 限时动态 限時動態 限動 故事 스토리 händelse tarin příběh
    történet povest ιστορί στόρι สตอรี่ tin استوری داستان"""
_MORE_MESSAGES = "הודע μήνυμ پیام رسالت संदेश 讯息"
_THING = """attachment anhang beitrag pièce|jointe archivo anexo allegato bijlage post publicaci publicaç
    publication вложение публикация вкладення załącznik içerik gönderi lampiran postingan المرفق المنشور קובץ פוסט
    投稿 添付 附件 帖子 貼文 게시물 첨부 bilaga inlägg vedhæft opslag vedlegg innlegg julkaisu příloha příspěvek
    melléklet bejegyzés atașament postare content inhalt contenu contenido conteúdo contenuto konten 内容 內容
    콘텐츠"""
_GONE = """unavailable no|longer|available isn't|available isn’t|available not|available nicht|verfügbar
    nicht|mehr|verfügbar indisponib indisponív plus|disponible n'est|plus|disponible n’est|plus|disponible
    pas|disponible no|disponible ya|no|está no|está não|está não|disponível non|disponibil non|è|più non|è
    niet|beschikbaar niet|meer|beschikbaar недоступ больше|не більше|не niedostępn nie|jest kullanılamıyor
    kullanılamaz görüntülenemiyor artık|mevcut tidak|tersedia غير|متاح لم|تعد غير|متوفر לא|זמינ אינה|זמינ
    उपलब्ध|नहीं 利用できません 表示できません ご利用いただけません 不可用 无法查看 無法使用 無法查看 无法使用
    无法显示 無法顯示 已不 不再 사용할|수|없 볼|수|없 표시할|수|없 이용할|수|없 inte|tillgänglig inte|längre
    otillgänglig ikke|tilgængelig ikke|længere ikke|tilgjengelig ikke|lenger utilgængelig utilgjengelig
    ei|ole|saatavilla není|k|dispozici nedostupn nem|érhető nem|elérhető nu|este nu|mai indisponibil
    δεν|είναι|διαθέσιμ μη|διαθέσιμ ไม่พร้อม ไม่สามารถ ใช้ไม่ได้ không|có|sẵn không|khả|dụng không|còn در|دسترس
    tidak|lagi"""
_REPLIED = """replied answered geantwortet beantwortet répondu respondi respondis respondeu rispost gereageerd
    geantwoord beantwoord ответил відповів відповіл odpowiedzia yanıt cevap membalas رد ردّ رددت أجاب השיב השבת הגיב
    הגבת जवाब उत्तर 返信 回复 回覆 回應 回应 답장 svarade svarede svarte vastasi vastasit odpověd válaszolt răspuns
    απάντησ απαντήσ ตอบกลับ trả|lời پاسخ"""
_REACTED = """reacted reagier réagi réaction reaccion reagi reaç reazion reagit gereageerd реагир отреаг реаг
    відреаг реакц zareag reakcj ifade tepki bereaksi reaksi tanggap menanggapi تفاعل הגיב הגבת תגובה प्रतिक्रिया
    रिएक्शन リアクション 回应 回應 反应 傳達 心情 반응 공감 reagera reagere reagert reagoi reagoval reagált
    reacționa αντέδρασ αντιδρ แสดงความรู้สึก bày|tỏ cảm|xúc واکنش"""
_MENTIONED = """mentioned erwähnt mentionné mencion menzionat genoemd vermeld упомян згада wspomnia oznaczy bahset
    etiketle menyebut menandai ذكر أشار ציין תייג उल्लेख मेंशन メンション 提到 提及 언급 omnämn nämnde nævnte nevnte
    mainitsi zmínil megemlít menționat ανέφερε กล่าวถึง nhắc اشاره"""
_BEGAN = """started joined ended begonnen gestartet beendet beigetreten lancé démarré commencé rejoint terminé
    iniciado iniciaste inició comenzaste comenzó empezaste finalizó finalizaste terminó terminaste uniste unió
    iniciou começou entrou encerrou terminou avviato iniziato unito terminat gestart begon deelgenomen beëindigd
    начал присоед завершил закончил завершен завершён розпоч почав приєдн завершено rozpocz dołącz zakończ başlat
    katıl sona|erdi bitti memulai bergabung berakhir mengakhiri بدأ انضم انتهت انتهى התחיל התחלת הצטרף הסתיים נסתיים
    शुरू शामिल समाप्त खत्म 開始 参加 終了 开始 发起 加入 结束 結束 시작 참여 종료 startade startat avslutade avslutat
    anslöt startede startet sluttede afslutte avslutte aloitti aloitit päättyi lopetti liittyi zahájil skončil
    ukončil připojil elindít indított csatlakoz befejez început alăturat încheiat ξεκίνησ ξεκινήσ τερμάτισ ολοκληρώθ έληξε เริ่ม
    เข้าร่วม สิ้นสุด bắt|đầu tham|gia kết|thúc شروع پایان"""

_REACTS = Stems(_REACTED.split())
_CALL, _MISSED = Stems((*CALL.split(), *_CHATS.split())), Stems(MISSED.split())
_MESSAGES, _STORIES = Stems((*MESSAGE.split(), *_MORE_MESSAGES.split())), Stems(_STORY.split())
_LABELS = (  # a thing, and what happened to it
    (_CALL, _MISSED),
    (_CALL, Stems(_BEGAN.split())),
    (Stems((*MESSAGE.split(), *_MORE_MESSAGES.split(), *_STORY.split(), *_THING.split())), Stems(_GONE.split())),
    (_MESSAGES, _REACTS),
    (_STORIES, Stems((*_REPLIED.split(), *_REACTED.split(), *_MENTIONED.split()))),
)
_ANY = Stems(
    (
        *MISSED.split(),
        *(word for words in (_BEGAN, _GONE, _REPLIED, _REACTED, _MENTIONED) for word in words.split()),
    )
)
_NAMED = re.compile("さんの|님의")


def _without_emoji(text: str) -> str:
    """Return a text without those that somebody reacted with."""
    for emoji in emoji_of(text):
        text = text.replace(emoji, "")
    return text


def is_label(text: str, of_account: bool) -> bool:
    """Return whether `text` is nothing but such a label. of_account: it begins with `You` or the like."""
    bare = bare_label(_without_emoji(text) if _REACTS.search(text) else text)
    if not bare or not _ANY.may_occur(bare):
        return False
    may_name = (of_account or bool(_NAMED.search(bare))) and not re.search("[,，、]", bare)
    return any(says_only(bare, thing, deed, may_name and thing is _STORIES) for thing, deed in _LABELS)
