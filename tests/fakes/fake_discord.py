"""Discord on loopback: the REST calls and the gateway a bot needs, with state, paging and nonces like the real one."""

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from tests.fakes.discord_line import GatewayOnLoopback

TOKEN = "MTAwMDAwMDAwMDAwMDAwMDAw.Gfake0.notarealtokennotarealtokennotareal"
BOT_ID = "100000000000000000"
GUILD_ID = "200000000000000000"
CHANNEL_ID = "300000000000000000"
DM_ID = "310000000000000000"
ALICE: dict[str, Any] = {
    "id": "400000000000000001",
    "username": "alice",
    "global_name": "Alice",
    "discriminator": "0",
    "avatar": None,
}
BEN = {**ALICE, "id": "400000000000000002", "username": "ben", "global_name": "Ben"}
EPOCH = 1420070400000
ALL_PERMISSIONS = (1 << 46) - 1
READ_HISTORY = 1 << 16
CONTENT_INTENT = 1 << 18
MODAL = 9  # an answer to an interaction that asks for more

Trouble = Callable[[str, web.Request], Awaitable[web.StreamResponse | None]]


class FakeDiscord:
    """A server with one guild, text channels and one private channel. on_post: called before a post is kept. trouble:
    asked before and after a call takes effect (`before post`, `after post`, `before history`); what it returns is
    answered instead. commands: what the bot offers; answers: what it said to interactions."""

    def __init__(self, channels: int = 1) -> None:
        self.channels = [str(int(CHANNEL_ID) + number) for number in range(channels)]
        self.messages: dict[str, list[dict[str, Any]]] = {channel: [] for channel in [*self.channels, DM_ID]}
        self.posts: list[dict[str, Any]] = []
        self.typed: list[str] = []
        self.commands: list[dict[str, Any]] = []
        self.answers: dict[str, str] = {}
        self.ephemeral: set[str] = set()
        self.modals: dict[str, Any] = {}
        self.on_post: Callable[[dict[str, Any]], None] | None = None
        self.trouble: Trouble | None = None
        self.flags = CONTENT_INTENT
        self.permissions = ALL_PERMISSIONS
        self.types: dict[str, int] = {}  # of channels that are no text channels
        self.threads: dict[str, str] = {}  # a thread's id, and its channel's
        self.roles: dict[str, list[str]] = {}  # of people
        self.nicks: dict[str, str] = {}  # what people are called in the server
        self.emojis: list[dict[str, Any]] = []  # the server's
        self.stickers: list[dict[str, Any]] = []
        self.application_emojis: list[dict[str, Any]] = []
        self.reactions: list[tuple[str, str]] = []  # the bot's: message and emoji, in the order in which they were made
        self.gone: set[str] = set()  # people who left the server
        self.asked_members: list[str] = []  # whose roles the bot asked for
        self.line = GatewayOnLoopback(self._welcome)
        self._posted = asyncio.Event()
        self._next = 0

    async def start(self) -> None:
        app = web.Application()
        get, post = app.router.add_get, app.router.add_post
        get("/api/v10/users/@me", self._me)
        get("/api/v10/users/@me/guilds", self._guilds)
        get("/api/v10/oauth2/applications/@me", self._application)
        get("/api/v10/guilds/{guild}", self._guild_alone)
        get("/api/v10/guilds/{guild}/channels", self._guild_channels)
        get("/api/v10/guilds/{guild}/members/{member}", self._one_member)
        app.router.add_put("/api/v10/applications/{application}/commands", self._offered)
        get("/api/v10/channels/{channel}", self._channel)
        get("/api/v10/channels/{channel}/messages", self._history)
        get("/api/v10/channels/{channel}/messages/{message}", self._one_message)
        post("/api/v10/channels/{channel}/messages", self._post)
        post("/api/v10/channels/{channel}/threads", self._open_thread)
        app.router.add_delete("/api/v10/channels/{channel}/messages/{message}", self._delete)
        app.router.add_put("/api/v10/channels/{channel}/messages/{message}/reactions/{emoji}/@me", self._bot_reacts)
        get("/api/v10/applications/{application}/emojis", self._own_emojis)
        post("/api/v10/channels/{channel}/typing", self._typing)
        post("/api/v10/interactions/{interaction}/{token}/callback", self._callback)
        app.router.add_patch("/api/v10/webhooks/{application}/{token}/messages/@original", self._answer)
        get("/gateway", self.line.serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port: int = self._runner.addresses[0][1]

    async def stop(self) -> None:
        for line in self.line.connected:
            if line.socket:
                await line.socket.close()
        await self._runner.cleanup()

    @property
    def api_base(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v10"

    @property
    def gateway_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/gateway"

    @property
    def settings(self) -> str:
        """The table of persona.toml that leads here."""
        return f'[discord]\nenabled = true\napi_base = "{self.api_base}"\ngateway_url = "{self.gateway_url}"\n'

    # what a test does

    async def say(
        self,
        text: str,
        *,
        channel: str = CHANNEL_ID,
        author: dict[str, Any] = ALICE,
        mention: bool = False,
        reply_to: str = "",
        resolved: bool = True,
        live: bool = True,
        bot: bool = False,
        **more: Any,
    ) -> str:
        """Somebody writes. resolved: Discord hands over what is answered, as it mostly does. live: the gateway tells its
        sessions of it. more: fields of the message."""
        content = f"<@{BOT_ID}> {text}" if mention else text
        message = self._message(channel, {**author, "bot": bot}, content)
        message |= {"mentions": [self._bot()] if mention else [], **more}
        if reply_to:
            parent = next(message for message in self.messages[channel] if message["id"] == reply_to)
            message |= {"type": 19, "message_reference": {"message_id": reply_to, "channel_id": channel, "type": 0}}
            if resolved:
                message["referenced_message"] = parent
        self.messages[channel].append(message)
        if live:
            await self.tell("MESSAGE_CREATE", self._event(message))
        return str(message["id"])

    async def edit(self, message_id: str, text: str, *, channel: str = CHANNEL_ID) -> None:
        """Somebody changes what they wrote; a mention at its start stays."""
        message = next(message for message in self.messages[channel] if message["id"] == message_id)
        message["content"] = f"<@{BOT_ID}> {text}" if message["mentions"] else text
        message["edited_timestamp"] = datetime.now(UTC).isoformat()
        await self.tell("MESSAGE_UPDATE", self._event(message))

    async def delete(self, *message_ids: str, channel: str = CHANNEL_ID) -> None:
        """Somebody takes messages back."""
        self.messages[channel] = [message for message in self.messages[channel] if message["id"] not in message_ids]
        place = {"channel_id": channel, **({} if channel == DM_ID else {"guild_id": GUILD_ID})}
        if len(message_ids) == 1:
            await self.tell("MESSAGE_DELETE", {"id": message_ids[0], **place})
        else:
            await self.tell("MESSAGE_DELETE_BULK", {"ids": list(message_ids), **place})

    async def forward(self, text: str, *, author: dict[str, Any] = ALICE, live: bool = True, **more: Any) -> str:
        """Somebody passes on what somebody said elsewhere. more: fields of what was said."""
        said = {**self._message("", BEN, text), **more}
        snapshot = {name: said[name] for name in said if name not in ("id", "channel_id", "author", "pinned", "tts")}
        elsewhere = {"type": 1, "channel_id": "399", "message_id": "398", "guild_id": "397"}
        snapshots = [{"message": snapshot}]
        passed_on: dict[str, Any] = {"message_reference": elsewhere, "message_snapshots": snapshots}
        return await self.say("", author=author, live=live, **passed_on)

    async def react(
        self,
        message_id: str,
        emoji: str,
        *,
        author: dict[str, Any] = ALICE,
        back: bool = False,
        number: str | None = None,
    ) -> None:
        """Somebody reacts, or takes it back. number: of a custom emoji."""
        event = {
            "user_id": author["id"],
            "channel_id": CHANNEL_ID,
            "message_id": message_id,
            "guild_id": GUILD_ID,
            "emoji": {"id": number, "name": emoji},
            "burst": False,
            "type": 0,
        }
        if not back:
            event["member"] = {**self._member_data(author), "user": author}
        await self.tell("MESSAGE_REACTION_REMOVE" if back else "MESSAGE_REACTION_ADD", event)

    async def command(
        self,
        name: str,
        argument: str = "",
        *,
        author: dict[str, Any] = ALICE,
        channel: str = CHANNEL_ID,
        permissions: int = 0,
        seconds: float = 20,
        about: str = "",
        words: str = "",
    ) -> str:
        """Somebody uses a slash command, or that of a message's menu (about: its id). Returns what they are told. words: what
        they write if they are asked."""
        number = self._snowflake()
        options = [{"name": "argument", "type": 3, "value": argument}] if argument else []
        data = {"id": "1", "name": name, "type": 1, "options": options}
        if about:
            message = next(message for message in self.messages[channel] if message["id"] == about)
            data |= {"type": 3, "target_id": about, "resolved": {"messages": {about: message}}}
        interaction = {
            "id": number,
            "application_id": BOT_ID,
            "type": 2,
            "token": f"token{number}",
            "version": 1,
            "data": data,
            "channel_id": channel,
            "channel": self._channel_data(channel),
            "locale": "en-US",
            "entitlements": [],
            "app_permissions": str(ALL_PERMISSIONS),
            "authorizing_integration_owners": {},
            "context": 0,
            "attachment_size_limit": 10_000_000,
        }
        if channel == DM_ID:
            interaction["user"] = author
        else:
            member = {"user": author, "roles": [], "joined_at": "2020-01-01T00:00:00+00:00", "deaf": False}
            member |= {"mute": False, "flags": 0, "permissions": str(permissions)}
            interaction |= {"guild_id": GUILD_ID, "member": member}
        await self.tell("INTERACTION_CREATE", interaction)
        async with asyncio.timeout(seconds):
            while (token := f"token{number}") not in self.answers:
                if asked := self.modals.pop(token, None):
                    number = self._snowflake()
                    await self.tell("INTERACTION_CREATE", interaction | self._submitted(asked, words, number))
                await asyncio.sleep(0.01)
        return self.answers[token]

    def _submitted(self, modal: dict[str, Any], words: str, number: str) -> dict[str, Any]:
        """The answer to a modal whose one field is given `words`."""
        rows = [
            {"type": 1, "components": [{**field, "value": words} for field in row["components"]]}
            for row in modal["components"]
        ]
        data = {"custom_id": modal["custom_id"], "components": rows}
        return {"id": number, "type": 5, "token": f"token{number}", "data": data}

    async def tell(self, event: str, data: Any) -> None:
        await self.line.tell(event, data)

    async def wait_posts(self, count: int, seconds: float = 30) -> list[dict[str, Any]]:
        """The posts, once there are `count` of them."""
        async with asyncio.timeout(seconds):
            while len(self.posts) < count:
                self._posted.clear()
                await self._posted.wait()
        return self.posts

    async def wait_connected(self, seconds: float = 60) -> None:
        async with asyncio.timeout(seconds):
            while not self.line.connected:
                await asyncio.sleep(0.02)

    async def wait_caught_up(self, seconds: float = 60) -> None:
        """Return when the bot has offered its commands: it does so once it has read what it missed."""
        async with asyncio.timeout(seconds):
            while not self.commands:
                await asyncio.sleep(0.01)

    # what Discord does

    def _snowflake(self) -> str:
        self._next += 1
        return str((int(time.time() * 1000) - EPOCH << 22) + self._next)

    def _bot(self) -> dict[str, Any]:
        return {"id": BOT_ID, "username": "persona", "discriminator": "0", "avatar": None, "bot": True}

    def _message(self, channel: str, author: dict[str, Any], content: str) -> dict[str, Any]:
        return {
            "id": self._snowflake(),
            "channel_id": channel,
            "author": author,
            "content": content,
            "timestamp": datetime.now(UTC).isoformat(),
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
            "attachments": [],
            "embeds": [],
            "pinned": False,
            "type": 0,
        }

    def _event(self, message: dict[str, Any]) -> dict[str, Any]:
        if message["channel_id"] == DM_ID:
            return message
        event = {**message, "guild_id": GUILD_ID}
        return event if "webhook_id" in message else {**event, "member": self._member_data(message["author"])}

    def _member_data(self, author: dict[str, Any]) -> dict[str, Any]:
        roles, nick = self.roles.get(author["id"], []), self.nicks.get(author["id"])
        member = {"roles": roles, "joined_at": "2020-01-01T00:00:00+00:00", "deaf": False, "mute": False, "flags": 0}
        return {**member, "nick": nick}

    def _allowed(self, request: web.Request) -> bool:
        return request.headers.get("Authorization") == f"Bot {TOKEN}"

    def _json(self, data: Any, status: int = 200) -> web.Response:
        return web.Response(
            body=json.dumps(data).encode(), status=status, headers={"Content-Type": "application/json"}
        )  # with a charset discord.py takes it for text

    async def _troubled(self, moment: str, request: web.Request) -> web.StreamResponse | None:
        return await self.trouble(moment, request) if self.trouble else None

    async def _me(self, request: web.Request) -> web.Response:
        if not self._allowed(request):
            return self._json({"message": "401: Unauthorized", "code": 0}, 401)
        return self._json(self._bot())

    async def _application(self, _: web.Request) -> web.Response:
        return self._json(
            {
                "id": BOT_ID,
                "name": "persona",
                "icon": None,
                "description": "",
                "bot_public": False,
                "bot_require_code_grant": False,
                "verify_key": "",
                "flags": self.flags,
                "team": None,
                "owner": ALICE,
            }
        )

    async def _guilds(self, _: web.Request) -> web.Response:
        return self._json([{**self._guild(), "owner": False, "permissions": str(self.permissions)}])

    async def _guild_alone(self, _: web.Request) -> web.Response:
        return self._json(self._guild())

    async def _guild_channels(self, _: web.Request) -> web.Response:
        return self._json([self._channel_data(channel) for channel in self.channels])

    async def _offered(self, request: web.Request) -> web.Response:
        self.commands = [{**command, "id": str(1000 + number)} for number, command in enumerate(await request.json())]
        made = {"application_id": BOT_ID, "version": "1"}
        return self._json([{"description": "", **command, **made} for command in self.commands])

    def _channel_data(self, channel: str) -> dict[str, Any]:
        if channel == DM_ID:
            return {"id": DM_ID, "type": 1, "last_message_id": None, "recipients": [ALICE]}
        if channel in self.threads:
            return self._thread_data(channel)
        return {
            "id": channel,
            "type": self.types.get(channel, 0),
            "guild_id": GUILD_ID,
            "name": "kitchen",
            "position": 0,
            "permission_overwrites": [],
            "nsfw": False,
            "parent_id": None,
            "topic": None,
            "rate_limit_per_user": 0,
            "bitrate": 64000,
            "user_limit": 0,
            "last_message_id": self.messages[channel][-1]["id"] if self.messages[channel] else None,
        }

    def _thread_data(self, thread: str) -> dict[str, Any]:
        said = self.messages.get(thread, [])
        archived = {"archived": False, "auto_archive_duration": 1440, "locked": False}
        return {
            "id": thread,
            "type": 11,
            "guild_id": GUILD_ID,
            "parent_id": self.threads[thread],
            "owner_id": ALICE["id"],
            "name": "a thread",
            "message_count": 1,
            "member_count": 1,
            "thread_metadata": {**archived, "archive_timestamp": "2020-01-01T00:00:00+00:00"},
            "last_message_id": said[-1]["id"] if said else None,
        }

    async def _channel(self, request: web.Request) -> web.Response:
        channel = request.match_info["channel"]
        return (
            self._json(self._channel_data(channel))
            if channel in self.messages or channel in self.threads
            else self._json({"message": "Unknown Channel", "code": 10003}, 404)
        )

    async def _history(self, request: web.Request) -> web.StreamResponse:
        if answer := await self._troubled("before history", request):
            return answer
        messages = self.messages[request.match_info["channel"]]
        limit = min(int(request.query.get("limit", 50)), 100)
        if after := request.query.get("after"):
            page = [message for message in messages if int(message["id"]) > int(after)][:limit]
        else:
            before = int(request.query.get("before", 1 << 63))
            page = [message for message in messages if int(message["id"]) < before][-limit:]
        return self._json(page[::-1])

    async def _one_message(self, request: web.Request) -> web.StreamResponse:
        if answer := await self._troubled("before message", request):
            return answer
        number = request.match_info["message"]
        for message in self.messages[request.match_info["channel"]]:
            if message["id"] == number:
                return self._json(message)
        return self._json({"message": "Unknown Message", "code": 10008}, 404)

    async def _post(self, request: web.Request) -> web.StreamResponse:
        if answer := await self._troubled("before post", request):
            return answer
        channel, wish = request.match_info["channel"], await request.json()
        if channel not in self.messages:
            return self._json({"message": "Unknown Channel", "code": 10003}, 404)
        if wish.get("message_reference") and not self.permissions & READ_HISTORY:
            why = "Cannot reply without permission to read message history"
            return self._json({"message": why, "code": 160002}, 400)
        message = self._known(channel, wish) or await self._kept(channel, wish)
        return await self._troubled("after post", request) or self._json(message)

    async def _open_thread(self, request: web.Request) -> web.StreamResponse:
        """A thread of a forum, which begins with a message of the same id."""
        forum, wish = request.match_info["channel"], await request.json()
        if self.types.get(forum) != 15:
            return self._json({"message": "Cannot execute action on this channel type", "code": 50024}, 400)
        message = self._message("", self._bot(), wish["message"]["content"])
        thread = message["channel_id"] = message["id"]
        self.threads[thread], self.messages[thread] = forum, [message]
        self.posts.append({**wish["message"], "channel": thread, "id": message["id"], "title": wish["name"]})
        self._posted.set()
        data = {**self._thread_data(thread), "name": wish["name"], "owner_id": BOT_ID}
        await self.tell("THREAD_CREATE", data)
        return self._json({**data, "message": message})

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        channel, number = request.match_info["channel"], request.match_info["message"]
        if number not in {message["id"] for message in self.messages[channel]}:
            return self._json({"message": "Unknown Message", "code": 10008}, 404)
        await self.delete(number, channel=channel)
        return web.Response(status=204)

    async def _one_member(self, request: web.Request) -> web.StreamResponse:
        if answer := await self._troubled("before member", request):
            return answer
        number = request.match_info["member"]
        if number == BOT_ID:
            return self._json(self._guild()["members"][0])
        self.asked_members.append(number)
        if number in self.gone:
            return self._json({"message": "Unknown Member", "code": 10007}, 404)
        member = {"roles": self.roles.get(number, []), "joined_at": "2020-01-01T00:00:00+00:00"}
        return self._json({**member, "user": {**ALICE, "id": number}, "deaf": False, "mute": False, "flags": 0})

    def _known(self, channel: str, wish: dict[str, Any]) -> dict[str, Any] | None:
        if not wish.get("enforce_nonce"):
            return None
        return next((message for message in self.messages[channel] if message.get("nonce") == wish.get("nonce")), None)

    async def _kept(self, channel: str, wish: dict[str, Any]) -> dict[str, Any]:
        if self.on_post:
            self.on_post(wish)
        message = {**self._message(channel, self._bot(), wish.get("content") or ""), "nonce": wish.get("nonce")}
        known = {sticker["id"]: sticker for sticker in self.stickers}
        message["sticker_items"] = [
            {name: known[str(number)][name] for name in ("id", "name", "format_type")}
            for number in wish.get("sticker_ids") or ()
        ]
        if reference := wish.get("message_reference"):
            reference["message_id"] = str(reference["message_id"])
            message |= {"type": 19, "message_reference": reference}
        self.messages[channel].append(message)
        self.posts.append({**wish, "channel": channel, "id": message["id"]})
        self._posted.set()
        await self.tell("MESSAGE_CREATE", self._event(message))
        return message

    async def _bot_reacts(self, request: web.Request) -> web.StreamResponse:
        """The bot reacts; the same reaction again changes nothing."""
        if answer := await self._troubled("before reaction", request):
            return answer
        channel, number = request.match_info["channel"], request.match_info["message"]
        if number not in {message["id"] for message in self.messages[channel]}:
            return self._json({"message": "Unknown Message", "code": 10008}, 404)
        emoji = request.match_info["emoji"]
        if emoji.isascii() and not re.fullmatch(r"\w+:\d+", emoji):
            return self._json({"message": "Unknown Emoji", "code": 10014}, 400)
        if (number, emoji) not in self.reactions:
            self.reactions.append((number, emoji))
            name, _, custom = emoji.partition(":")
            event = {"user_id": BOT_ID, "channel_id": channel, "message_id": number, "burst": False, "type": 0}
            await self.tell("MESSAGE_REACTION_ADD", {**event, "emoji": {"id": custom or None, "name": name}})
        return await self._troubled("after reaction", request) or web.Response(status=204)

    async def _own_emojis(self, _: web.Request) -> web.Response:
        return self._json({"items": self.application_emojis})

    async def _typing(self, request: web.Request) -> web.Response:
        self.typed.append(request.match_info["channel"])
        return web.Response(status=204)

    async def _callback(self, request: web.Request) -> web.Response:
        wish = await request.json()
        if wish["type"] == MODAL:
            self.modals[request.match_info["token"]] = wish["data"]
        elif wish["data"].get("flags", 0) & 64:
            self.ephemeral.add(request.match_info["token"])
        number = request.match_info["interaction"]
        return self._json({"interaction": {"id": number, "type": 2, "response_message_id": number}})

    async def _answer(self, request: web.Request) -> web.Response:
        wish = await request.json()
        self.answers[request.match_info["token"]] = wish["content"]
        return self._json(self._message(CHANNEL_ID, self._bot(), wish["content"]))

    def _welcome(self) -> list[tuple[str, Any]]:
        ready = {
            "v": 10,
            "user": self._bot(),
            "guilds": [{"id": GUILD_ID, "unavailable": True}],
            "resume_gateway_url": self.gateway_url,
            "private_channels": [],
            "application": {"id": BOT_ID, "flags": self.flags},
        }
        return [("READY", ready), ("GUILD_CREATE", self._guild())]

    def _guild(self) -> dict[str, Any]:
        everyone = {
            "id": GUILD_ID,
            "name": "@everyone",
            "color": 0,
            "hoist": False,
            "position": 0,
            "permissions": str(self.permissions),
            "managed": False,
            "mentionable": False,
            "flags": 0,
        }
        me = {
            "user": self._bot(),
            "roles": [],
            "joined_at": "2020-01-01T00:00:00+00:00",
            "deaf": False,
            "mute": False,
            "flags": 0,
        }
        return {
            "id": GUILD_ID,
            "name": "friends",
            "owner_id": ALICE["id"],
            "roles": [
                everyone,
                *(
                    {**everyone, "id": role, "name": role}
                    for role in sorted({role for roles in self.roles.values() for role in roles})
                ),
            ],
            "channels": [self._channel_data(channel) for channel in self.channels],
            "members": [me],
            "member_count": 2,
            "threads": [self._thread_data(thread) for thread in self.threads],
            "emojis": self.emojis,
            "stickers": self.stickers,
            "features": [],
            "presences": [],
            "voice_states": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "afk_timeout": 60,
            "afk_channel_id": None,
            "verification_level": 0,
            "default_message_notifications": 0,
            "explicit_content_filter": 0,
            "mfa_level": 0,
            "premium_tier": 0,
            "nsfw_level": 0,
            "preferred_locale": "en-US",
            "system_channel_flags": 0,
            "unavailable": False,
        }
