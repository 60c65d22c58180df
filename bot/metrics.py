"""What the daemon counts, for Prometheus. Numbers and the names of parts alone: never a text, a name, an id or a token."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0)


class BotMetrics:
    """The daemon's figures, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = at = CollectorRegistry()
        self.received = Counter("alterego_messages", "Messages committed", ["platform"], registry=at)
        self.verdicts = Counter(
            "alterego_verdicts", "Verdicts on messages that called", ["verdict", "reason"], registry=at
        )
        self.turns = Counter(
            "alterego_turns", "Decisions whether it speaks up unasked, by what came of them", ["result"], registry=at
        )
        self.posts = Counter("alterego_posts", "Posts, by what became of them", ["platform", "result"], registry=at)
        self.reactions = Counter(
            "alterego_reactions", "Reactions of others and of its own", ["platform", "result"], registry=at
        )
        self.seconds = Histogram("alterego_seconds", "How long a part took", ["part"], buckets=_SECONDS, registry=at)
        self.tokens = Counter("alterego_tokens", "Tokens sampled and said", registry=at)
        self.objections = Counter("alterego_objections", "Drafts that were not said, and why", ["why"], registry=at)
        self.faults = Counter("alterego_faults", "Work that failed and was tried again", ["part"], registry=at)
        self.gateway = Gauge("alterego_gateway_up", "1 connected, 0 not", ["platform"], registry=at)
        self.channels_behind = Gauge(
            "alterego_channels_behind", "Channels still being read up to now", ["platform"], registry=at
        )
        self.caught_up = Counter(
            "alterego_channels_caught_up",
            "Channels read up to now after they had fallen behind",
            ["platform"],
            registry=at,
        )
        self.last_event = Gauge(
            "alterego_last_event_timestamp_seconds", "When the platform last sent anything", ["platform"], registry=at
        )
        self.dropped = Counter(
            "alterego_dropped", "Events that found no room and were read later", ["platform"], registry=at
        )
        self.reconnects = Counter("alterego_reconnects", "Connections lost and made again", ["platform"], registry=at)
        self.store_faults = Counter(
            "alterego_store_faults", "Failures of the store, by reason", ["reason"], registry=at
        )
        self.loop_lag = Gauge("alterego_loop_lag_seconds", "How late the event loop was last", registry=at)
        self.inbox = Gauge("alterego_inbox", "Messages that called, by what became of them", ["verdict"], registry=at)
        self.inbox_age = Gauge("alterego_inbox_age_seconds", "How long the oldest message has waited", registry=at)

    def held_back(self, objections: Iterable[str]) -> None:
        """Count what the guard objected to."""
        for reason in objections:
            self.objections.labels(reason).inc()

    def text(self) -> bytes:
        """Return all of it, in Prometheus' text format."""
        return generate_latest(self.registry)
