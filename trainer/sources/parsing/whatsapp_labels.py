"""What WhatsApp writes for deleted messages and missed calls in the languages that have no phrases in whatsapp_notices."""

from trainer.sources.parsing.labels import bare_label, says_only
from trainer.sources.parsing.stems import Stems

_MESSAGES = """správ poruk порук sporočil žinut ziņ sõnum boodskap ujumbe mensahe mesej মেসেজ মেসেজটি বার্তা செய்தி
    சந்தேச సందేశ మెసేజ్ संदेश मेसेज मैसेज સંદેશ મેસેજ ಸಂದೇಶ സന്ദേശ മെസേജ് ਸੁਨੇਹ ਮੈਸੇਜ پیغام میسج mesaj xabar хабар
    mesazh порака съобщен missatge üzenet mensagem nachricht message mensaje messaggio bericht teachtaireacht
   """
_DELETED = """odstrán zmazan izbrisa obrisa избриса обриса ištrin ištryn izdzēs kustuta uitgevee geskrap futwa lifutwa
    ulifutwa umefuta binura dipadam memadam padam মুছে ডিলিট নীক நீக்க తొలగించ హటा हटव डिलीट કાઢી ડિલીટ ಅಳಿಸ
    ഇല്ലാതാക്ക നീക്കം ਮਿਟਾ ਹਟਾ حذف ڈیلیٹ silin sildi oʻchir o‘chir o'chir жойыл жойды fshi fshive избриша изтри
    törölv elimina elimino suprim șters gelöscht scriosta"""
_CALLS = """poziv videopoziv повикв повик разговор klic videoklic skambut zvan kõne videokõne stemoproep simu tawag
    call அழைப்பு కాల్ কল कॉल કૉલ કોલ ಕರೆ കോൾ ਕਾਲ کال zəng qoʻngʻiroq qo‘ng‘iroq қоңырау telefonat thirrje trucada
    panggilan oproep hovor"""
_VOICES = """glasovn гласов balso balss hääl stem sauti voice video ভয়েস ভিডিও குரல் வீடியோ వాయిస్ వీడియో व्हॉइस
    व्हिडिओ વૉઇસ વિડિઓ ವಾಯ್ಸ್ ವೀಡಿಯೊ വോയ്സ് വീഡിയോ ਵੌਇਸ ਵੀਡੀਓ وائس ویڈیو səsli дауыстық zanor veu vídeo suara видео"""
MISSED = """propušten пропуснат пропушт zgrešen praleist neatbild vastamata gemiste uliyokosa nasagot terlepas মিসড
    தவறிய తప్పిన మిస్డ్ चुकलेल मिस्ड મિસ્ડ ತಪ್ಪಿದ മിസ്ഡ് ਮਿਸਡ ਖੁੰਝ مسڈ cavabsız javobsiz қабылданба humbur perdud
    zmeškan"""

_MESSAGE, _DELETION = Stems(_MESSAGES.split()), Stems(_DELETED.split())
_CALL, _MISS = Stems((*_CALLS.split(), *_VOICES.split())), Stems(MISSED.split())


def is_deleted(text: str) -> bool:
    """Return whether `text` is nothing but the note that a message was deleted."""
    bare = bare_label(text)
    return bool(bare) and says_only(bare, _MESSAGE, _DELETION, may_name="admin" in bare.casefold())


def is_missed_call(text: str) -> bool:
    """Return whether `text` is nothing but the note of a missed call."""
    bare = bare_label(text)
    return bool(bare) and says_only(bare, _CALL, _MISS)
