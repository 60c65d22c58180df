"""persona.toml -> checked, frozen settings. Every mistake is named with its key; an unknown key with its nearest kin."""

import difflib
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, PrivateAttr, ValidationError, field_validator, model_validator

from persona.errors import SettingsError
from persona.names import normalise, skeleton
from persona.platforms import NAMES, PLATFORMS, PlatformIds, PlatformSections, Target
from persona.sections import Section
from persona.talk_settings import Place, Talk
from persona.values import DAYS, Auto, Day, Duration, Fraction, Hours, Id, Language, Zone, is_loopback

TOKENS = {  # how the platforms' tokens look
    "DISCORD_TOKEN": re.compile(r"(?<![\w-])[\w-]{23,28}\.[\w-]{6}\.[\w-]{27,}"),
    "TELEGRAM_TOKEN": re.compile(r"(?<!\d)\d{8,10}:[\w-]{35}(?![\w-])"),
}


class Persona(Section):
    """Whose voice it is."""

    name: str
    aliases: tuple[Id, ...] = ()

    @field_validator("name")
    @classmethod
    def _has_a_key(cls, name: str) -> str:
        if not normalise(name):
            raise ValueError(f"{name!r} holds nothing a name can be written with")
        return name

    @property
    def key(self) -> str:
        """The speaker key of the persona."""
        return normalise(self.name)


class Person(PlatformIds):
    """Who a speaker is in exports and live, and whether they agreed to be imitated."""

    names: tuple[Id, ...] = ()
    consent: bool = False


class Cleaning(Section):
    """The rules of cleaning, each with its switch; `trainer.ingest.cleaning` says what each does."""

    retweets: bool = True
    quoted_only: bool = True
    forwards: bool = True
    via_bot: bool = True
    service: bool = True
    commands: bool = True
    bare_links: bool = True
    links: bool = True
    media: bool = True
    handles: bool = True
    quotes: bool = True
    runs: bool = True
    near_duplicates: bool = True
    pii: bool = True


class Data(Section):
    """Which exports are read, and what is made of other people in them."""

    sources: tuple[str, ...] = ()
    corpus: str = "corpus"
    others: Literal["context", "mask", "drop"] = "context"
    drop_speakers: tuple[Id, ...] = ()
    dms: bool = False
    group_dms: bool = True
    pseudonyms: bool = True
    blocked_words: tuple[str, ...] = ()
    languages: tuple[Language, ...] = ()
    max_gap_minutes: Annotated[float, Field(ge=0)] = 0
    persona_role: str = "assistant"
    cleaning: Cleaning = Cleaning()


class Base(Section):
    """The model the adapter is trained on."""

    model: str = "scratch"
    revision: str = "main"
    quantize: Literal["none", "8bit", "4bit"] = "none"
    minutes: Auto | Annotated[float, Field(gt=0)] = "auto"


class Train(Section):
    """How the adapter is trained."""

    rank: Annotated[int, Field(ge=1)] = 16
    alpha: Annotated[float, Field(gt=0)] = 32
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.05
    target_modules: str | tuple[str, ...] = "all-linear"
    epochs: Annotated[float, Field(gt=0)] = 3
    learning_rate: Auto | Annotated[float, Field(gt=0)] = "auto"
    tokens_per_batch: Auto | Annotated[int, Field(ge=64)] = "auto"
    max_length: Auto | Annotated[int, Field(ge=32)] = "auto"
    loss_on: Literal["persona", "everyone"] = "persona"
    emphasis: Auto | Fraction = "auto"
    memory: Auto | bool = "auto"
    refit: bool = False
    seed: Annotated[int, Field(ge=0)] = 0
    limit: Annotated[int, Field(ge=0)] = 0
    report_to: tuple[str, ...] = ()
    fsdp: str = ""

    @field_validator("target_modules")
    @classmethod
    def _is_a_pattern(cls, modules: str | tuple[str, ...]) -> str | tuple[str, ...]:
        try:
            if isinstance(modules, str):
                re.compile(modules)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"{modules!r} is no pattern ({error})") from error
        return modules

    @model_validator(mode="after")
    def _emphasis_is_of_one(self) -> "Train":
        if self.loss_on == "everyone" and self.emphasis not in ("auto", 0):
            raise ValueError('emphasis is of one persona\'s words; with loss_on = "everyone" leave it out')
        return self


