"""The faults, by what they would break. A new promise of the code earns a line here."""

from tests.mutants.mutation import Mutation


def _in(file: str, *tests: str, **changes: tuple[str, str]) -> list[Mutation]:
    """Return the mutations of one file that the same tests must find. changes: name -> old and new text."""
    return [Mutation(file, old, new, tests) for old, new in changes.values()]


TRANSCRIPT = [
    *_in(
        "persona/transcript.py",
        "tests/persona/test_transcript.py",
        any_name_is_a_key=("if not self.speaker or normalise(self.speaker) != self.speaker:", "if not self.speaker:"),
        control_characters=("if not line or (not line.isprintable() and UNWRITABLE.search(line)):", "if not line:"),
        backslash_is_not_escaped=('line.startswith(("\\\\", ">"))', 'line.startswith(">")'),
        header_is_not_escaped=(
            'line.startswith(("\\\\", ">")) or reads_as_header(line)',
            'line.startswith(("\\\\", ">"))',
        ),
        quote_is_not_escaped=('line.startswith(("\\\\", ">"))', 'line.startswith("\\\\")'),
        now_can_be_forged=("(line == NOW or bool(", "(bool("),
        memory_can_be_forged=(
            "bool(_SCENE.fullmatch(line) or _MEMORY.fullmatch(line))",
            "bool(_SCENE.fullmatch(line))",
        ),
        bursts_stay_apart=("if merged and merged[-1].speaker == turn.speaker and", "if merged is None and"),
        answers_elsewhere_are_merged=(
            "merged[-1].speaker == turn.speaker and turn.quote is None:",
            "merged[-1].speaker == turn.speaker:",
        ),
        quote_of_a_burst_is_lost=("merged[-1].lines + turn.lines, merged[-1].quote)", "merged[-1].lines + turn.lines)"),
        wrong_line_number=('text.split("\\n"), ""], start=1)', 'text.split("\\n"), ""], start=0)'),
        year_is_lost=("tuple(self._turns), self._year, memories)", "tuple(self._turns), None, memories)"),
    ),
    *_in(
        "persona/turn_lines.py",
        "tests/persona/test_transcript.py",
        speaks_for_others=(
            "if reads_as_header(line):\n            break",
            "if reads_as_header(line):\n            continue",
        ),
        ends_are_not_trimmed=('piece.replace("\\t", " ")).strip() for', 'piece.replace("\\t", " ")) for'),
        half_characters=('plain_lines(text.replace("\\ufffd", ""))', "plain_lines(text)"),
        chooses_what_it_answers=("if number == 0 and reads_as_quote(line):", "if number is None:"),
        goes_on_for_others=("if reads_as_header(line) or (said and not line):", "if said and not line:"),
    ),
    *_in(
        "persona/encoding.py",
        "tests/persona/test_encoding.py",
        loss_on_memories=(
            "add(self._remembered(conversation.memories))",
            "add(self._remembered(conversation.memories), loss=True)",
        ),
        loss_on_quotes=("add(self._quoted(turn.quote))", "add(self._quoted(turn.quote), header=True)"),
        prompt_without_quote=("*self.header(speaker), *self._quoted(quote)]", "*self.header(speaker)]"),
    ),
]

LOSS = _in(
    "trainer/loop/loss.py",
    "tests/trainer/loop/test_loss.py",
    labels_are_not_shifted=("_weighted(labels[:, 1:], None", "_weighted(labels[:, :-1], None"),
    hidden_states_are_shifted=("hidden[:, :-1][labelled]", "hidden[:, 1:][labelled]"),
    mean_for_sum=("else nats.sum()", "else nats.mean()"),
    rows_are_mixed_up=("repeat_interleave(lengths)[None, 1:]", "repeat_interleave(lengths.flip(0))[None, 1:]"),
    headers_weigh_as_much=("torch.where(is_header, HEADER_WEIGHT, 1.0)", "torch.where(is_header, 1.0, 1.0)"),
    headers_are_not_learned=("torch.where(is_header, headers, labels)", "labels"),
    first_chunk_alone=("nats[chunk] = here.detach()", "nats[: len(piece)] = here.detach()"),
    outer_gradient_is_ignored=("return ctx.gradients * grads[0][:, None],", "return ctx.gradients,"),
    nats_for_bits=(
        "return self.nats / math.log(2) / max(1, self.characters)",
        "return self.nats / max(1, self.characters)",
    ),
    perplexity_of_characters=(
        "math.exp(min(self.nats / max(1, self.tokens), 50))",
        "math.exp(self.nats / self.characters)",
    ),
)

SAMPLING = [
    *_in(
        "engine/sampler.py",
        "tests/engine/test_sampler.py",
        nucleus_loses_its_last=("mass.cumsum(-1) - mass < top_p", "mass.cumsum(-1) < top_p"),
        min_p_upside_down=("ordered[:, :1] + min_logit", "ordered[:, :1] - min_logit"),
        one_more_than_top_k=(
            "torch.arange(ordered.shape[1], device=device) < top_k",
            "torch.arange(ordered.shape[1], device=device) <= top_k",
        ),
        nucleus_of_all_that_was=(
            "torch.where(limited, ordered.masked_fill(~keep, -torch.inf).logsumexp(-1), total)",
            "total",
        ),
        wide_rows_are_cut=("wide = keep[:, -1].nonzero()[:, 0].tolist()", "wide: list[int] = []"),
        widened_rows_are_cut=("if wide and width < scaled.shape[1]:", "if wide and width == TOP_CANDIDATES:"),
        temperature_upside_down=("scaled = logits / torch.tensor(", "scaled = logits * torch.tensor("),
        half_of_the_seed=("(ids * 0x9E3779B1 & _WORD) ^ low) ^ high)", "(ids * 0x9E3779B1 & _WORD) ^ low))"),
        noise_upside_down=("return -(-torch.log1p(-uniform)).log()", "return (-torch.log1p(-uniform)).log()"),
    ),
    *_in(
        "engine/sampler.py",
        "tests/engine/test_sampler.py",
        "tests/engine/test_repetition_penalty.py",
        penalty_is_a_bonus=(
            "picked < 0, picked * penalty, picked / penalty",
            "picked < 0, picked / penalty, picked * penalty",
        ),
    ),
]

