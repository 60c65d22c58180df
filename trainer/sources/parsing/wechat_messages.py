"""What a WeChat message is, by its type and the words that tools write for it."""

import re
from typing import Any, NamedTuple

from trainer.sources.message import Message, MessageKind

# Kinds by the tools' names and WeChat's numbers, `49/5` being type and subtype.
_TYPES = {
    "text": "1 text 文本 文字 文本消息 粘贴的文本 49/1 接龙 49/53 quote 引用 引用回复 引用消息 带有引用的文本消息 49/57"
    " 244813135921",
    "photo": "3 image picture photo 图片 圖片 图片消息",
    "voice": "34 voice audio 语音 語音 语音消息",
    "video": "43 62 video 视频 視頻 小视频 视频消息",
    "sticker": "47 sticker emoji 动画表情 表情 表情包 动态表情 用户上传的GIF表情 49/8",
    "location": "48 location 位置 地理位置 位置消息 位置共享 49/17",
    "contact": "42 card contact 名片 名片消息 推荐公众号 (分享)视频号名片 49/50",
    "file": "49/6 49/74 49/0 file 文件 文件消息 文件(猜)",
    "link": "49/4 49/5 49/24 49/40 49/44 49/51 49/63 49/88 link 链接 链接消息 卡片式链接 分享链接 (分享)卡片式链接"
    " (分享)笔记 (分享)收藏夹"
    " (分享)小说(猜) (分享)视频号视频 视频号直播或直播回放 视频号直播或直播回放等",
    "app": "49/33 49/36 49/7 app 小程序 小程序消息 (分享)小程序 分享的小程序 游戏相关",
    "music": "49/3 music 音乐 音乐消息 (分享)音乐",
    "forward": "49/19 合并转发 合并转发的聊天记录 转发的聊天记录 聊天记录",
    "call": "50 call voip 语音通话 视频通话 音视频通话 通话 通话消息",
    "service": "10000 10002 266287972401 37 65 66 49/87 49/2000 49/2001 49/2003 system 系统通知 系统消息 系统 拍一拍 撤回"
    " revoke 红包 微信红包"
    " 转账 转账收款 转账消息 赠送红包封面 群公告 添加好友 邀请加群 企业微信打招呼(猜) 企业微信添加好友(猜)",
    "unsupported": "未知 其他消息 消息",
}
_CONTENT_TYPES = {word.casefold(): name for name, words in _TYPES.items() for word in words.split()}
_TAG = re.compile(r"\[([^\[\]\n：:]{1,12})(?:[：:] ?[^\[\]\n]{0,60})?\] ?(.*)", re.DOTALL)
_TAGS = {word: name for word, name in _CONTENT_TYPES.items() if not word[0].isascii()} | {
    "语音消息 - 转文字失败": "voice"
}
_XML = re.compile(r"\s*<(?:\?xml|msg|sysmsg|voipmsg)\b")
_QUOTES = (
    re.compile(
        r"(?P<text>.*?)\s*\[引用\]\((?P<time>[^()\n]{0,40})\)(?P<name>[^:：\n]{0,60})[:：](?P<words>.*)", re.DOTALL
    ),
    re.compile(r"(?P<text>.*?)\s*(?P<time>)\[引用 (?:(?P<name>[^：\n\]]{1,60})：)?(?P<words>.*)\]", re.DOTALL),
)
_SOMEBODY = r'(?:你|我|"[^"\n]{1,40}"|“[^”\n]{1,40}”) ?'
_NOTICE = re.compile(  # WeFlow writes them as texts of whoever they are about
    rf"{_SOMEBODY}(?:撤回了一条消息|撤回了一條訊息|收回了一則訊息)(?:并重新编辑)?"
    rf'|(?=.*["“]){_SOMEBODY}拍了拍 ?(?:自己|{_SOMEBODY}).{{0,30}}'
    rf"|{_SOMEBODY}(?:邀请|邀請|将|將|通过|通過)[^\n]{{1,200}}(?:加入了?群聊|移出了?群聊)[^\n]{{0,20}}"
    rf"|{_SOMEBODY}(?:修改群名为|領取了|领取了)[^\n]{{1,60}}"
    r"|你已添加了[^\n]{1,60}，现在可以开始聊天了。?|以上是打招呼的(?:内容|消息)|消息已发出，但被对方拒收了。?"
)
_VOICE = re.compile(r"语音时长[：:].*", re.DOTALL)
_PLACE = re.compile(r"纬度[：:].*", re.DOTALL)


