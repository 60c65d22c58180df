"""WeChat's messages as PyWxDump, WeChatMsg and WeFlow write them."""

import pytest

from trainer.sources.parsing.wechat_messages import parse_message


@pytest.mark.parametrize(
    ("name", "subtype", "text", "kind", "words", "medium"),
    [
        ("文本", "", "来", "message", "来", ""),
        ("图片", "", "图片", "message", "", "photo"),
        ("语音", "", "语音时长：3.20秒\n翻译结果：我马上到", "message", "", "voice"),
        ("视频", "", "视频", "message", "", "video"),
        ("动画表情", "", "表情", "message", "", "sticker"),
        ("位置", "", "纬度:【31.2304】 经度:【121.4737】\n位置：南京东路100号 磨坊", "message", "", "location"),
        ("文件", "", "面包.pdf", "message", "", "file"),
        (
            "(分享)卡片式链接",
            "",
            '怎样烤面包\n心得\n\n<a href="https://example.org/x">点击查看详情</a>',
            "message",
            "",
            "link",
        ),
        ("卡片式链接", "", "怎样烤面包", "message", "", "link"),
        ("分享的小程序", "", "分享的小程序", "message", "", "app"),
        ("合并转发的聊天记录", "", "群聊的聊天记录\n张三: 你好", "message", "", "forward"),
        ("转账消息", "", "转账：￥20.00\n转账说明：面包钱", "service", None, ""),
        ("语音通话", "", "语音/视频通话[通话时长 03:21]", "call", None, ""),
        ("系统通知", "", '"Bo" 撤回了一条消息', "service", None, ""),
        ("消息撤回57", "", "你撤回了一条消息", "service", None, ""),
        ("拍一拍", "", '"Bo" 拍了拍我', "service", None, ""),
        ("未知-49,15", "", "x", "unsupported", None, ""),
        ("文本", "", "哈哈[捂脸][旺柴]", "message", "哈哈[捂脸][旺柴]", ""),
        ("文本", "", "[捂脸]", "message", "[捂脸]", ""),
        ("text", "", "[链接] 怎样烤面包", "message", "", "link"),  # WeFlow
        ("text", "", "[小程序]外卖", "message", "", "app"),
        ("text", "", "[转账] ￥20.00 面包钱", "service", None, ""),
        ("text", "", "[语音通话] 03:21", "call", None, ""),
        ("text", "", "[聊天记录] 群聊", "message", "", "forward"),
        ("text", "", "[名片]Bo", "message", "", "contact"),
        ("location", "", "[位置] 磨坊 南京东路100号 (31.2,121.4)", "message", "", "location"),
        ("sticker", "", "[表情包：开心]", "message", "", "sticker"),
        ("text", "", "你撤回了一条消息", "service", None, ""),  # WeFlow has no type for what the app says
        ("text", "", '"阿宝" 撤回了一条消息', "service", None, ""),
        ("text", "", "我拍了拍“阿宝”的肩膀", "service", None, ""),
        ("text", "", '"阿宝"邀请"老蔡"加入了群聊', "service", None, ""),
        ("text", "", "你已添加了阿宝，现在可以开始聊天了。", "service", None, ""),
        ("text", "", "我刚才撤回了一条消息，别问", "message", "我刚才撤回了一条消息，别问", ""),
        ("text", "", "我拍了拍他的肩膀", "message", "我拍了拍他的肩膀", ""),
        ("voice", "", "[语音消息]", "message", "", "voice"),
        ("voice", "", "我马上就到你家了", "message", "我马上就到你家了", "voice"),
        ("49", "57", "", "unsupported", "", ""),  # WeChatMsg: the words of a reply stand elsewhere
        ("49", "5", "<msg><appmsg/></msg>", "message", "", "link"),
        ("10000", "0", '"$username$"邀请"$names$"加入了群聊', "service", None, ""),
        ("3", "0", '<?xml version="1.0"?><msg><img/></msg>', "message", "", "photo"),
    ],
)
def test_a_message_by_its_type(name: str, subtype: str, text: str, kind: str, words: str | None, medium: str) -> None:
    """Media are placeholders; cards, coordinates and file names are not somebody's words."""
    said = parse_message(name, subtype, text)
    assert (said.kind, said.medium) == (kind, medium)
    assert words is None or said.text == words


@pytest.mark.parametrize(
    ("text", "words", "name", "quoted"),
    [
        ("好的我带黄油\n\n[引用](2026-03-01 10:00:00)张三:明天来吗", "好的我带黄油", "张三", "明天来吗"),
        ("哪张图\n\n[引用](2026-03-01 10:00:10)Ana:图片", "哪张图", "Ana", "[photo]"),
        ("好的[引用 张三：明天来吗]", "好的", "张三", "明天来吗"),
        ("好的[引用 [图片]]", "好的", "", "[photo]"),
    ],
)
def test_a_quotation_is_somebody_elses(text: str, words: str, name: str, quoted: str) -> None:
    """With whose words they are, which then get a stand-in."""
    said = parse_message("引用回复", "", text)
    assert (said.text, said.quoted_name, said.quoted_text) == (words, name, quoted)