GUARD = _in(
    "persona/guard.py",
    "tests/persona/test_guard.py",
    longer_runs_may_be_copied=("SHINGLE = 12 ", "SHINGLE = 14 "),
    wide_characters_weigh_two=("weights = [1 if is_cjk(unit) else 2", "weights = [2 if is_cjk(unit) else 2"),
    last_digits=("range(len(digits) - DIGITS + 1)", "range(len(digits) - DIGITS)"),
    numbers_may_be_said=("if self.seen.hashes and self.seen.holds(numbers(text)):", "if False:"),
    numbers_are_not_learned=(
        "for pieces in (shingles(text), numbers(text)) for",
        "for pieces in (shingles(text),) for",
    ),
    blocked_only_as_written=("self.blocked.search(folded(text))", "self.blocked.search(text)"),
    parts_of_words_are_blocked=('rf"(?<!\\w){re.escape(word)}(?!\\w)"', "re.escape(word)"),
    everybody_may_read_it=("path.touch(mode=0o600)", "path.touch(mode=0o644)"),
    private_may_be_said=("return self.private(text)", 'return ""'),
    no_key=("digest_size=8, key=key)", "digest_size=8)"),
)

GATE = [
    *_in(
        "trainer/evaluate/model_sample.py",
        "tests/trainer/evaluate/test_model_sample.py",
        losses_take_their_time=(
            "count = int(min(LOSSES_SHARE * (self.until - now) / LOSSES * len(few) / spent, self._most))",
            "count = self._most",
        ),
        others_losses_take_theirs=("<= self.until\n        self.left_out", "<= math.inf\n        self.left_out"),
        nobody_is_told_whose=("self.left_out.extend([] if fits else [whose])", "self.left_out.extend([])"),
    ),
    *_in(
        "trainer/evaluate/reading_budget.py",
        "tests/trainer/evaluate/test_reading_budget.py",
        turns_take_all_tokens=("if FEWEST_READ * cost <= tokens:", "if cost <= tokens:"),
        too_few_replies=("max(FEWEST_REPLIES, replies)", "replies"),
        positions_cost_a_whole_prompt=("tokens / prompt_tokens(1)", "tokens / prompt_tokens(turns)"),
    ),
    *_in(
        "trainer/evaluate/reply_context.py",
        "tests/trainer/evaluate/test_reading_budget.py",
        the_first_come_first=("key=lambda place: place * golden % 1", "key=lambda place: place * golden"),
    ),
    *_in(
        "trainer/evaluate/reply_context.py",
        "tests/trainer/evaluate/test_evaluation.py::test_a_short_training_is_measured_on_short_prompts_of_few_messages",
        short_prompts_are_long=("if turns < CONTEXT_TURNS:", "if not turns:"),
    ),
    *_in(
        "trainer/evaluate/evaluation.py",
        "tests/trainer/evaluate/test_evaluation.py::test_a_short_training_is_measured_on_short_prompts_of_few_messages",
        the_first_are_answered=(
            "asked = evenly_spaced(test.contexts, int(min(self._reading.replies, len(test.contexts))))",
            "asked = test.contexts[: int(min(self._reading.replies, len(test.contexts)))]",
        ),
        all_are_answered=("int(min(self._reading.replies, len(test.contexts)))", "len(test.contexts)"),
        who_speaks_next_is_asked_for_nothing=("if self._positions_fall_short:", "if not self._reading.positions:"),
    ),
    *_in(
        "trainer/evaluate/calibration.py",
        "tests/trainer/evaluate/test_evaluation.py::test_without_replies_for_two_settings_no_reply_is_asked_for",
        a_reply_is_timed_for_nothing=(" and replies >= 2 * MIN_CONTEXTS", ""),
        time_is_all_that_counts=(
            "min(replies, (until - clock()) / seconds_a_reply)",
            "(until - clock()) / seconds_a_reply",
        ),
    ),
    *_in(
        "trainer/evaluate/gate.py",
        "tests/trainer/evaluate/test_finalize.py",
        what_it_was_refit_on_is_compared=(
            "if context.conversation_id not in {*refit_conversations(old), *trained_on}",
            "if context",
        ),
        too_few_of_the_old_ones=(", at_least=FEWEST_REPLIES)", ")"),
        what_was_answered_is_asked_again=("if context not in answered]\n    more", "]\n    more"),
        it_is_silent_by_chance=("new_said < MIN_TEXTS and 2 * new_said < old_said", "new_said < MIN_TEXTS"),
    ),
    *_in(
        "trainer/evaluate/gate.py",
        "tests/trainer/evaluate/test_finalize.py::test_a_worse_voice_is_kept_off_the_air",
        "tests/trainer/evaluate/test_arithmetic.py",
        better_is_worse=("if ratio and ratio.high < 0:", "if ratio and ratio.low > 0:"),
        harder_to_tell_is_worse=("if area.low > 0:", "if area.high < 0:"),
        any_copying_passes=("COPY_BOUND = 0.005 ", "COPY_BOUND = 0.5 "),
        copies_are_compared_with_nothing=(
            "if copies.low > usual.value + COPY_BOUND or",
            "if copies.low > COPY_BOUND or",
        ),
        whole_messages_pass=(" or (whole and whole.value > 0):", ":"),
        everything_passes=("return not self.reasons", "return True"),
    ),
    *_in(
        "trainer/evaluate/gate.py",
        "tests/trainer/evaluate/test_finalize.py::test_a_persona_that_talks_alone_is_compared_without_judges",
        the_persona_counts_among_the_others=(
            "if name != persona and len(texts) >= MIN_TEXTS",
            "if len(texts) >= MIN_TEXTS",
        ),
    ),
    *_in(
        "trainer/evaluate/calibration.py",
        "tests/trainer/evaluate/test_arithmetic.py",
        less_alike_ranks_first=("-min(self.voice_ratio, VOICE_RATIO_CAP)", "min(self.voice_ratio, VOICE_RATIO_CAP)"),
        bounds_are_ignored=("return (round(self.violation, 2), ", "return (0.0, "),
        variety_may_shrink=(
            "max(0.0, abs(self.distinct - 1) - MAX_DISTINCT_CHANGE)",
            "max(0.0, self.distinct - 1 - MAX_DISTINCT_CHANGE)",
        ),
    ),
]

