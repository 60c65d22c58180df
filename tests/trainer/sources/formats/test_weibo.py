"""Weibo as weibo-crawler saves it, JSON and CSV."""

from tests.trainer.sources.reading import FIXTURES, read


def test_both_files_say_the_same() -> None:
    """A repost's own comment ends at the chain; without one it is only a repost. Dates are Beijing's."""
    messages, rejects = read(FIXTURES / "weibo")
    by_id = {one.message_id: one for one in messages}
    assert {one.sender_name for one in messages} == {"小鸥"}
    assert {one.sender_id for one in messages} == {"3001"}
    assert by_id["11"].text == "早安，海鸥 & 船"
    assert by_id["11"].timestamp == 1556985600.0
    assert (by_id["12"].text, by_id["12"].reply_to_id, by_id["12"].quoted_text) == (
        "哈哈 @阿渡 也是\n真的",
        "9",
        "又迟到了",
    )
    assert (by_id["13"].forwarded_from, by_id["13"].reply_to_id) == ("阿渡", "")
    assert by_id["14"].attachments == ("photo",)
    assert (by_id["21"].text, by_id["22"].text, by_id["22"].reply_to_id) == ("早安，\n海鸥", "真的", "9")
    assert by_id["12"].mentions == (("", "阿渡"),)
    assert rejects == []
