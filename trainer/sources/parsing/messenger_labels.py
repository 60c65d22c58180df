"""Labels without a subject that Instagram and Messenger write in place of a message, in the languages of their apps.

`Missed audio call`, `Message unavailable`, `Replied to your story`, `Reacted 😂 to your message`. A text is a label if it
begins as a sentence does and holds nothing but a thing, what happened to it, and small words; of answers to stories also
whose story it was.
"""

import re

from trainer.sources.parsing.stems import Stems
from trainer.sources.parsing.whatsapp_notices import CALL, MESSAGE, MISSED

_LONGEST = 90  # characters of a label
_MOST_WORDS = 14
_MOST_OF_NAME = 3  # words
_STOPS = ".。।۔ "
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
_SMALL = """a an the to your you their his her its with on of in at by from this that was is has have added du sie
    ihr hat hast haben auf mit deine deiner deinem dein ihre ihrer ihrem ihren seine seiner seinem von die der das
    den dem dich zu zur eine einen wurde vous tu toi à au aux la le les l un une votre ta ton sa son avez as avec de
    dans sur te t’a mis su sus el en con por ha han tus lo una al del você seu sua seus dele dela ao no na o às os
    com para em do da reagindo reagiu deixou hai alla alle allo ai agli tuo tua tuoi suo il nella nel di della
    aggiunto lasciato reso je jij hebt heeft met op het een zijn haar hun jouw u uw aan в на ваше вашу вашем ваш вас
    вы твое твоё твою свою своей своём с к от своем к(а) а у во до вашого ви твоє своїй своєму з із за w twoją twoja
    twojej ciebie cię swojej swoją użytkownika jest przez z się po ile bir adlı kişinin senin sizin seni sizi kendi
    bıraktı verdi verdin attı gösterdi ke pada anda kamu mu dengan oleh yang memberi memberikan إلى على في مع من لقد
    بـ ب عبر رسالتك ل את על עם של שלך ה ב- ב ל שלו שלה ב־ के ने पर को की का से दिया दी आपकी आपके आपका आपने अपनी है
    किया में på med ditt din dina det sin er til i dine har ved deres sinun viestiisi sinut k v ve se s tvou tvoji
    váš vaši vaše tvůj tvé tě svém azt így ezzel az în cu tău tale te-a σας σου στο στην στη με ο η το του της την
    τον έκανε σε về của bạn vào với đã trong به شما با در نشان داد خود را نیست nhắn är van ti"""
_INSIDE = """회원님 보냈습니다 남겼습니다 했습니다 보였습니다 표시했습니다 하였습니다 습니다 에게 에서 님 의 에 을
    를 이 가 은 는 로 あなた しました されました 送りました さん ました した の に を で が は と へ し 你 您 的 了
    对 對 给 給 在 我 个 個 已 这 這 則 条 음 此 是 ใช้งาน ของ คุณ ต่อ ใน ที่ กับ ได้ ด้วย การ"""

_CALL, _MISSED = Stems((*CALL.split(), *_CHATS.split())), Stems(MISSED.split())
_MESSAGES, _STORIES = Stems((*MESSAGE.split(), *_MORE_MESSAGES.split())), Stems(_STORY.split())
_LABELS = (  # a thing, and what happened to it
    (_CALL, _MISSED),
    (Stems((*MESSAGE.split(), *_MORE_MESSAGES.split(), *_STORY.split(), *_THING.split())), Stems(_GONE.split())),
    (_MESSAGES, Stems(_REACTED.split())),
    (_STORIES, Stems((*_REPLIED.split(), *_REACTED.split(), *_MENTIONED.split()))),
)
_ANY = Stems(
    (
        *MISSED.split(),
        *(word for words in (_GONE, _REPLIED, _REACTED, _MENTIONED) for word in words.split()),
    )
)
_PARTICLES = frozenset(_SMALL.casefold().split())
_INNER = re.compile("|".join(sorted(_INSIDE.split(), key=len, reverse=True)))
_JOINED = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")  # scripts without blanks, and Korean
_LETTER = r"(?:[^\W\d_]|[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0dff])"  # with the marks of its script
_LETTER_RUN = re.compile(rf"{_LETTER}+(?:['’-]{_LETTER}+)*")
_NAMED = re.compile("さんの|님의")


def is_label(text: str, of_account: bool) -> bool:
    """Return whether `text` is nothing but such a label. of_account: it begins with `You` or the like."""
    bare = text.strip(_STOPS)
    if not bare or len(bare) > _LONGEST or bare[0].islower() or bare.startswith("I ") or bare.count(" ") >= _MOST_WORDS:
        return False
    if not _ANY.may_occur(bare):
        return False
    may_name = (of_account or bool(_NAMED.search(bare))) and not re.search("[,，、]", bare)
    return any(
        deed.search(bare)
        and thing.search(bare)
        and _is_all(deed.sub("\1", thing.sub("\0", bare)), may_name and thing is _STORIES)
        for thing, deed in _LABELS
    )


def _is_all(rest: str, may_name: bool) -> bool:
    """Return whether only small words are left beside the marks. may_name: or somebody's name."""
    if "\0" not in rest or "\1" not in rest:
        return False
    others = [word for word in rest.split() if _is_word(word)]
    if not others:
        return True
    return may_name and len(others) <= _MOST_OF_NAME and not any(map(_is_lower, others))


def _is_lower(word: str) -> bool:
    """Return whether a word is no name, by its first letter."""
    return word[0].islower() and not word.endswith(("'s", "’s"))


def _is_word(word: str) -> bool:
    """Return whether a word says something of its own; what is left of a marked one is its ending."""
    if _JOINED.search(word):
        return bool(_LETTER_RUN.search(_INNER.sub("", word)))
    is_marked = "\0" in word or "\1" in word
    return not is_marked and any(run.casefold() not in _PARTICLES for run in _LETTER_RUN.findall(word))