JUDGES = [
    *_in(
        "trainer/evaluate/calibration.py",
        "tests/trainer/evaluate/test_evaluation.py::test_where_nothing_tells_settings_apart_the_voices_own_stay",
        calibration_takes_the_first_of_the_grid=(
            "return sorted(settings, key=lambda one: one != own)",
            "return settings",
        ),
    ),
    *_in(
        "trainer/evaluate/judges.py",
        "tests/trainer/evaluate/test_metrics.py",
        "tests/trainer/evaluate/test_arithmetic.py",
        the_judge_knows_what_it_judges=(
            "classifier(kinds).fit(matrix[fold != k], labels[fold != k])",
            "classifier(kinds).fit(matrix, labels)",
        ),
        the_score_knows_its_fold=(
            "classifier().fit(matrix[~inside], labels[~inside])",
            "classifier().fit(matrix, labels)",
        ),
    ),
    *_in(
        "trainer/evaluate/voice_ratio.py",
        "tests/trainer/evaluate/test_figures.py",
        "tests/trainer/evaluate/test_metrics.py",
        false_positives_are_dropped=("others.mean() if len(others) else 0.0", "0.0"),
        chance_is_not_taken_off=("(generated.mean() - false_positive_rate) / span)", "generated.mean() / span)"),
    ),
    *_in(
        "trainer/evaluate/intervals.py",
        "tests/trainer/evaluate/test_figures.py",
        "tests/trainer/evaluate/test_arithmetic.py",
        ninety_percent=("CONFIDENCE = 0.95", "CONFIDENCE = 0.90"),
        old_less_new=("ours[: len(theirs)] - theirs[: len(ours)]", "theirs[: len(ours)] - ours[: len(theirs)]"),
    ),
    *_in(
        "trainer/evaluate/likelihood.py",
        "tests/trainer/evaluate/test_arithmetic.py",
        membership_upside_down=(
            "rates = (held_out[:, 0] / held_out[:, 1], trained[:, 0] / trained[:, 1])",
            "rates = (trained[:, 0] / trained[:, 1], held_out[:, 0] / held_out[:, 1])",
        ),
        attribution_upside_down=("(base[:, 0] - tuned[:, 0]) / base[:, 1]", "(tuned[:, 0] - base[:, 0]) / base[:, 1]"),
    ),
    *_in(
        "trainer/evaluate/copying.py",
        "tests/trainer/evaluate/test_figures.py",
        one_word_of_a_run=("inside[start : start + NGRAM_WORDS] = [True] * NGRAM_WORDS", "inside[start] = True"),
    ),
    *_in(
        "trainer/corpus/splits.py",
        "tests/trainer/corpus/test_splits.py",
        "tests/trainer/evaluate/test_arithmetic.py",
        judges_are_swapped=(
            'CALIBRATION_SPLIT, TEST_SPLIT = "train", "a", "b"',
            'CALIBRATION_SPLIT, TEST_SPLIT = "train", "b", "a"',
        ),
        held_out_is_forgotten=("before.get(record.id, TRAIN) for record", "TRAIN for record"),
        copies_are_trained_on=("splits[conversations[place].id] = held_out[-1]", "pass"),
    ),
]

_STORE = "tests/bot/store/test_store.py"
INBOX = _in(
    "bot/store/inbox.py",
    f"{_STORE}",
    watermark_goes_back=('if _number(message_id) > _number(before.get(channel, "")):', "if True:"),
    ids_as_texts=("return len(message_id), message_id", "return 0, message_id"),
    second_verdict_posts=("if not done.rowcount:", "if False:"),
    second_verdict_counts=(
        '.where(inbox.c.id == bindparam("row"), inbox.c.verdict.is_(None))\n    .values(verdict',
        '.where(inbox.c.id == bindparam("row"))\n    .values(verdict',
    ),
    others_are_merged_too=("same, inbox.c.author_id == into.author_id, inbox.c", "same, inbox.c"),
    whatever_is_said_asks=(
        "return _insert(write, message) if message.trigger else None",
        "return _insert(write, message)",
    ),
    minute_is_an_hour=('"minute_ago": now - MINUTE', '"minute_ago": now - HOUR'),
)

OUTBOX = [
    *_in(
        "bot/store/outbox.py",
        _STORE,
        "tests/bot/talk/test_sender.py",
        doubtful_posts_are_lost=('OPEN = ("ready", "sending")', 'OPEN = ("ready",)'),
        said_and_yet_judged=("if post.part == 0:", "if True:"),
        half_an_answer_goes_on=(
            '_end(write, _rest_of(post), "failed")\n        _judge(write, post, "uncertain"',
            '_judge(write, post, "uncertain"',
        ),
        sent_text_is_kept=('adapter=bindparam("version"), text="", said="")', 'adapter=bindparam("version"))'),
        given_up_posts_stand=('bindparam("row"), outbox.c.state != "failed")', 'bindparam("row"))'),
        ready_whatever_it_was=(
            'outbox.c.id == bindparam("row"), outbox.c.state == "sending")',
            'outbox.c.id == bindparam("row"))',
        ),
        every_part_is_a_reply=('answers if is_answer else ""', "answers"),
        begun_is_not_noted=('write.execute(_BEGIN, {"row": post.id})', "pass"),
    ),
    *_in(
        "bot/talk/sender.py",
        "tests/bot/talk/test_sender.py",
        "tests/bot/test_posts_once.py",
        parts_share_a_nonce=("{post.origin} {post.part}", "{post.origin}"),
        unknown_is_sent_again=(
            "if not self._gateway.limits.idempotent_sends:\n                return",
            "if False:\n                return",
        ),
        nobody_looks_for_it=("if earlier := await self._gateway.find(message):", 'if earlier := "":'),
        doubt_is_forgotten=("if not doubtful:  # else", "if True:  # else"),
        made_posts_are_made_again=("self._made.get(row.id) or await", "await"),
        taken_back_posts_stay=("if not may_stand:", "if False:"),
    ),
]

FORGETTING = [
    *_in(
        "bot/store/people.py",
        _STORE,
        own_words_in_private_stay=(" + gone(memory, private(memory))", ""),
        replies_to_them_stay=("replies=replies + gone(memory", "replies=gone(memory"),
        topics_of_private_chats_stay=('for sign in ":@"', 'for sign in "@"'),
    ),
    *_in(
        "bot/store/__init__.py",
        _STORE,
        named_chats_go_deaf=("return [moves.c.old.notin_(named)] if table is moves else []", "return []"),
        open_posts_are_purged=("outbox.c.at < before, outbox.c.state.notin_(OPEN)", "outbox.c.at < before"),
    ),
    *_in(
        "bot/timeline.py",
        "tests/bot/test_timeline.py",
        old_settings_win=("(changed and due > now.timestamp())", "False"),
        overdue_is_put_off=("(changed and due > now.timestamp())", "changed"),
    ),
]