class Refine(Section):
    """What `refine` may learn from."""

    discord_text: bool = False


class Sampling(Section):
    """What is set here goes before the bundle's own sampling."""

    temperature: Annotated[float, Field(ge=0, le=5)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    top_k: Annotated[int, Field(ge=0)] | None = None
    min_p: Fraction | None = None
    repetition_penalty: Annotated[float, Field(ge=0.5, le=2)] | None = None
    max_new_tokens: Annotated[int, Field(ge=1)] | None = None


class Engine(Section):
    """What runs the model."""

    kind: Literal["auto", "openvino", "transformers", "server"] = "auto"
    precision: Literal["auto", "f16", "q8_0", "q4_0", "bf16", "4bit"] = "auto"
    url: str = ""
    model: str = ""
    max_concurrent: Annotated[int, Field(ge=1)] = 32


class Tweets(Section):
    """When and where random tweets are posted."""

    enabled: bool = False
    every: Annotated[Duration, Field(gt=timedelta(0))] = timedelta(hours=6)
    jitter: Duration = timedelta(hours=1)
    hours: Hours = (time(9), time(23))
    days: Annotated[tuple[Day, ...], Field(min_length=1)] = DAYS
    timezone: Zone = "UTC"
    to: tuple[Target, ...] = ()


class Store(Section):
    """Where the daemon keeps what it must not forget."""

    url: str = "sqlite:///alterego.db"
    keep_days: Annotated[float, Field(gt=0)] = 30


class Metrics(Section):
    """Where the daemon shows how it is; port 0 is off."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 0

    @field_validator("host")
    @classmethod
    def _on_loopback(cls, host: str) -> str:
        if not is_loopback(host):
            raise ValueError(f"{host!r} is not loopback; metrics are shown on this machine only")
        return host


class Daemon(Section):
    """How the daemon runs."""

    drain_seconds: Annotated[float, Field(ge=0, le=60)] = 10
    log_format: Literal["text", "json"] = "text"


class Settings(PlatformSections):
    """All of persona.toml. `path` is the file it came from; relative paths in it are relative to that file."""

    persona: Persona
    people: dict[str, Person] = Field(default={})
    data: Data = Data()
    base: Base = Base()
    train: Train = Train()
    refine: Refine = Refine()
    sampling: Sampling = Sampling()
    engine: Engine = Engine()
    tweets: Tweets = Tweets()
    talk: Talk = Talk()
    place: tuple[Place, ...] = ()
    store: Store = Store()
    metrics: Metrics = Metrics()
    daemon: Daemon = Daemon()
    _path: Path = PrivateAttr(default=Path("persona.toml"))
    _state: Path | None = PrivateAttr(default=None)

    @field_validator("people")
    @classmethod
    def _keys_are_speaker_keys(cls, people: dict[str, Person]) -> dict[str, Person]:
        keyed = {normalise(key): person for key, person in people.items()}
        if "" in keyed or len({skeleton(key) for key in keyed}) < len(people):
            raise ValueError("two people have keys that look alike, or a key holds nothing a name can be written with")
        return keyed

    @model_validator(mode="after")
    def _nobody_is_two(self) -> "Settings":
        owners: dict[tuple[str, str], str] = {}
        for key, person in self.people.items():
            for platform in NAMES:
                for known in person.ids(platform):
                    if (other := owners.setdefault((platform, known), key)) != key:
                        raise ValueError(f"[people] {other} and {key} both claim the {platform} id {known}")
        names: dict[str, str] = {}
        for key, person in self.people.items():
            table = f"people.{key}"
            for name in {normalise(call.lstrip("@")) for call in (key, *person.names)} - {""}:
                if (other := names.setdefault(name, table)) != table:
                    raise ValueError(
                        f"[{other}] and [{table}] both claim the name {name!r}, so one would be taken for the other; leave it to "
                        "one of them, and give the other by handle or id"
                    )
        return self

    @field_validator("place")
    @classmethod
    def _places_differ(cls, places: tuple[Place, ...]) -> tuple[Place, ...]:
        matches = [place.match for place in places]
        if twice := next((match for match in matches if matches.count(match) > 1), None):
            raise ValueError(f"two tables match {twice}; put their keys into one")
        return places

    def talk_in(self, surroundings: Sequence[str]) -> Talk:
        """Return [talk] as it is in a channel. surroundings: the channel, then what it lies in, the nearest first."""
        by_match = {place.match: place for place in self.place}
        changed: dict[str, Any] = {}
        for match in reversed(surroundings):
            changed |= by_match[match].keys() if match in by_match else {}
        return self.talk.model_copy(update=changed) if changed else self.talk

    @property
    def longest_expiry(self) -> timedelta:
        """After this no message is answered anywhere."""
        return max([self.talk.expires, *(place.expires for place in self.place)])

    @property
    def wants_feedback(self) -> bool:
        """Whether answers are rated anywhere."""
        return self.talk.feedback or any(place.feedback for place in self.place)

    @property
    def wants_unprompted(self) -> bool:
        """Whether it speaks anywhere without being asked."""
        return any(talk.unprompted > 0 for talk in (self.talk, *self.place))

    @property
    def wants_rhythm(self) -> bool:
        """Whether it takes its time anywhere, as the person does."""
        return any(talk.rhythm == "mine" for talk in (self.talk, *self.place))

    @property
    def path(self) -> Path:
        """The settings file."""
        return self._path

    @property
    def root(self) -> Path:
        """The folder of the settings file."""
        return self._path.parent

    @property
    def state(self) -> Path:
        """Where adapters and the store lie: `$STATE_DIRECTORY` under systemd, else beside the settings."""
        return self._state or self.root

    @property
    def corpus(self) -> Path:
        """The folder of the corpus."""
        return self.state / self.data.corpus

    @property
    def adapters(self) -> Path:
        """The folder of this persona's adapter bundles: adapters/<name>."""
        words = re.sub(r"[^\w]+", "-", self.persona.name.lower()).strip("-_")
        return self.state / "adapters" / (words or "persona")

    @property
    def sources(self) -> list[Path]:
        """The exports named in [data], as paths."""
        return [self.root / expand_home(source) for source in self.data.sources]


def expand_home(text: str) -> Path:
    """Return a path as it is typed, its ~ resolved; the ~ of somebody whom this machine doesn't know stays, and is not
    found."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)


def load(path: Path | str = "persona.toml", environ: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings in `path`. Raises SettingsError naming every mistake by its key."""
    file = Path(path).absolute()
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise SettingsError(
            f"there is no {path}; make it with 'python -m trainer init' or name yours with --config"
        ) from None
    except OSError as error:
        raise SettingsError(f"{path} can't be read ({error.strerror}); name another with --config") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from error
    return parsed(text, path, environ)


def parsed(text: str, path: Path | str, environ: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings that `text` holds, as they would be in `path`. Raises SettingsError as `load` does."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from error
    if address := token_in(tables):
        raise SettingsError(
            f"{path}: {address[0]}: no secret belongs into this file; put it into .env beside it as {address[1]}=…, and reset "
            "the token where you got it, for this file may have been copied or shown"
        )
    try:
        settings = Settings.model_validate(tables)
    except ValidationError as error:
        raise SettingsError(f"{path}: {_sentences(error)}") from None
    settings._path = Path(path).absolute()
    settings._state = Path(state).absolute() if (state := environ.get("STATE_DIRECTORY")) else None
    return settings


_SECRETS = {
    "hf": "HF_TOKEN",
    "hugging": "HF_TOKEN",
    "base": "HF_TOKEN",
    "engine": "ENGINE_API_KEY",
    "store": "STORE_URL",
}


def token_in(tables: Mapping[str, Any], place: str = "") -> tuple[str, str] | None:
    """Return where a token stands in some settings, and the name it has in .env; None if there is none. Its value is never
    repeated."""
    for key, value in tables.items():
        address = f"[{place}] {key}" if place else f"[{key}]"
        name = next((row.token for row in PLATFORMS if row.name in f"{place}.{key}".lower()), "")
        if isinstance(value, Mapping):
            if found := token_in(value, f"{place}.{key}".lstrip(".")):
                return found
        elif re.search(r"(^|_)(token|api_?key|password)$", key, re.IGNORECASE):
            other = next((kind for word, kind in _SECRETS.items() if word in f"{place}.{key}".lower()), "")
            return address, name or other or PLATFORMS[0].token
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and (
                kind := next((kind for kind, form in TOKENS.items() if form.search(text)), "")
            ):
                return address, kind
    return None


def _sentences(error: ValidationError) -> str:
    """Return all mistakes as a user reads them, one a key: `[sampling] has no key 'temprature'; did you mean
    'temperature'?`"""
    by_key: dict[tuple[str, ...], list[Any]] = {}
    for issue in error.errors():
        by_key.setdefault(_address_of(issue), []).append(issue)
    return "; ".join(_sentence(where, issues) for where, issues in by_key.items())


def _address_of(error: Any) -> tuple[str, ...]:
    """Table and key of one pydantic error; what follows them are list indexes and the branches of a union."""
    parts = [str(part) for part in error["loc"]]
    if parts[:1] == ["place"] and len(parts) > 2:  # an array of tables: what is said of one is said of its key
        parts.pop(1)
    return tuple(parts[: 3 if parts[:1] == ["people"] or parts[:2] == ["data", "cleaning"] else 2])


_BOOLEAN = re.compile(r"a valid boolean.*")
_PLAIN = {  # what pydantic says in a programmer's words
    "tuple_type": 'should be a list, such as ["one", "two"]',
    "int_parsing": "should be a whole number",
    "int_from_float": "should be a whole number",
    "float_parsing": "should be a number",
    "string_type": "should be a text in quotes",
}


def _sentence(where: tuple[str, ...], issues: list[Any]) -> str:
    *tables, key = where or ("",)
    place = f"{_heading(tables)} {key}" if tables else _heading([key])
    match issues[0]["type"]:
        case "extra_forbidden":
            return _unknown_key(tables, key)
        case "missing":
            return f"{place} is missing"
    first, *others = map(_words, issues)
    message = " or ".join([first, *(other.removeprefix("Input should be ") for other in others)])
    return (f"{place}: " if key else "") + message.replace("Input should be ''", '"" for none')


def _words(issue: Any) -> str:
    said = _PLAIN.get(issue["type"], issue["msg"].removeprefix("Value error, "))
    return _BOOLEAN.sub("true or false", said)


def _unknown_key(tables: list[str], key: str) -> str:
    known = _fields_at(tables)
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    hint = f"did you mean '{near[0]}'?" if near else f"it knows {', '.join(known)}"
    owner, noun = (_heading(tables), "key") if tables else ("it", "table")
    return f"{owner} has no {noun} '{key}'; {hint}"


def _heading(tables: list[str]) -> str:
    return "[[place]]" if tables == ["place"] else f"[{'.'.join(tables)}]"


def _fields_at(tables: list[str]) -> list[str]:
    if not tables:
        return list(Settings.model_fields)
    if tables == ["place"]:
        return list(Place.model_fields)
    if tables[0] == "people":
        return list(Person.model_fields)
    model: Any = Settings
    for table in tables:
        model = model.model_fields[table].annotation
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []
