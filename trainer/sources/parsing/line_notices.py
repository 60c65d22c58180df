"""What LINE writes in place of a message: tags of media, lines about the chat."""

import re

from trainer.sources.parsing.whatsapp_words import medium_in

_TAGS = {
    "sticker": "sticker|stickers|スタンプ|貼圖|贴图|贴图表情|表情贴图|스티커|สติกเกอร์|stiker",
    "photo": "photo|photos|写真|画像|照片|圖片|图片|相片|사진|รูป|รูปภาพ|ภาพ|foto",
    "video": "video|videos|動画|影片|视频|視訊|동영상|วิดีโอ|วีดีโอ",
    "voice": "voice message|voice messages|audio|ボイスメッセージ|音声|語音訊息|语音消息|语音信息|语音|"
    "음성메시지|음성 메시지|ข้อความเสียง|pesan suara",
    "location": "location|位置情報|位置訊息|位置信息|位置資訊|位置|위치|위치정보|ตำแหน่ง|ตำแหน่งที่ตั้ง|lokasi",
    "file": "file|files|ファイル|檔案|文件|파일|ไฟล์|berkas",
    "contact": "contact|contacts|contact info|連絡先|聯絡資訊|聯絡人|联系人|联系方式|名片|연락처|ผู้ติดต่อ|ข้อมูลติดต่อ|kontak",
    "album": "album|albums|アルバム|相簿|相册|앨범|อัลบั้ม",
    "note": "note|notes|ノート|記事本|笔记|笔记本|노트|โน้ต|catatan",
    "poll": "poll|アンケート|投票|설문|투표|โพล|jajak pendapat",
    "event": "event|イベント|日程|スケジュール|活動|活动|이벤트|กิจกรรม|acara",
    "gift": "gift|lineギフト|ギフト|プレゼント|禮物|礼物|line禮物|선물|선물하기|ของขวัญ|hadiah|line gift|line gifts",
    "music": "music|ミュージック|音楽|音樂|音乐|음악|เพลง|musik",
    "link": "link|リンク|連結|链接|링크|ลิงก์|tautan",
}
_MEDIA = {word: medium for medium, words in _TAGS.items() for word in words.split("|")}
_DESKTOP = frozenset(
    "photo|photos|sticker|stickers|video|videos|voice message|写真|画像|スタンプ|動画|ボイスメッセージ|圖片|照片|貼圖|"
    "影片|語音訊息|图片|视频|贴图|사진|스티커|동영상|음성메시지|รูปภาพ|สติกเกอร์|วิดีโอ".split("|")
)
_TAGGED = re.compile(r"\[([^\[\]\n]{1,24})\] ?([^\n]{0,300})")
# Whole lines, with the name in front or not.
_ABOUT = re.compile(
    r"(?:.{0,60}\S )?(?:unsent a message|joined the (?:group|chat)|left the (?:group|chat)|(?:has )?(?:added|removed|invited) "
    r".{1,60} (?:to|from) the (?:group|chat)|canceled the invitation.*|"
    r"changed the (?:group|chat)(?:'s|’s)? ?.{0,80}|"
    r"changed the .{1,20} photo|created (?:an?|the) (?:group|album|note|poll|event).{0,30}|"
    r"made an announcement.*|deleted (?:an?|the) (?:album|note|photo|poll|event).{0,30}|"
    r"(?:added|uploaded) .{1,40} to (?:the|an) album.*|started a (?:group )?(?:voice|video)? ?call|"
    r"auto-reply)[.!]?"
    r"|.{0,60}(?:がメッセージの送信を取り消しました|メッセージの送信を取り消しました|がグループに参加しました|が参加しました|がグループを退会しました|が退会しました|"
    r"が退出しました|をグループに追加しました|を招待しました|への招待を取り消しました|をグループから退会させました|を退会させました|"
    r"グループ(?:名|の名前|アイコン|のアイコン|の画像|のプロフィール画像).{0,30}を変更しました|"
    r"(?:グループ|アルバム|ノート|投票|イベント).{0,30}を作成しました|"
    r"をアナウンスしました|のアナウンスを解除しました|(?:アルバム|ノート|投票|イベント).{0,30}を削除しました|に写真を追加しました|"
    r"グループ通話が開始されました|グループ通話が終了しました|友だちに追加しました)。?"
    r"|.{0,60}(?:已收回訊息|收回了?訊息|已?撤回了?一?[条條]?(?:消息|訊息)|已?加入了?(?:群組|群组|聊天|群聊)|已?退出了?(?:群組|群组|聊天|群聊)|邀請了?.{1,40}加入|"
    r"邀请了?.{1,40}加入|將.{1,40}(?:退出|移出)群組|将.{1,40}移出群组|(?:變更|更改)了?(?:群組|群组|聊天).{0,24}|"
    r"(?:建立|创建)了?(?:群組|群组|相簿|相册|記事本|投票|活動|活动).{0,20}|設.{1,30}為公告|"
    r"设.{1,30}为公告|發布了?公告.*|新增了?.{1,30}至相簿.*|開始了?群組通話|群組通話已結束)。?"
    r"|.{0,60}(?:님이 메시지(?:를|의 전송을) (?:삭제|취소)했습니다|메시지 전송을 취소했습니다|"
    r"님이 (?:그룹에 )?참여했습니다|님이 들어왔습니다|님이 (?:그룹을 )?나갔습니다|"
    r"님을 초대했습니다|님을 그룹에 추가했습니다|"
    r"님을 (?:강제 )?(?:퇴장|내보냈)\S*|그룹.{0,24}변경했습니다|"
    r"공지(?:를|로)? ?.{0,12}(?:등록|설정)했습니다|그룹통화를 시작했습니다)\.?"
    r"|.{0,60}(?:ยกเลิกข้อความ|ได้ยกเลิกการส่งข้อความ|ยกเลิกการส่งข้อความ|เข้าร่วมกลุ่ม|ออกจากกลุ่ม|เชิญ.{1,40}เข้ากลุ่ม|"
    r"เพิ่ม.{1,40}เข้ากลุ่ม|เปลี่ยน(?:ชื่อ|รูป).{0,40})"
    r"|.{0,60}(?:membatalkan (?:pengiriman )?pesan|bergabung (?:dengan|ke) grup|keluar dari grup|mengundang .{1,40} ke grup|"
    r"mengubah (?:nama|foto) (?:grup|obrolan).{0,40})\.?",
    re.IGNORECASE,
)
# What a desktop says to whoever made the export, under their own name.
_OWN = re.compile(
    r"you unsent a message\.?|メッセージの送信を取り消しました。?|"
    r"(?:您|你)已?(?:收回了?|撤回了?)(?:一[则則条條])?(?:訊息|讯息|消息)。?|"
    r"메시지 전송을 취소했습니다\.?|คุณ(?:ได้)?ยกเลิกข้อความ|(?:anda|kamu) membatalkan (?:pengiriman )?pesan\.?",
    re.IGNORECASE,
)
_SPOKEN = re.compile(r"(?:^| )(?:i|we|you|they|he|she)(?:'ve|’ve| have| just)? ")  # small letters: somebody tells it
_LONGEST = 160