CATCH_UP = [
    *_in(
        "bot/gateways/discord/event_queue.py",
        "tests/bot/gateways/discord/test_event_queue.py",
        newer_ones_go_past=(
            "if isinstance(event, IncomingMessage) and event.channel in self._dropped.first:",
            "if False:",
        ),
        from_the_last_dropped_on=("min(first, event.message_id, key=int)", "max(first, event.message_id, key=int)"),
        only_once_it_is_empty=("self._events.qsize() > self._most // 2:", "self._events.qsize() > 0:"),
        edits_are_lost=("update(event.message_ids)", "update(())"),
    ),
    *_in(
        "bot/gateways/discord/sessions.py",
        "tests/bot/test_discord_bot.py::test_what_was_said_while_it_was_down_is_answered_after_start",
        history_is_not_read=("if newest > after:", "if newest > after + 2**62:"),
    ),
    *_in(
        "bot/gateways/discord/committer.py",
        "tests/bot/gateways/discord/test_event_queue.py",
        dropped_is_not_read=("await self._read_dropped(dropped)", "pass"),
        dropped_edits_are_not_read=("self._edits.add(dropped.edited)", "pass"),
    ),
    *_in(
        "bot/gateways/discord/catch_up.py",
        "tests/bot/gateways/discord/test_reading_channels.py",
        read_once_though_more_is_missing=(
            "if not unread.again:\n                    return",
            "if True:\n                    return",
        ),
        from_the_later_of_two=("min(known.after, after)", "max(known.after, after)"),
        the_called_wait=("unread.urgent |= item.mention or item.reply or item.is_dm", "unread.urgent |= False"),
        held_counts_for_ever=("self._held -= len(items)", "self._held -= 0"),
        overflow_is_forgotten=(
            "unread.again = True  # and nothing newer is kept: history has it all\n                return True",
            "return True",
        ),
        watermark_does_not_freeze=("if unread is None:", "if True:"),
        what_was_held_is_lost=("            await self._commit(items)", "            pass"),
        pages_are_lost=("                        await self._commit(messages)\n", ""),
    ),
    *_in(
        "bot/gateways/telegram/gateway.py",
        "tests/bot/test_telegram_bot.py::test_every_update_is_answered_one_call_after_the_other",
        "tests/bot/test_telegram_bot.py::test_an_update_is_kept_by_telegram_until_it_is_committed",
        one_update_is_skipped=('int(update["update_id"]) + 1 for', 'int(update["update_id"]) + 2 for'),
        confirmed_before_it_is_kept=(
            "            await committer.commit(updates)\n            offset = ",
            "            offset = ",
        ),
    ),
]

PRIVACY = [
    *_in(
        "persona/pii/accounts.py",
        "tests/persona/pii",
        luhn=("and luhn.is_valid(digits)", "and True"),
        iban=("iban.is_valid(run[:end], check_country=False) else 0", "True else 0"),
        iban_of_any_length=("return 4 + sum(map(", "return 5 + sum(map("),
    ),
    *_in(
        "persona/pii/internet.py",
        "tests/persona/pii",
        versions_are_machines=(
            "return not (address.is_loopback or _VERSION.search(before))",
            "return not address.is_loopback",
        ),
    ),
    *_in(
        "persona/pii/scrub.py",
        "tests/persona/pii",
        national_numbers_stay=("phones(text, regions)", "phones(text, ())"),
        e_mail_stays=('text = _replaced(text, "e-mail", emails(text), kinds)', "pass"),
        keys_stay=('text = _replaced(text, "key", keys(text), kinds)', "pass"),
    ),
    *_in(
        "trainer/people/erasure_list.py",
        "tests/trainer/test_erasure.py",
        forgotten_ids_come_back=("if self._hash(identity.key) in self.keys:", "if identity.key in self.keys:"),
        forgotten_names_stay_in_texts=("if self._hash(word) in self.words}", "if word in self.words}"),
    ),
]

THREADS = [
    *_in(
        "persona/threads.py",
        "tests/persona/test_threads.py",
        thread_links_reach_for_ever=("> REPLY_REACH_SECONDS else", "> math.inf else"),
        thread_of_two_is_that_of_one=("for answers in (to_author, map(", "for answers in ([], map("),
        thread_by_a_shared_name=("next(iter(bearers)) if len(bearers) == 1 else None", "next(iter(bearers))"),
        thread_memory_grows=("if len(kept) > most else None", "if len(kept) > 9 * most else None"),
        thread_of_an_old_address=("own.number > call.number", "own.number < call.number"),
        thread_in_a_crowd_is_the_last=("and not self.rhythm.is_crowded:", "and True:"),
    ),
    *_in(
        "bot/talk/channel_threads.py",
        "tests/bot/talk/test_channel_threads.py",
        thread_is_the_whole_channel=(
            "places = in_context([assigned[name].thread for name in ids], ids.index(answered), self._least)",
            "places = list(range(len(ids)))",
        ),
        thread_is_found_anew_each_time=("!= new:  # the past", "!= 0:  # the past"),
        thread_rhythm_is_never_learned=("if known.lasts < 0:", "if known.lasts < -(2**62):"),
    ),
    *_in(
        "bot/talk/history.py",
        "tests/bot/talk/test_history.py",
        threads_quote_what_stands_before=("[self._before] if goes_on and self._before else []", "[]"),
        reactions_end_the_last_turn=("if reacted and (rest := self._burst[reacted[-1] :]):", "if (rest := []):"),
    ),
]

