"""Discord on loopback: the REST calls and the gateway a bot needs, with state, paging and nonces like the real one."""

import asyncio
import json
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import WSMsgType, web

TOKEN = "MTAwMDAwMDAwMDAwMDAwMDAw.Gfake0.notarealtokennotarealtokennotareal"
BOT_ID = "100000000000000000"
GUILD_ID = "200000000000000000"
CHANNEL_ID = "300000000000000000"
DM_ID = "310000000000000000"
ALICE = {"id": "400000000000000001", "username": "alice", "global_name": "Alice", "discriminator": "0", "avatar": None}
EPOCH = 1420070400000


@dataclass
class Session:
    """One gateway connection."""

    socket: web.WebSocketResponse
    zlib: Any = field(default_factory=zlib.compressobj)
    sequence: int = 0

    async def send(self, op: int, data: Any, event: str | None = None) -> None:
        if event:
            self.sequence += 1
        frame = json.dumps({"op": op, "d": data, "s": self.sequence if event else None, "t": event}).encode()
        await self.socket.send_bytes(self.zlib.compress(frame) + self.zlib.flush(zlib.Z_SYNC_FLUSH))


class FakeDiscord:
    """A server with one guild, one text channel and one private channel. on_post: called before a post is kept."""

    def __init__(self) -> None:
        self.messages: dict[str, list[dict[str, Any]]] = {CHANNEL_ID: [], DM_ID: []}
        self.posts: list[dict[str, Any]] = []
        self.typed: list[str] = []
        self.sessions: list[Session] = []
        self.identified = 0
        self.close_code: int | None = None
        self.on_post: Callable[[dict[str, Any]], None] | None = None
        self._posted = asyncio.Event()
        self._next = 0

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/api/v10/users/@me", self._me)
        app.router.add_get("/api/v10/oauth2/applications/@me", self._application)
        app.router.add_get("/api/v10/channels/{channel}", self._channel)
        app.router.add_get("/api/v10/channels/{channel}/messages", self._history)
        app.router.add_post("/api/v10/channels/{channel}/messages", self._post)
        app.router.add_post("/api/v10/channels/{channel}/typing", self._typing)
        app.router.add_get("/gateway", self._gateway)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port: int = self._runner.addresses[0][1]

    async def stop(self) -> None:
        for session in list(self.sessions):
            await session.socket.close()
        await self._runner.cleanup()

    @property
    def api_base(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v10"

    @property
    def gateway_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/gateway"

    # what a test does

    async def say(
        self,
        text: str,
        *,
        channel: str = CHANNEL_ID,
        author: dict[str, Any] = ALICE,
        mention: bool = False,
        reply_to: str = "",
        told: bool = True,
        bot: bool = False,
    ) -> str:
        """Somebody writes. told: the gateway tells connected sessions of it."""
        content = f"<@{BOT_ID}> {text}" if mention else text
        message = self._message(channel, {**author, "bot": bot}, content)
        message["mentions"] = [self._bot()] if mention else []
        if reply_to:
            parent = next(one for one in self.messages[channel] if one["id"] == reply_to)
            message |= {
                "type": 19,
                "message_reference": {"message_id": reply_to, "channel_id": channel},
                "referenced_message": parent,
            }
        self.messages[channel].append(message)
        if told:
            await self.tell("MESSAGE_CREATE", self._event(message))
        return str(message["id"])

    async def tell(self, event: str, data: Any) -> None:
        for session in list(self.sessions):
            await session.send(0, data, event)

    async def wait_posts(self, count: int, seconds: float = 30) -> list[dict[str, Any]]:
        """The posts, once there are `count` of them."""
        async with asyncio.timeout(seconds):
            while len(self.posts) < count:
                self._posted.clear()
                await self._posted.wait()
        return self.posts

    async def wait_connected(self, seconds: float = 60) -> None:
        async with asyncio.timeout(seconds):
            while not self.sessions:
                await asyncio.sleep(0.02)

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
        member = {"roles": [], "joined_at": "2020-01-01T00:00:00+00:00", "deaf": False, "mute": False, "flags": 0}
        return {**message, "guild_id": GUILD_ID, "member": member}

    def _allowed(self, request: web.Request) -> bool:
        return request.headers.get("Authorization") == f"Bot {TOKEN}"

    def _json(self, data: Any, status: int = 200) -> web.Response:
        return web.Response(
            body=json.dumps(data).encode(), status=status, headers={"Content-Type": "application/json"}
        )  # with a charset discord.py takes it for text

    async def _me(self, request: web.Request) -> web.Response:
        if not self._allowed(request):
            return self._json({"message": "401: Unauthorized", "code": 0}, 401)
        return self._json(self._bot())

    async def _application(self, request: web.Request) -> web.Response:
        return self._json(
            {
                "id": BOT_ID,
                "name": "persona",
                "icon": None,
                "description": "",
                "bot_public": False,
                "bot_require_code_grant": False,
                "verify_key": "",
                "flags": 1 << 18,
                "team": None,
                "owner": ALICE,
            }
        )

    def _channel_data(self, channel: str) -> dict[str, Any]:
        if channel == DM_ID:
            return {"id": DM_ID, "type": 1, "last_message_id": None, "recipients": [ALICE]}
        return {
            "id": channel,
            "type": 0,
            "guild_id": GUILD_ID,
            "name": "kitchen",
            "position": 0,
            "permission_overwrites": [],
            "nsfw": False,
            "parent_id": None,
            "topic": None,
            "rate_limit_per_user": 0,
        }

    async def _channel(self, request: web.Request) -> web.Response:
        channel = request.match_info["channel"]
        return (
            self._json(self._channel_data(channel))
            if channel in self.messages
            else self._json({"message": "Unknown Channel", "code": 10003}, 404)
        )

    async def _history(self, request: web.Request) -> web.Response:
        found = self.messages[request.match_info["channel"]]
        limit = min(int(request.query.get("limit", 50)), 100)
        if after := request.query.get("after"):
            page = [one for one in found if int(one["id"]) > int(after)][:limit]
        else:
            before = int(request.query.get("before", 1 << 63))
            page = [one for one in found if int(one["id"]) < before][-limit:]
        return self._json(page[::-1])

    async def _post(self, request: web.Request) -> web.Response:
        channel, wish = request.match_info["channel"], await request.json()
        known = next(
            (
                one
                for one in self.messages[channel]
                if wish.get("enforce_nonce") and one.get("nonce") == wish.get("nonce")
            ),
            None,
        )
        if known:
            return self._json(known)
        if self.on_post:
            self.on_post(wish)
        message = {**self._message(channel, self._bot(), wish["content"]), "nonce": wish.get("nonce")}
        if reference := wish.get("message_reference"):
            reference["message_id"] = str(reference["message_id"])
            message |= {"type": 19, "message_reference": reference}
        self.messages[channel].append(message)
        self.posts.append({**wish, "channel": channel, "id": message["id"]})
        self._posted.set()
        await self.tell("MESSAGE_CREATE", self._event(message))
        return self._json(message)

    async def _typing(self, request: web.Request) -> web.Response:
        self.typed.append(request.match_info["channel"])
        return web.Response(status=204)

    async def _gateway(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        session = Session(socket)
        await session.send(10, {"heartbeat_interval": 41250})
        async for frame in socket:
            if frame.type is WSMsgType.TEXT:
                await self._gateway_frame(session, json.loads(frame.data))
        if session in self.sessions:
            self.sessions.remove(session)
        return socket

    async def _gateway_frame(self, session: Session, frame: dict[str, Any]) -> None:
        if frame["op"] == 1:
            await session.send(11, None)
        elif frame["op"] == 2:
            if self.close_code:
                await session.socket.close(code=self.close_code)
                return
            self.identified += 1
            ready = {
                "v": 10,
                "user": self._bot(),
                "guilds": [{"id": GUILD_ID, "unavailable": True}],
                "session_id": "s",
                "resume_gateway_url": self.gateway_url,
                "private_channels": [],
                "application": {"id": BOT_ID, "flags": 1 << 18},
            }
            await session.send(0, ready, "READY")
            await session.send(0, self._guild(), "GUILD_CREATE")
            self.sessions.append(session)
        elif frame["op"] == 6:
            await session.send(9, False)

    def _guild(self) -> dict[str, Any]:
        everyone = {
            "id": GUILD_ID,
            "name": "@everyone",
            "color": 0,
            "hoist": False,
            "position": 0,
            "permissions": str((1 << 40) - 1),
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
            "roles": [everyone],
            "channels": [self._channel_data(CHANNEL_ID)],
            "members": [me],
            "member_count": 2,
            "threads": [],
            "emojis": [],
            "stickers": [],
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