def is_notice(text: str, sender: str = "") -> bool:
    """Return whether LINE says `text`, alone or under the name of whom it is about.

    sender: under whose name it stands; it then begins with that name, or with `You`.
    """
    if len(text) > _LONGEST or "\n" in text:
        return False
    if not sender:
        return not _SPOKEN.search(text) and bool(_ABOUT.fullmatch(text.strip()))
    bare = text.strip()
    if bare.startswith("Auto-reply\t") or _OWN.fullmatch(bare):
        return True
    about = bare.startswith((sender, "You "))
    return (
        (about or bare.startswith("メッセージの送信を"))
        and bool(_ABOUT.fullmatch(bare))
        and not bare.casefold().startswith("you ch")
    )


def medium(text: str, desktop: bool) -> tuple[str, str] | None:
    """Return the medium and words of what stands for one; None for a text.

    Desktops write `Photos`, phones `[Photo]`; behind a poll's tag is its question.
    """
    if match := _TAGGED.fullmatch(text.strip()):
        medium = _MEDIA.get(match[1].casefold().strip(), "") or _in_any_language(match[1].strip(), match[2])
        return (medium, match[2].strip() if medium == "poll" else "") if medium else None
    bare = text.strip().casefold()
    return (_MEDIA[bare], "") if desktop and bare in _DESKTOP else None


def _in_any_language(tag: str, rest: str) -> str:
    """Return the medium of a tag that stands alone, by the words that other apps have for media."""
    return medium_in(tag) if not rest and tag.count(" ") < 3 and not tag[0].islower() else ""
