"""Texts that are nothing but a label of an app: a thing, what happened to it, and small words, in many languages.

The order of the words doesn't matter, any other word makes it somebody's own.
"""

import re
from unicodedata import normalize

from persona.emoji import emoji_of
from trainer.sources.parsing.stems import Stems

_LONGEST = 90  # characters of a label
_MOST_WORDS = 14
_MOST_OF_NAME = 3  # words
_STOPS = ".。।۔ "
_LIVELY = re.compile("[?!¿¡？！؟]")  # what no label has, and people who ask about one do
_SMALL = """a an você uma um μια ένα jste jsi egy oder šī ফেলা ফেলেছেন këtë esta este foi fost hindi the to your you
    their his her its with on of in at by from this that was is has have added du sie ihr hat hast haben auf mit
    deine deiner deinem dein ihre ihrer ihrem ihren seine seiner seinem von die der das den dem dich zu zur eine
    einen wurde vous tu toi à au aux la le les l un une votre ta ton sa son avez as avec de dans sur te t’a mis su
    sus el en con por ha han tus lo una al del seu sua seus dele dela ao no na o às os com para em do da reagindo
    reagiu deixou hai alla alle allo ai agli tuo tua tuoi suo il nella nel di della aggiunto lasciato reso je jij
    hebt heeft met op het een zijn haar hun jouw u uw aan в на ваше вашу вашем ваш вас вы твое твоё твою свою своей
    своём с к от своем к(а) а у во до вашого ви твоє своїй своєму з із за w twoją twoja twojej ciebie cię swojej
    swoją użytkownika jest przez z się po ile bir adlı kişinin senin sizin seni sizi kendi bıraktı verdi verdin attı
    gösterdi ke pada anda kamu mu dengan oleh yang memberi memberikan إلى على في مع من لقد بـ ب عبر رسالتك ل את על
    עם של שלך ה ב- ב ל שלו שלה ב־ के ने पर को की का से दिया दी आपकी आपके आपका आपने अपनी है किया में på med ditt din
    dina det sin er til i dine har ved deres sinun viestiisi sinut k v ve se s tvou tvoji váš vaši vaše tvůj tvé tě
    svém azt így ezzel az în cu tău tale te-a σας σου στο στην στη με ο η το του της την τον έκανε σε về của bạn vào
    với đã trong به شما با در نشان داد خود را نیست nhắn är van ti táto túto správa bola boli ste bol som toto ova
    ovu smo od strane ова ову је сте bilo bila bil za jums jūs buvo yra ši šią tika šo ir see selle seda hierdie jy
    ujumbe huu hii wa ya ni umefuta ang ng mo mga itong ito ini telah এই আপনি এটি হয়েছে হয়েছিল গেছে করা করেছেন
    দেওয়া இந்த இந்தச் நீங்கள் ఈ మీరు हा हे ही तुम्ही गेला गेले आला आले केला केले झाला या આ તમે આવ્યો હતો કરવામાં છે
    નાખ્યો નાખવામાં ગયો ಈ ನೀವು ಮಾಡಲಾಗಿದೆ ഈ നിങ്ങൾ ചെയ്തു ਇਹ ਤੁਸੀਂ ਗਿਆ ਸੀ ਦਿੱਤਾ ਹੈ یہ آپ نے کر دیا گیا ہے تھا اس میں
    کو siz bu bunu bul бұл сіз ky kjo e ja është оваа е ја беше ги това вие ez lett heu s'ha s’ha aquest aquesta
    admin administrator administratoren administrateur administrador vom par door dall'amministratore dell des"""
_INSIDE = """회원님 보냈습니다 남겼습니다 했습니다 보였습니다 표시했습니다 하였습니다 습니다 에게 에서 님 의 에 을
    를 이 가 은 는 로 あなた しました されました 送りました さん ました した の に を で が は と へ し 你 您 的 了
    对 對 给 給 在 我 个 個 已 这 這 則 条 음 此 是 ใช้งาน ของ คุณ ต่อ ใน ที่ กับ ได้ ด้วย การ"""
_PARTICLES = frozenset(normalize("NFC", _SMALL.casefold()).split())
_INNER = re.compile("|".join(sorted(_INSIDE.split(), key=len, reverse=True)))
_JOINED = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")  # scripts without blanks, and Korean
_LETTER = r"(?:[^\W\d_]|[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0dff])"  # with the marks of its script
_LETTER_RUN = re.compile(rf"{_LETTER}+(?:['’-]{_LETTER}+)*")


def bare_label(text: str) -> str:
    """Return a text without the stop at its end; empty if it is too long for a label, begins as none does, or
    is lively."""
    bare = text.strip(_STOPS)
    if len(bare) > _LONGEST or bare.count(" ") >= _MOST_WORDS:
        return ""
    return "" if bare[:1].islower() or bare.startswith("I ") or is_lively(bare) else bare


def is_lively(text: str) -> bool:
    """Return whether a text asks, exclaims or smiles, as no label does."""
    return bool(_LIVELY.search(text) or emoji_of(text))


def says_only(bare: str, thing: Stems, deed: Stems, may_name: bool = False) -> bool:
    """Return whether a bare label says a deed of a thing and nothing else. may_name: but somebody's name."""
    if not (deed.search(bare) and thing.search(bare)):
        return False
    rest = deed.sub("\1", thing.sub("\0", bare))
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
    return not is_marked and any(
        normalize("NFC", run.casefold()) not in _PARTICLES for run in _LETTER_RUN.findall(word)
    )