REFINING = [
    *_in(
        "trainer/refine/kto.py",
        "tests/trainer/refine/test_kto.py",
        refused_are_pulled_up=("torch.where(liked, 1.0, -1.0)", "torch.where(liked, 1.0, 1.0)"),
        weights_are_swapped=("torch.where(liked, *weights)", "torch.where(liked, *reversed(weights))"),
        reference_point_below_zero=(".mean().clamp(min=0.0)", ".mean()"),
        reference_point_learns=("mismatched.detach().mean()", "mismatched.mean()"),
        reward_upside_down=("return reference - nats", "return nats - reference"),
        rare_votes_count_less=("(most / liked if liked", "(liked / most if liked"),
    ),
    *_in(
        "trainer/refine/judged_replies.py",
        "tests/trainer/refine/test_judged_replies.py",
        discord_is_trained_on=("if platform in BARRED and not", "if platform in BARRED and"),
        strangers_are_trained_on=("if person.consent)", "if person)"),
        quotes_are_not_masked=("return Quote(name(quote.speaker), UNKNOWN)", "return quote"),
        first_correction_holds=(
            "right = read.right or (",
            "right = (before.right if before else ()) or read.right or (",
        ),
    ),
    *_in(
        "trainer/refine/held_out_verdicts.py",
        "tests/trainer/refine/test_held_out_verdicts.py",
        chance_passes=("if self.chance > MAX_CHANCE:", "if self.chance > 1:"),
    ),
    *_in(
        "trainer/bundle/earlier.py",
        "tests/trainer/bundle/test_earlier.py",
        held_back_speaks_again=("elif _held_back(home / str(version)):", "elif False:"),
        forgotten_speaks_again=("if str(version) in forgotten:", "if False:"),
    ),
]

SPEAKING_UP = [
    *_in(
        "bot/talk/turn_taking.py",
        "tests/bot/talk/test_turn_taking.py",
        unlikely_is_said=('return "" if log_prob >= threshold else "not its turn"', 'return ""'),
        missed_talk_is_revived=("if self._store.clock() - message.at > FRESH:", "if False:"),
        load_is_no_reason=("if self._drafter.drafting >= BUSY_DRAFTS:", "if False:"),
        asked_again_and_again=("self._rests_until = time.monotonic() + REST", "pass"),
    ),
    *_in(
        "bot/talk/policy.py",
        "tests/bot/talk/test_policy.py",
        machines_talk_for_ever=("return turns >= LONE_TURNS", "return False"),
        bots_are_joined=("not (message.is_bot or message.is_dm or", "not (message.is_dm or"),
    ),
    *_in(
        "bot/talk/pace.py",
        "tests/bot/talk/test_pace.py",
        each_waits_for_itself=("if now < visit <= now + self.longest(message.channel):", "if False:"),
        clock_set_back_waits_for_hours=(
            "return min(max(0.0, due_at - self._store.clock()), self.longest(channel))",
            "return max(0.0, due_at - self._store.clock())",
        ),
        stopping_waits=("        self._hurry.set()", "        pass"),
        terminal_waits=('channel.startswith("terminal:") or ', ""),
    ),
    *_in(
        "trainer/corpus/reply_times.py",
        "tests/trainer/corpus/test_reply_times.py",
        days_are_delays=("        return DAY\n", "        return 1.0\n"),
        quotes_are_answers=("if 0 <= seconds < DAY and turn.quote is None:", "if 0 <= seconds < DAY:"),
    ),
]

MEMORY = [
    *_in(
        "persona/archive/index.py",
        "tests/persona/archive/test_index.py",
        what_is_said_later_comes_to_mind=("is_later = cue.at is not None and", "is_later = cue.at is None and"),
        dms_come_to_mind=('return row.dm in ("", cue.dm) and not is_own', "return not is_own"),
        unsealed_archives_are_read=("if is_sealed and path.is_file()", "if path.is_file()"),
    ),
    *_in(
        "bot/talk/channel_index.py",
        "tests/bot/talk/test_channel_index.py",
        what_is_gone_is_kept=("self._keep(channel, kept)", "self._keep(channel, known | kept)"),
        bursts_are_cut=("message.speaker != before.speaker and (is_long", "(is_long"),
    ),
    *_in(
        "persona/archive/passages.py",
        "tests/persona/archive/test_passages.py",
        quotes_of_held_out_words_are_kept=("return replace(turn, quote=None)", "return turn"),
    ),
    *_in(
        "persona/archive/recall.py",
        "tests/persona/archive/test_recall.py",
        anything_comes_to_mind=("or each.score < MIN_SHARE * ranked[0].score", ""),
        memories_fill_the_prompt=("return min(MAX_TOKENS, max_length // CONTEXT_SHARE)", "return MAX_TOKENS"),
    ),
    *_in(
        "trainer/corpus/archiving.py",
        "tests/trainer/corpus/test_archiving.py",
        held_out_is_remembered=("in corpus.in_split(TRAIN):", "in corpus.conversations:"),
        dms_with_strangers_are_remembered=('scene != "dm" or other in settings.people:', 'scene != "":'),
    ),
    *_in(
        "trainer/loop/memory_rows.py",
        "tests/trainer/loop/test_memory_rows.py",
        its_own_talk_comes_to_mind=("conversation=reply.record.id,", 'conversation="",'),
        every_memory_is_right=("if number % SHARE_RANDOM == 0 and", "if number % SHARE_RANDOM == 9 and"),
    ),
    *_in(
        "trainer/loop/batches.py",
        "tests/trainer/loop/test_memory_rows.py",
        replies_are_learned_twice=("mask[place] and turn not in places", "mask[place] and turn >= 0"),
        context_is_learned_again=("has_loss and place > last for", "has_loss and place > -1 for"),
    ),
    *_in(
        "trainer/bundle/archive_erasure.py",
        "tests/trainer/bundle/test_archive_erasure.py",
        quotes_of_the_forgotten_stay=("if quote and quote.speaker in self.speakers:", "if quote is None:"),
        dms_of_the_forgotten_stay=("left = turns if passage.dm not in self.speakers else ()", "left = turns"),
    ),
    *_in(
        "persona/bundle.py",
        "tests/trainer/bundle/test_archive_erasure.py",
        the_seal_vouches_for_what_is_not_there=(
            "    _write_seal(bundle.folder, bundle.seal.signed(others))\n    path",
            "    path",
        ),
    ),
]

# what was made faster: the same has to come of it
QUICKER = [
    *_in(
        "trainer/ingest/near_duplicates.py",
        "tests/trainer/ingest/test_near_duplicates.py",
        of_a_crowd_too_few_shingles_meet=("rare = from_end >= least - 1", "rare = from_end >= least"),
    ),
    *_in(
        "trainer/loop/fused_lora.py",
        "tests/trainer/loop/test_fused_lora.py",
        dropped_inputs_get_gradients=("_masked(through_a, kept)", "through_a"),
        the_adapter_is_not_scaled=(".float() * ctx.scaling", ".float()"),
    ),
]

