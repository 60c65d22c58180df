"""Telegram's Bot API on loopback: long polling, sending, and the errors that matter."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiohttp import web
from telegram.constants import ReactionEmoji

TOKEN = "123456789:AAFakeTokenFakeTokenFakeTokenFakeTok"
BOT = {
    "id": 123456789,
    "is_bot": True,
    "first_name": "Persona",
    "username": "PersonaBot",
    "can_join_groups": True,
    "can_read_all_group_messages": False,
    "supports_inline_queries": False,
}
ALICE: dict[str, Any] = {"id": 555, "is_bot": False, "first_name": "Alice", "username": "alice"}
GROUP: dict[str, Any] = {"id": -1001, "type": "supergroup", "title": "friends"}
PRIVATE = {"id": 555, "type": "private", "first_name": "Alice"}


Trouble = Callable[[str, web.Request], Awaitable[web.StreamResponse | None]]


NO_THREAD = "message thread not found"


class FakeTelegram:
    """A server that keeps updates until they are confirmed, as the real one does. on_send: called before a message is
    kept; it may raise web.HTTPException to refuse. trouble: asked before and after a call takes effect (`before
    sendMessage`, `after sendMessage`, `before getUpdates`); what it returns is answered instead. admins: of every group.
    commands: what the bot offers; pressed: buttons that it took note of. webhook: where updates go instead, while there is
    one; holds: whether a long poll is held; polls: how often updates were asked for."""

    def __init__(self) -> None:
        self.updates: list[dict[str, Any]] = []
        self.sent: list[dict[str, Any]] = []
        self.actions: list[dict[str, Any]] = []
        self.token = TOKEN
        self.groups = [GROUP]
        self.commands: list[dict[str, Any]] = []
        self.pressed: list[str] = []
        self.deleted: set[int] = set()
        self.reactions: dict[tuple[int, int], list[str]] = {}  # the bot's, by chat and message
        self.allowed: list[dict[str, str]] | None = None  # reactions in the groups; None for all
        self.custom_emoji: set[str] | None = None  # those that there are; None for all
        self.guest_calls: dict[str, bool] = {}  # those that can still be answered, and whether they were
        self.guest_posts: dict[str, str] = {}  # by the id of the inline message
        self.told: list[str] = []  # to those who pressed buttons
        self.admins: set[int] = set()
        self.reads_all = False
        self.takes_guests = False  # calls from chats that it is not in
        self.muted: set[int] = set()  # groups in which the bot may not write
        self.refused_topics = {1: NO_THREAD}  # what is said to who posts there; 1 is General's in links
        self.on_send: Callable[[dict[str, Any]], None] | None = None
        self.trouble: Trouble | None = None
        self.webhook = ""
        self.holds = True
        self.polls = 0
        self._poll: asyncio.Event | None = None  # set when another call for updates takes its place
        self._changed = asyncio.Event()
        self._next = 1  # message
        self._next_update = 1001

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/bot{token}/{method}", self._call)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port: int = self._runner.addresses[0][1]

    async def stop(self) -> None:
        await self._runner.cleanup()

    @property
    def api_base(self) -> str:
        return f"http://127.0.0.1:{self.port}/bot"

    @property
    def settings(self) -> str:
        """The table of persona.toml that leads here."""
        chats = [group["id"] for group in self.groups]
        return f'[telegram]\nenabled = true\napi_base = "{self.api_base}"\nchats = {chats}\nusers = [{ALICE["id"]}]\n'

    # what a test does

    def say(
        self,
        text: str,
        *,
        chat: dict[str, Any] | None = None,
        author: dict[str, Any] = ALICE,
        mention: bool = False,
        reply_to: dict[str, Any] | None = None,
        **more: Any,
    ) -> int:
        """Somebody writes; returns the message id. more: fields of the message."""
        name = f"@{BOT['username']}"
        message = self._message(chat or self.groups[0], author, f"{name} {text}" if mention else text) | more
        if mention:
            message["entities"] = [{"type": "mention", "offset": 0, "length": len(name)}]
        if reply_to:
            message["reply_to_message"] = reply_to
        self.push({"message": message})
        return int(message["message_id"])

    def react(
        self,
        message_id: int,
        old: Sequence[dict[str, str]],
        new: Sequence[dict[str, str]],
        *,
        chat: dict[str, Any] | None = None,
        **who: Any,
    ) -> None:
        """Somebody changes their reactions to a message; as an admin the bot is told. who: `user` or `actor_chat`."""
        changed = {"chat": chat or self.groups[0], "message_id": message_id, "date": int(time.time())}
        who = who or {"user": ALICE}
        self.push({"message_reaction": {**changed, **who, "old_reaction": list(old), "new_reaction": list(new)}})

    def call(self, text: str, chat: dict[str, Any], author: dict[str, Any] = ALICE, **more: Any) -> str:
        """Somebody calls the bot into a chat that it is not in; returns the number of the call."""
        name = f"@{BOT['username']}"
        message = self._message(chat, author, f"{name} {text}") | more
        message["entities"] = [{"type": "mention", "offset": 0, "length": len(name)}]
        number = f"guest {message['message_id']}"
        self.guest_calls[number] = False
        self.push({"guest_message": message | {"guest_query_id": number}})
        return number

    def press(self, message: dict[str, Any], data: str, *, author: dict[str, Any] = ALICE) -> None:
        """Somebody presses a button below a message of the bot's."""
        number = f"press {self._next_update}"
        self.push(
            {"callback_query": {"id": number, "from": author, "message": message, "chat_instance": "1", "data": data}}
        )

    def push(self, update: dict[str, Any]) -> None:
        """An update of any shape."""
        self.updates.append({"update_id": self._next_update, **update})
        self._next_update += 1
        self._changed.set()

    async def wait_sent(self, count: int, seconds: float = 30) -> list[dict[str, Any]]:
        """What was sent, once there are `count` messages."""
        async with asyncio.timeout(seconds):
            while len(self.sent) < count:
                await asyncio.sleep(0.02)
        return self.sent

    async def wait_confirmed(self, seconds: float = 30) -> None:
        """Return when no update is unconfirmed."""
        async with asyncio.timeout(seconds):
            while self.updates:
                await asyncio.sleep(0.02)

    # what Telegram does

    def _message(self, chat: dict[str, Any], author: dict[str, Any], text: str) -> dict[str, Any]:
        self._next += 1
        return {"message_id": self._next, "date": int(time.time()), "chat": chat, "from": author, "text": text}

    async def _call(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["token"] != self.token:
            return self._answer(False, 401, description="Unauthorized", error_code=401)
        name = request.match_info["method"]
        if self.trouble and (answer := await self.trouble(f"before {name}", request)):
            return answer
        wish = await self._wish(request)
        method = {
            "getMe": self._get_me,
            "getUpdates": self._get_updates,
            "sendMessage": self._send,
            "sendSticker": self._send,
            "setMessageReaction": self._bot_reacts,
            "getChat": self._get_chat,
            "getCustomEmojiStickers": self._custom_emoji,
            "sendChatAction": self._action,
            "deleteMessage": self._delete,
            "editMessageText": self._edit,
            "answerGuestQuery": self._answer_guest,
            "getBusinessConnection": self._get_connection,
            "getChatMember": self._get_member,
            "setMyCommands": self._set_commands,
            "answerCallbackQuery": self._pressed,
            "getWebhookInfo": self._webhook_info,
            "deleteWebhook": self._delete_webhook,
        }.get(name)
        answer = await method(wish) if method else self._answer(True)
        return (self.trouble and await self.trouble(f"after {name}", request)) or answer

    async def _wish(self, request: web.Request) -> dict[str, Any]:
        if request.content_type == "application/json":
            return dict(await request.json())
        fields: dict[str, Any] = {}
        for key, value in (await request.post()).items():
            try:
                fields[key] = json.loads(str(value))
            except ValueError:
                fields[key] = value
        return fields

    def _answer(self, result: Any, status: int = 200, **more: Any) -> web.Response:
        return web.json_response({"ok": status == 200, "result": result, **more}, status=status)

    async def _get_me(self, _: dict[str, Any]) -> web.Response:
        known = {"can_read_all_group_messages": self.reads_all, "supports_guest_queries": self.takes_guests}
        return self._answer({**BOT, **known})

    async def _get_member(self, wish: dict[str, Any]) -> web.Response:
        number = int(wish["user_id"])
        status = "administrator" if number in self.admins else "member"
        rights = (
            "can_be_edited is_anonymous can_manage_chat can_delete_messages can_manage_video_chats can_restrict_members "
            "can_promote_members can_change_info can_invite_users can_post_stories can_edit_stories can_delete_stories"
        )
        if int(wish["chat_id"]) in self.muted:
            return self._answer({"status": "restricted", "user": BOT, "is_member": True, "can_send_messages": False})
        user = BOT if number == BOT["id"] else {**ALICE, "id": number}
        return self._answer({"status": status, "user": user, **dict.fromkeys(rights.split(), False)})

    async def _set_commands(self, wish: dict[str, Any]) -> web.Response:
        self.commands = wish["commands"]
        return self._answer(True)

    async def _pressed(self, wish: dict[str, Any]) -> web.Response:
        self.pressed.append(str(wish["callback_query_id"]))
        self.told.append(str(wish.get("text", "")))
        return self._answer(True)

    async def _webhook_info(self, _: dict[str, Any]) -> web.Response:
        count = len(self.updates)
        return self._answer({"url": self.webhook, "has_custom_certificate": False, "pending_update_count": count})

    async def _delete_webhook(self, wish: dict[str, Any]) -> web.Response:
        self.webhook = ""
        if wish.get("drop_pending_updates"):
            self.updates.clear()
        return self._answer(True)

    def _conflict(self, why: str) -> web.Response:
        return self._answer(False, 409, description=f"Conflict: {why}", error_code=409)

    async def _get_updates(self, wish: dict[str, Any]) -> web.Response:
        """What is unconfirmed from `offset` on; the one call that is held ends when another one comes."""
        self.polls += 1
        if self.webhook:
            return self._conflict(
                "can't use getUpdates method while webhook is active; use deleteWebhook to delete it first"
            )
        if self._poll:
            self._poll.set()
        ours = self._poll = asyncio.Event()
        offset = int(wish.get("offset", 0))
        asked = wish.get("allowed_updates") or ["message"]
        self.updates = [update for update in self.updates if update["update_id"] >= offset and {*update} & {*asked}]
        if not self.updates and self.holds:
            self._changed.clear()
            waits = [asyncio.ensure_future(event.wait()) for event in (self._changed, ours)]
            seconds = min(float(wish.get("timeout", 0)), 20)
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
        if ours.is_set():
            return self._conflict(
                "terminated by other getUpdates request; make sure that only one bot instance is running"
            )
        self._poll = None
        return self._answer([update for update in self.updates if update["update_id"] >= offset][:100])

    async def _send(self, wish: dict[str, Any]) -> web.Response:
        if self.on_send:
            self.on_send(wish)
        if topic := int(wish.get("message_thread_id") or 0):
            forums = {group["id"] for group in self.groups if group.get("is_forum")}
            refusal = self.refused_topics.get(topic) or ("" if int(wish["chat_id"]) in forums else NO_THREAD)
            if refusal:
                return self._answer(None, 400, error_code=400, description=f"Bad Request: {refusal}")
        asked = {entity.get("custom_emoji_id") for entity in wish.get("entities", ())} - {None}
        if self.custom_emoji is not None and asked - self.custom_emoji:
            return self._answer(None, 400, error_code=400, description="Bad Request: DOCUMENT_INVALID")
        self._next += 1
        message = {
            "message_id": self._next,
            "date": int(time.time()),
            "chat": {"id": int(wish["chat_id"]), "type": "supergroup", "title": "friends"},
            "from": BOT,
            "text": str(wish.get("text", "")),
        }
        self.sent.append({**wish, "message_id": self._next, "text": str(wish.get("text", "")), "message": message})
        return self._answer(message)

    async def _get_connection(self, wish: dict[str, Any]) -> web.Response:
        return self._answer(self.connection(str(wish["business_connection_id"])))

    def connection(self, name: str, owner: int = 42, *, enabled: bool = True) -> dict[str, Any]:
        """An account to which the bot is connected."""
        user = {"id": owner, "is_bot": False, "first_name": "Mara"}
        known = {"id": name, "user": user, "user_chat_id": owner, "date": int(time.time())}
        return {**known, "is_enabled": enabled, "rights": {"can_reply": True}}

    async def _delete(self, wish: dict[str, Any]) -> web.Response:
        number = int(wish["message_id"])
        if number not in {message["message_id"] for message in self.sent} - self.deleted:
            return self._answer(False, 400, description="Bad Request: message to delete not found", error_code=400)
        self.deleted.add(number)
        return self._answer(True)

    async def _answer_guest(self, wish: dict[str, Any]) -> web.Response:
        """A call takes one answer, for a while."""
        number, result = str(wish["guest_query_id"]), wish["result"]
        if self.guest_calls.get(number, True):
            why = "query is too old and response timeout expired or query ID is invalid"
            return self._answer(False, 400, description=f"Bad Request: {why}", error_code=400)
        self.guest_calls[number] = True
        known_as = f"inline {number}"
        self.guest_posts[known_as] = str(result["input_message_content"]["message_text"])
        self.sent.append({**wish, "text": self.guest_posts[known_as]})
        return self._answer({"inline_message_id": known_as})

    async def _edit(self, wish: dict[str, Any]) -> web.Response:
        self.guest_posts[str(wish["inline_message_id"])] = str(wish["text"])
        return self._answer(True)

    async def _bot_reacts(self, wish: dict[str, Any]) -> web.Response:
        """The bot reacts; what it reacted with before goes."""
        emoji = [str(one["emoji"]) for one in wish.get("reaction") or ()]
        if not set(emoji) <= {one.value for one in ReactionEmoji}:
            return self._answer(False, 400, description="Bad Request: REACTION_INVALID", error_code=400)
        self.reactions[(int(wish["chat_id"]), int(wish["message_id"]))] = emoji
        return self._answer(True)

    async def _get_chat(self, wish: dict[str, Any]) -> web.Response:
        chat = {"id": int(wish["chat_id"]), "type": "supergroup", "accent_color_id": 0, "max_reaction_count": 11}
        rules = {} if self.allowed is None else {"available_reactions": self.allowed}
        return self._answer({**chat, **rules})

    async def _custom_emoji(self, wish: dict[str, Any]) -> web.Response:
        size = {"width": 100, "height": 100, "is_animated": False, "is_video": False, "type": "custom_emoji"}
        ids = [str(number) for number in wish["custom_emoji_ids"]]
        return self._answer([{"file_id": number, "file_unique_id": number, "emoji": "🐸", **size} for number in ids])

    async def _action(self, wish: dict[str, Any]) -> web.Response:
        self.actions.append(wish)
        return self._answer(True)