class WeChatContent(NamedTuple):
    """What a message says. medium: empty for a text. quoted_time: as written."""

    kind: MessageKind
    text: str
    medium: str = ""
    quoted_name: str = ""
    quoted_text: str = ""
    quoted_time: str = ""

    def message(self, **fields: Any) -> Message:
        """Return the message that says this. fields: what else is known of it."""
        return Message(
            kind=self.kind,
            text=self.text,
            reply_to_name=self.quoted_name,
            quoted_text=self.quoted_text,
            attachments=(self.medium,) if self.medium else (),
            **fields,
        )


def parse_message(type_name: str, subtype: str, text: str) -> WeChatContent:
    """Sort a message by its type, and by its text where the type says nothing."""
    name = type_name.strip().casefold()
    content_type = _CONTENT_TYPES.get(f"{name}/{subtype.strip()}") if subtype else None
    content_type = content_type or _CONTENT_TYPES.get(name) or _by_beginning(name)
    if name == "49" and not content_type:
        content_type = "file"
    if content_type in ("service", "call", "unsupported"):
        return WeChatContent(content_type, text)  # type: ignore[arg-type]
    if content_type in (None, "text", "voice"):
        return _parse_text(text, content_type or "text")
    return WeChatContent("message", "", content_type)


def _by_beginning(name: str) -> str:
    return "service" if name.startswith(("消息撤回", "撤回")) else "unsupported" if name.startswith("未知") else ""


def _parse_text(text: str, content_type: str) -> WeChatContent:
    """Return a text or a voice message, which may be transcribed."""
    bare = text.strip()
    if _XML.match(bare):
        return WeChatContent("message", "", "file" if content_type == "text" else content_type)
    if content_type == "text" and _NOTICE.fullmatch(bare):
        return WeChatContent("service", text)
    if content_type == "text" and "[引用" in bare:
        for quote in _QUOTES:
            if match := quote.fullmatch(bare):
                words = _quoted(match["words"].strip())
                return WeChatContent(
                    "message", match["text"].strip(), "", (match["name"] or "").strip(), words, match["time"]
                )
    if (match := _TAG.fullmatch(bare)) and (tagged := _TAGS.get(match[1].strip().casefold())):
        return _tagged(tagged, match[2].strip(), text)
    if _VOICE.fullmatch(bare) and content_type == "voice":
        return WeChatContent("message", "", "voice")
    if content_type == "text" and _PLACE.fullmatch(bare):
        return WeChatContent("message", "", "location")
    if content_type == "text" and not bare:
        return WeChatContent("unsupported", "")
    return WeChatContent("message", text, "voice" if content_type == "voice" else "")


def _tagged(content_type: str, rest: str, text: str) -> WeChatContent:
    """Return the content of a message with a tag: the app's words, unless it is a transcribed voice message."""
    if content_type in ("service", "call", "unsupported"):
        return WeChatContent(content_type, text)  # type: ignore[arg-type]
    if content_type == "text":
        return WeChatContent("unsupported", text)
    return WeChatContent("message", rest if content_type == "voice" and len(rest) > 6 else "", content_type)


def _quoted(words: str) -> str:
    """Quoted words; a medium by its placeholder."""
    content_type = _CONTENT_TYPES.get(words.strip("[]").casefold(), "")
    is_medium = content_type not in ("", "text", "service", "call", "unsupported")
    return f"[{content_type}]" if is_medium else words