UNPACKED = [
    *_in(
        "trainer/base/muon.py",
        "tests/trainer/base/test_muon.py",
        bfloat16_everywhere=("numerics_of(matrix.device).autocast or torch.float32", "torch.bfloat16"),
        small_gradients_are_halved_first=("matrix / norm.clamp", "matrix.half() / norm.clamp"),
        tall_ones_stay_tall=("wide = wide.T if matrix.shape[0] > matrix.shape[1] else wide", "wide = wide.T"),
        no_momentum=('matrix.grad.lerp(momentum, group["momentum"])', "matrix.grad"),
    ),
    *_in(
        "engine/backends/transformers_engine.py",
        "tests/engine/backends/test_transformers_engine.py",
        an_overflow_is_not_looked_for=("if dtype != torch.float16 or not _overflows(model):", "if True:"),
        what_a_norm_hands_on_is_rounded=("each.float() if isinstance(each, torch.Tensor) else each for", "each for"),
        what_reads_no_text_fails_here=("        return False\n    return not", "        raise\n    return not"),
    ),
    *_in(
        "trainer/loop/trainer.py",
        "tests/trainer/loop/test_lora.py",
        the_loss_is_scaled_as_pytorch_does=(
            "GradScaler(self.args.device.type, LOSS_SCALE)",
            "GradScaler(self.args.device.type)",
        ),
        every_infinite_loss_is_the_rate_s=("learned = self.state.global_step", "learned = True"),
    ),
    *_in(
        "trainer/loop/device_memory.py",
        "tests/trainer/loop/test_lora.py",
        copies_need_no_room=(" - autocast_bytes(model)", ""),
    ),
    *_in(
        "persona/out_of_memory.py",
        "tests/persona/test_out_of_memory.py",
        cards_have_memory=(' or type(error).__name__ == "OutOfMemoryError"', ""),
        whatever_says_so_is_believed=("isinstance(error, OSError | RuntimeError) and any", "any"),
        the_kernel_is_not_understood=("in str(error).lower()", "in str(error)"),
    ),
    *_in(
        "persona/command.py",
        "tests/persona/test_command.py",
        no_memory_is_our_mistake=("if is_out_of_memory(error):", "if False:"),
    ),
    *_in(
        "trainer/init/machine.py",
        "tests/trainer/init/test_known_bases.py",
        all_cards_are_new=("wide = self.float16 and OVERFLOWING", "wide = False and OVERFLOWING"),
        all_cards_are_old=("wide = self.float16 and OVERFLOWING", "wide = OVERFLOWING"),
    ),
    *_in(
        "trainer/init/machine.py",
        "tests/trainer/init/test_machine.py",
        a_toy_is_suggested=("if model.billions >= TOY and machine", "if machine"),
    ),
    *_in(
        "trainer/base/suitability.py",
        "tests/trainer/base/test_suitability.py",
        nothing_overflows=("if not torch.isfinite(logits).all():", "if False:"),
    ),
    *_in(
        "engine/base_source.py",
        "tests/trainer/base/test_reachability.py",
        home_is_a_folder_called_so=("return root / expand_home(name)", "return root / name"),
    ),
    *_in(
        "trainer/base/reachability.py",
        "tests/trainer/base/test_reachability.py",
        the_hub_is_asked_for_anything=("        validate_repo_id(name)", "        str(validate_repo_id)"),
        a_revision_is_part_of_a_name=("    if at:", "    if False:"),
    ),
    *_in(
        "engine/dequantise.py",
        "tests/engine/test_dequantise.py",
        positions_of_a_gguf_are_left=("        complete_positions(config, reader)", "        str(reader)"),
        missing_weights_are_random=('if missing := sorted(info["missing_keys"]):', "if missing := []:"),
    ),
    *_in(
        "engine/batching.py",
        "tests/engine/test_batching.py::test_a_text_that_overflows_fails_alone",
        what_is_no_number_is_said=("if not is_number:", "if False:"),
        what_overflowed_is_kept=("sequence.cached = 0  # what", "str(sequence)  # what"),
    ),
    *_in(
        "engine/shared_server.py",
        "tests/engine/test_shared_server.py",
        the_hub_is_asked_for_a_folder=("        if folder.is_dir():", "        if False:"),
    ),
    *_in(
        "engine/dequantise.py",
        "tests/engine/test_dequantise_again.py",
        two_dequantise_at_once=("            fcntl.flock(handle, fcntl.LOCK_EX)\n", "            str(handle)\n"),
        a_mended_file_is_ignored=("(kept and kept.sha256 == record.sha256)", "kept"),
        what_an_earlier_version_made_is_made_again=("if made_by_earlier_version or (", "if ("),
        a_copy_is_another_base=("(kept and kept.sha256 == record.sha256)", "False"),
        the_disks_faults_are_the_files=("        if number:", "        if False:"),
        faults_in_rust_are_the_files=(" if (found := _RUST.search(reason)) else 0", " if (found := None) else 0"),
    ),
    *_in(
        "engine/bundle_base.py",
        "tests/engine/test_bundle_base.py",
        a_folders_name_is_asked_of_the_hub=('if not sealed.revision and "/" not in sealed.model:', "if False:"),
        what_a_folder_was_made_of_is_not_said=("    if not found:", "    if True:"),
    ),
    *_in(
        "engine/gguf_wholeness.py",
        "tests/engine/test_dequantise_again.py",
        half_a_file_is_whole=("missing = _least_bytes(header) - size", "missing = 0"),
        half_a_header_is_whole=("header, missing = None, 1", "raise"),
    ),
    *_in(
        "engine/gguf_weights.py",
        "tests/engine/test_dequantise.py",
        weights_without_a_place_are_left=("elif done.name is not None:", "elif False:"),
        a_layer_of_experts_is_cut=("return found[0] if found else tensor.name", "return tensor.name"),
        all_is_halved=("_DTYPES.get(tensor.tensor_type, torch.float16)", "torch.float16"),
    ),
    *_in(
        "engine/dequantise.py",
        "tests/engine/test_hybrid_gguf.py",
        a_hybrids_gguf_is_read_as_others=("in GGUF_ARCHS:", "in ():"),
        a_hybrids_other_weights_are_left=('filter(is_of_text, info["unexpected_keys"])', "()"),
        a_hybrids_missing_weights_are_random=("        _require_all(file, model, info)\n", ""),
        a_file_of_the_name_elsewhere_is_read=(
            "            alone,\n            gguf_file=str(file.absolute()),",
            "            str(file.parent),\n            gguf_file=file.name,",
        ),
    ),
    *_in(
        "engine/gguf_sizes.py",
        "tests/engine/test_ollamas_gguf.py",
        tokens_are_counted_for_rows=("config.vocab_size = rows[1]", "str(rows)"),
        the_largest_attends_as_others=("        config.query_pre_attn_scalar =", "        _ ="),
        layers_are_googles=("        config.layer_types =", "        _ ="),
        caps_are_left=("        config.final_logit_softcapping =", "        _ ="),
    ),
    *_in(
        "engine/gguf_positions.py",
        "tests/engine/test_gguf_positions.py",
        a_hybrids_scaling_is_left=('    if kind != "none" and header', "    if False and header"),
    ),
    *_in(
        "engine/gguf_reader.py",
        "tests/engine/test_gguf_reader.py",
        another_order_of_bytes_is_misread=('and self.byte_order == "I"', ""),
        a_long_list_is_empty=("[zero], [0] * count", "[], []"),
        transformers_reads_by_it_for_ever=("        module.GGUFReader = theirs", "        theirs"),
    ),
    *_in(
        "engine/gguf_header.py",
        "tests/engine/test_ollamas_gguf.py",
        what_sees_is_read_as_text=("return not _NO_TEXT.search(weight)", "return True"),
    ),
    *_in(
        "engine/gguf_positions.py",
        "tests/engine/test_ollamas_gguf.py",
        ollamas_gemma_is_not_scaled=("_gemma3_of_ollama(said) | said", "said"),
    ),
    *_in(
        "engine/base_source.py",
        "tests/engine/test_dequantise.py",
        a_part_is_taken_for_a_model=("    if is_part(file.name):", "    if False:"),
    ),
    *_in(
        "engine/backends/transformers_engine.py",
        "tests/trainer/base/test_suitability.py::test_a_config_that_cannot_be_followed_is_a_sentence",
        a_package_that_lacks_is_our_mistake=("except ImportError as error:", "except SystemError as error:"),
        only_some_faults_are_foreseen=(
            "except Exception as error:  # a config",
            "except OSError as error:  # a config",
        ),
    ),
    *_in(
        "trainer/loop/loss.py",
        "tests/trainer/loop/test_lora.py::test_a_head_that_is_named_learns",
        a_lora_on_the_head_is_not_trained=(
            "if any(each.requires_grad for each in output_head.parameters()):",
            "if weight.requires_grad:",
        ),
    ),
    *_in(
        "trainer/loop/targets.py",
        "tests/trainer/test_families.py::test_a_linear_layer_in_a_list_is_named_with_its_number",
        a_number_is_a_name=('r"[^.]+(\\.\\d+)*$"', 'r"[^.]+$"'),
    ),
    *_in(
        "trainer/export/plain_lora.py",
        "tests/trainer/export/test_plain_lora.py::test_what_the_body_holds_beside_its_layers_is_no_head",
        what_is_in_no_layer_is_a_head=("if not module.startswith(bodies)}", "}"),
    ),
    *_in(
        "engine/backends/transformers_engine.py",
        "tests/engine/test_batching.py::test_the_adapter_is_switched_off_for_those_alone_who_want_the_base",
        every_step_switches_the_adapter=("if self._base and not self._base.is_idle:", "if self._base:"),
    ),
    *_in(
        "trainer/loop/trainer.py",
        "tests/trainer/loop/test_lora.py::test_an_epoch_ends_with_an_evaluation_and_has_one_more",
        "tests/trainer/loop/test_lora.py::test_evaluations_are_no_training",
        the_last_comes_after_the_last_but_one=("math.ceil(steps / EVALUATIONS)", "steps // EVALUATIONS"),
        evaluations_count_as_training=("time.monotonic() - start - trainer.evaluating", "time.monotonic() - start"),
    ),
    *_in(
        "trainer/base/checkpoint.py",
        "tests/trainer/base/test_checkpoint.py",
        an_encoder_is_a_base=('config.get("is_encoder_decoder") or ', ""),
        rounded_weights_are_a_base=(" and not refused", ""),
        only_transformers_key_says_so=('("quantization_config", "quantization")', '("quantization_config",)'),
        a_class_of_another_type_is_a_base=(
            '{table.get(config["model_type"]) for table in tables} & set(config["architectures"])',
            'config["architectures"]',
        ),
        all_heads_write_text=("WRITES_TEXT.search(name)", "name"),
        the_shards_come_first=("if not (folder / WEIGHTS).is_file():", "if True:"),
    ),
    *_in(
        "trainer/init/local_models.py",
        "tests/trainer/init/test_unreadable_models.py",
        an_odd_file_ends_the_command=("except Exception as error:  # other", "except ValueError as error:  # other"),
    ),
    *_in(
        "trainer/progress.py",
        "tests/trainer/test_progress.py",
        the_first_step_tells_the_time_left=(" and done >= MIN_DONE * total", ""),
    ),
    *_in(
        "trainer/init/local_models.py",
        "tests/trainer/init/test_local_models.py",
        only_the_file_is_asked=("has_template=chats or ", "has_template="),
        text_as_it_is_is_a_chat=("not in TEXT_AS_IT_IS", "!= ''"),
        renderers_are_not_asked=("bool(renderer) or ", ""),
        what_fills_in_chats=('FILLED_IN.sub(r"\\1", template)', "template"),
        a_model_of_vectors_is_offered=('and f"{family}.pooling_type" not in fields', ""),
        what_cant_be_read_is_offered=("family in READ and ", ""),
        an_adapter_is_offered=("whole and ", ""),
        capitals_are_not_found=("file.suffix.lower() == GGUF", "file.suffix == GGUF"),
        a_file_of_two_commits_is_offered_twice=("{file.resolve(): file", "{file: file"),
        the_users_folder_is_called_a_tilde=('or library / "hub").expanduser()', 'or library / "hub")'),
    ),
    *_in(
        "trainer/bundle/gguf_file.py",
        "tests/trainer/export/test_merged.py",
        llamas_frequencies_are_left=('elif kind == "llama3":', 'elif kind == "llama3" and size < 0:'),
        texts_are_split_as_gpt2_does=('if r"p{N}{1,3}" in splitters:', "if False:"),
    ),
    *_in(
        "engine/gguf_positions.py",
        "tests/engine/test_gguf_positions.py",
        any_frequencies_are_llamas=("rtol=1e-3):", "rtol=1e3):"),
        base_of_a_gguf_is_left=('rope["rope_theta"] = float(base)', "float(base)"),
    ),
    *_in(
        "engine/cached_forward.py",
        "tests/engine/test_cached_forward.py",
        padding_is_attended_to=(">= longest - lengths", ">= 0 * lengths"),
        marks_stay_with_the_row=("for held in (self._rows, self._marks):", "for held in (self._rows,):"),
        a_state_is_cut=("        if tokens < longest and is_cuttable(", "        if tokens < longest and bool("),
        forgotten_states_are_not_looked_at=("        if off > tolerance(model):", "        if off > 1e9:"),
    ),
    *_in(
        "engine/row_cache.py",
        "tests/engine/test_cached_forward.py",
        padding_stays=("beyond = max(padding - (before", "beyond = 0 * max(padding - (before"),
        a_copy_is_shared=("        return tensor.clone()\n", "        return tensor\n"),
        a_window_is_cut=("return is_whole and not", "return not"),
    ),
    *_in(
        "engine/probed_engine.py",
        "tests/engine/test_probed_engine.py",
        a_letter_in_common_is_the_base=("return text.startswith(base) and", "return text[:7] == base[:7] and"),
        the_adapters_longer_word_is_the_base=("len(tuned) > len(base))", "False)"),
    ),
    *_in(
        "trainer/adapter/share.py",
        "tests/trainer/adapter/test_share.py",
        known_of_the_whole_is_any_share_s=(
            "if known is not None and share == SHARES[0] else",
            "if known is not None else",
        ),
        what_is_known_is_not_asked=("known if known is not None and share == SHARES[0] else ", ""),
    ),
    *_in(
        "trainer/loop/trainer.py",
        "tests/trainer/loop/test_lora.py::test_the_adapter_with_the_lowest_held_out_loss_is_kept",
        the_last_evaluation_counts_as_the_kept_one_s=(
            "        state.best_metric,\n",
            '        [row["eval_loss"] for row in state.log_history if "eval_loss" in row][-1],\n',
        ),
    ),
    *_in(
        "trainer/adapter/probe.py",
        "tests/trainer/adapter/test_probe.py",
        tokens_without_a_row_are_asked=("min(rows, encoding.vocabulary)", "encoding.vocabulary"),
        second_words_are_close=("of.values[:, 0] - of.values[:, 1] for", "of.values[:, 0] for"),
    ),
    *_in(
        "engine/batching.py",
        "tests/engine/test_cached_forward.py",
        prompts_are_cut_for_all=("if self._forward.reads_whole else room", "if False else room"),
    ),
]

