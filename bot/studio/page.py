"""The page: its tabs, its looks."""

from html import escape

import gradio as gr

from bot.studio.chat_tab import ChatTab
from bot.studio.game_tab import GameTab
from bot.studio.report import ReportTab
from bot.studio.sentences import sentences
from bot.studio.studio import Studio
from bot.studio.timeline_tab import TimelineTab
from bot.studio.training_tab import TrainingTab
from persona.config import Settings

SYSTEM = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif")  # what the machine has
MONO = ("ui-monospace", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace")

CSS = """
.gradio-container {max-width: 1060px !important; width: 100% !important; margin: 0 auto !important}
.gradio-container main {width: 100%; padding-top: 1rem}
.html-container {padding: 0 !important}
.tools {align-items: end}
.title h1 {font-size: 1.5rem; font-weight: 600; margin: 0}
.title p, .quiet {color: var(--body-text-color-subdued); margin: .2rem 0 .4rem}
.cards .wrap {flex-direction: column; align-items: stretch; gap: .5rem}
.cards label {white-space: pre-wrap; align-items: flex-start}
.wide {overflow-x: auto}
.plain, .plain thead, .plain tr {border: 0 !important; border-collapse: collapse; font-size: .9rem}
.plain th, .plain td {text-align: left; vertical-align: top; padding: .3rem 1.2rem .3rem 0; border: 0 !important}
.plain th {font-weight: 500; color: var(--body-text-color-subdued)}
.plain tbody td {border-top: 1px solid var(--border-color-primary) !important}
.sums td:nth-child(3), .sums td:nth-child(4) {text-align: right; font-variant-numeric: tabular-nums}
.sums tbody tr:last-child {font-weight: 600}
.plain td:first-child {white-space: nowrap}
progress {appearance: none; width: 100%; height: 6px; border: 0; border-radius: 3px; overflow: hidden}
progress, progress::-webkit-progress-bar {background: var(--border-color-primary)}
progress::-webkit-progress-value {background: var(--color-accent)}
progress::-moz-progress-bar {background: var(--color-accent)}
.report {width: 100%; height: 80vh; border: 1px solid var(--border-color-primary); background: white}
.answer {white-space: pre-wrap; font-weight: 400; text-align: left; padding: 1rem}
.turn {margin: .7rem 0; padding-left: .7rem; border-left: 3px solid var(--border-color-primary)}
.turn.own {border-color: var(--color-accent)}
.turn p {margin: .1rem 0}
@media (max-width: 640px) {
  .gradio-container {padding: .5rem !important}
  .tab-container button {padding: 0 .55rem !important}
  #chat-name, #chat-scene, #chat-double {min-width: 100% !important}
}
"""


def page_of(studio: Studio) -> gr.Blocks:
    """Return the page, not yet served. Raises SettingsError if the settings can't be read."""
    with gr.Blocks(analytics_enabled=False, title=f"{studio.settings.persona.name} · alterego") as page:
        title = gr.HTML(_title(studio.settings), elem_classes="title", elem_id="title")
        with gr.Tabs(overflow_behavior="wrap"):
            ChatTab(studio, page)
            TimelineTab(studio)
            training = TrainingTab(studio, page)
            ReportTab(studio)
            GameTab(studio)

        async def entitle() -> str:
            with sentences():
                return _title(studio.settings)

        for event in (page.load, training.read.then):  # which chooses whose voice it is
            event(entitle, None, title, show_progress="hidden")
    return page.queue(default_concurrency_limit=8)


def _title(settings: Settings) -> str:
    """Return the page's heading: whose imitation it is, and which server gets what is typed."""
    server = settings.engine.url if settings.engine.kind == "server" else ""
    where = f"What is said here goes to {server}." if server else "Nothing here leaves this machine."
    name = escape(settings.persona.name)
    return f"<h1>{name}</h1><p>An imitation: whatever it says, nobody said it. {escape(where)}</p>"


def theme() -> gr.themes.Base:
    """Gradio's own, with the fonts of the machine."""
    return gr.themes.Default(font=SYSTEM, font_mono=MONO, primary_hue="indigo", neutral_hue="slate")
