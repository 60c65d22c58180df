"""One contest: the persona's held-out contexts put to the rival, a few at a time, each answer kept as it comes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from persona.config import Settings
from persona.errors import UserError
from trainer.corpus.splits import TEST_SPLIT, TRAIN
from trainer.corpus.store import Corpus
from trainer.evaluate.generation import GeneratedReply, TimedReply
from trainer.evaluate.reply_context import ReplyContext, context_key, evenly_spaced, reply_contexts
from trainer.evaluate.rival.chat_answer import ChatAnswer, RubbishError
from trainer.evaluate.rival.chat_client import ANSWER_SECONDS, ChatClient, ChatServer, TooLongError
from trainer.evaluate.rival.chat_prompt import Message, answer_lines, chat_prompt
from trainer.evaluate.rival.examples import EXAMPLES, Examples
from trainer.evaluate.rival.kept_answers import KeptAnswers, RivalAnswer, kept_answers
from trainer.progress import Advance, Bars

REMOTE_QUESTIONS = 4  # at once; a server on this machine computes them one after the other
MAX_TOKENS, MAX_TOKENS_TO_THINK = 1024, 8192  # of an answer; of one that thinks first and came to no words
MAX_RUBBISH_IN_A_ROW = 3
CHARACTERS_A_TOKEN = 4  # of a prompt, about, for the sentence that says how much is sent


@dataclass(frozen=True, slots=True)
class Question:
    """A held-out context, and the persona's messages that are most like what is asked, the nearest last."""

    persona: str
    context: ReplyContext
    examples: Sequence[ReplyContext]

    @property
    def messages(self) -> list[Message]:
        """Return the chat that asks for an answer."""
        return self.shorter(EXAMPLES)

    def shorter(self, examples: int) -> list[Message]:
        """Return the chat with the nearest `examples` alone."""
        return chat_prompt(self.persona, self.context, self.examples[max(0, len(self.examples) - examples) :])


@dataclass(frozen=True, slots=True)
class Contest:
    """What one rival is to be asked. left: questions without an answer yet."""

    server: ChatServer
    model: str
    persona: str
    questions: Sequence[Question]
    kept: KeptAnswers

    @property
    def left(self) -> list[Question]:
        """Return the questions that were not answered yet."""
        return [question for question in self.questions if self.kept.get(question.messages) is None]

    @property
    def disclosure(self) -> str:
        """Return what leaves this machine, and where it goes."""
        left = self.left
        if not left:
            return f"all {len(self.questions)} answers of {self.model} are kept: nothing is asked"
        tokens = sum(len(message["content"]) for question in left for message in question.messages) / CHARACTERS_A_TOKEN
        words = (
            f"for each of {len(left)} held-out messages: what was said before it, and {EXAMPLES} of {self.persona}'s own "
            f"messages with what they answer; about {tokens:,.0f} tokens of people's words, under the names of the corpus"
        )
        if self.server.is_local:
            return (
                f"nothing leaves this machine: {self.model} at {self.server.host} is asked, {words}. "
                "Whether that server passes them on, only you can know"
            )
        return f"words leave this machine and go to {self.server.host} ({self.model}), {words}"


@dataclass(frozen=True, slots=True)
class RivalReplies:
    """What a rival answered. warnings: sentences for the reader."""

    model: str
    host: str
    asked: int
    replies: Sequence[TimedReply]
    warnings: Sequence[str] = ()


def open_contest(settings: Settings, corpus: Corpus, server: ChatServer, model: str, limit: int = 0) -> Contest:
    """Return the contest of the test split's contexts. model: "" for the one that the server has. limit: so many contexts,
    evenly spaced; 0 is all. Raises UserError if nothing was held out."""
    persona = settings.persona.key
    contexts = reply_contexts(corpus.in_split(TEST_SPLIT), persona)
    if not contexts:
        raise UserError(
            f"no message of {settings.persona.name} was held out, so there is nothing to ask a rival; import more"
        )
    model = model or asyncio.run(_only_model(server))
    examples = Examples(reply_contexts(corpus.in_split(TRAIN), persona))
    questions = [
        Question(persona, context, examples.nearest(context))
        for context in (evenly_spaced(contexts, limit) if limit else contexts)
    ]
    return Contest(server, model, persona, questions, kept_answers(settings.adapters, server.url, model))