SAID = [
    *_in(
        "engine/voice.py",
        "tests/engine/test_voice.py",
        circles_are_said=('"loop" if goes_round(text) else ""', '""'),
        half_a_sentence_is_said=('whole_part(text) if finish == "length" else text', "text"),
        a_blank_line_is_gone_on_after=("request, shown, before_next_turn)", "request, shown)"),
    ),
    *_in(
        "persona/loops.py",
        "tests/persona/test_loops.py",
        a_chant_is_a_circle=("MIN_WORDS = 24", "MIN_WORDS = 4"),
    ),
]

READERS = [
    *_in(
        "trainer/ingest/rows.py",
        "tests/trainer/ingest/test_rows.py",
        reactors_of_one_name_are_one=('("", who) if name is None else (who, name)', '("", name or who)'),
    ),
    *_in(
        "trainer/sources/formats/weflow.py",
        "tests/trainer/sources/formats/test_weflow.py",
        others_are_the_account=("is_self=bool(row.is_send)", "is_self=not row.is_send"),
        groups_are_private=('"group" if is_group else "dm"', '"dm"'),
    ),
    *_in(
        "trainer/sources/formats/chatlab.py",
        "tests/trainer/sources/formats/test_chatlab.py",
        replies_are_lost=('reply_to_id=row.reply_to_message_id or ""', 'reply_to_id=""'),
        two_of_one_name_are_one=("min(others) if len(others) == 1 else meta.name", "meta.name"),
        calls_are_words=('    23: "call",\n', ""),
    ),
    *_in(
        "trainer/sources/formats/whatsapp_exporter.py",
        "tests/trainer/sources/formats/test_whatsapp_exporter.py",
        two_of_one_name_are_one=("if len(known) == 1", "if known"),
        chats_of_texts_are_one=('f"{_EXPORTED}/{title}" if item.name == _EXPORTED else item.name', "item.name"),
    ),
    *_in(
        "trainer/sources/formats/kakaotalk.py",
        "tests/trainer/sources/formats/test_kakaotalk.py",
        notices_are_words=("if not row.sender or _NOTICE.fullmatch(text)", "if not row.sender"),
    ),
    *_in(
        "trainer/sources/formats/sigtop.py",
        "tests/trainer/sources/formats/test_sigtop.py",
        groups_are_private=('"group" if self._is_group else "dm"', '"dm"'),
        the_first_version_is_kept=("lines[: others[0]] if others else lines", "lines"),
    ),
    *_in(
        "trainer/sources/parsing/labels.py",
        "tests/trainer/sources/parsing/test_messenger_labels.py",
        "tests/trainer/sources/parsing/test_whatsapp_labels.py",
        words_are_labels=("    if not others:\n        return True\n", "    return True\n"),
    ),
]

MUTATIONS = [
    *READERS,
    *MEMORY,
    *UNPACKED,
    *SAID,
    *QUICKER,
    *REFINING,
    *SPEAKING_UP,
    *TRANSCRIPT,
    *LOSS,
    *SAMPLING,
    *GUARD,
    *GATE,
    *JUDGES,
    *INBOX,
    *OUTBOX,
    *CATCH_UP,
    *FORGETTING,
    *PRIVACY,
    *THREADS,
]