async def _only_model(server: ChatServer) -> str:
    async with ChatClient(server, answer_seconds=30) as client:
        return await client.only_model()


def ask(contest: Contest, bars: Bars, *, answer_seconds: float = ANSWER_SECONDS) -> RivalReplies:
    """Ask what was not answered yet. Interrupted or refused half way, what was answered is kept."""
    left = contest.left
    examiner = _Examiner(contest, answer_seconds)
    if left:
        try:
            with bars.task(f"asking {contest.model}", len(left)) as advance:
                asyncio.run(examiner.ask_all(left, advance))
        except (KeyboardInterrupt, UserError):
            if done := len(left) - len(contest.left):
                bars.warn(f"{done} answers of {contest.model} are kept; the same command goes on after them")
            raise
    return contest_result(contest, examiner.warnings)


def contest_result(contest: Contest, warnings: Sequence[str] = ()) -> RivalReplies:
    """Return what was answered so far."""
    replies = [
        TimedReply(
            GeneratedReply(question.context, answer.lines, answer.lines),
            answer.seconds,
            answer.prompt_tokens,
            answer.answer_tokens,
        )
        for question in contest.questions
        if (answer := contest.kept.get(question.messages))
    ]
    silent = sum(not reply.reply.lines for reply in replies)
    more = [f"{contest.model} said nothing to {silent} of {len(replies)} messages"] if silent else []
    return RivalReplies(contest.model, contest.server.host, len(contest.questions), replies, (*warnings, *more))


class _Examiner:
    """Puts the questions of one contest, and learns how much fits."""

    def __init__(self, contest: Contest, answer_seconds: float) -> None:
        self._contest = contest
        self._answer_seconds = answer_seconds
        self._max_tokens = MAX_TOKENS
        self._examples = EXAMPLES
        self._rubbish = 0
        self._unread = 0

    @property
    def warnings(self) -> list[str]:
        """Return what the reader should know about how it was asked."""
        sentences = []
        if self._examples < EXAMPLES:
            sentences.append(f"{self._contest.model}'s context holds {self._examples} of {EXAMPLES} messages only")
        if self._unread:
            sentences.append(
                f"{self._unread} answers of {self._contest.model} could not be read; the same command asks again"
            )
        return sentences

    async def ask_all(self, questions: Sequence[Question], advance: Advance) -> None:
        """Ask the first question alone, so that what is wrong shows once, then the others a few at a time."""
        async with ChatClient(self._contest.server, partial(advance, 0), answer_seconds=self._answer_seconds) as client:
            waiting = iter(questions)

            async def ask_some(most: int | None = None) -> None:
                for number, question in enumerate(waiting, start=1):
                    await self._ask(client, question)
                    advance(1, "")
                    if number == most:
                        break

            await ask_some(1)
            count = 1 if self._contest.server.is_local else REMOTE_QUESTIONS
            tasks = [asyncio.create_task(ask_some()) for _ in range(count)]
            try:
                await asyncio.gather(*tasks)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, client: ChatClient, question: Question) -> None:
        try:
            answer = await self._answer(client, question)
        except RubbishError:
            self._rubbish += 1
            self._unread += 1
            if self._rubbish == MAX_RUBBISH_IN_A_ROW:
                raise
            return
        self._rubbish = 0
        lines = answer_lines(answer.text, self._contest.persona)
        costs = (round(answer.seconds, 3), answer.prompt_tokens, answer.answer_tokens)
        kept = RivalAnswer(lines, *costs, answer.finish, context_key(question.context))
        self._contest.kept.keep(question.messages, kept)

    async def _answer(self, client: ChatClient, question: Question) -> ChatAnswer:
        """Return the answer; asked again with more room if it thought too long, and with fewer examples if they don't fit."""
        while True:
            examples = self._examples
            try:
                answer = await client.ask(self._contest.model, question.shorter(examples), self._max_tokens)
            except TooLongError as error:
                if not examples:
                    raise UserError(
                        f"not even the conversation fits the context of {self._contest.model} ({error}); start the server with "
                        "a longer one"
                    ) from error
                self._examples = min(self._examples, examples // 2)
                continue
            if answer.finish == "length" and not answer.text and self._max_tokens < MAX_TOKENS_TO_THINK:
                self._max_tokens = MAX_TOKENS_TO_THINK
                continue
            return answer
