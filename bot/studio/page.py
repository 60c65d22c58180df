"""The page: its tabs, its looks."""

from html import escape

import gradio as gr

from bot.studio.chat_tab import ChatTab
from bot.studio.game_tab import GameTab
from bot.studio.nothing_yet import SETUP
from bot.studio.report import ReportTab
from bot.studio.sentences import sentences
from bot.studio.setup_tab import SetupTab
from bot.studio.studio import Studio
from bot.studio.timeline_tab import TimelineTab

SYSTEM = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif")  # what the machine has
MONO = ("ui-monospace", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace")

CSS = """
.gradio-container {max-width: 1060px !important; width: 100% !important; margin: 0 auto !important}
.gradio-container main {width: 100%; padding-top: 1rem}
.html-container {padding: 0 !important}
/* what has nothing to show yet takes no gap between two steps; by name, since elsewhere Gradio lays out what is hidden so, and
asks its server wrongly. It would take a comma within brackets for the next selector */
#train-takes:has(.prose:empty), #train-status:has(.prose:empty), #train-says:has(.prose:empty),
#adapters:has(.prose:empty), #adapters-choice:not(:has(button)) {display: none}
.tools {align-items: end}
#planning {align-items: start}
.title h1 {font-size: 1.5rem; font-weight: 600; margin: 0}
.title p, .quiet {color: var(--body-text-color-subdued); margin: .2rem 0 .4rem}
.step h2, .gradio-container .prose h2 {font-size: 1.1rem; font-weight: 600; margin: 1.2rem 0 .2rem}
.step .done span {color: var(--good)}
.fault {margin: .2rem 0; padding-left: .7rem; border-left: 3px solid var(--bad)}
.gradio-container {--good: #157347; --bad: #b3261e}
.dark .gradio-container, .gradio-container.dark {--good: #5fcf96; --bad: #ff8a80}
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
.facts {display: grid; grid-template-columns: auto 1fr; gap: .1rem .8rem; margin: .2rem 0; font-size: .85rem}
.facts dt {color: var(--body-text-color-subdued)}
.facts dd {margin: 0; overflow-wrap: anywhere}
.mind {font-size: .85rem}
.mind summary {cursor: pointer; color: var(--body-text-color-subdued)}
progress {appearance: none; width: 100%; height: 6px; border: 0; border-radius: 3px; overflow: hidden}
progress, progress::-webkit-progress-bar {background: var(--border-color-primary)}
progress::-webkit-progress-value {background: var(--color-accent)}
progress::-moz-progress-bar {background: var(--color-accent)}
.report {width: 100%; height: 80vh; border: 1px solid var(--border-color-primary); background: white}
/* as the report itself, before it is there */
.dark .report {background: #14171d}
.answer {white-space: pre-wrap; font-weight: 400; text-align: left; padding: 1rem}
.turn {margin: .7rem 0; padding-left: .7rem; border-left: 3px solid var(--border-color-primary)}
.turn.own {border-color: var(--color-accent)}
.turn p {margin: .1rem 0}
/* a fault is a note, which goes when one goes on; Gradio would besides write "Error" upon everything it concerned */
[data-testid="status-tracker"]:has(.error) {display: none !important}
@media (max-width: 640px) {
  .gradio-container {padding: .5rem !important}
  .tab-container button {padding: 0 .55rem !important}
  #chat-name, #chat-scene, #chat-double {min-width: 100% !important}
}
"""

# Gradio's page loses work that it asks for in the instant in which the server hangs up after the work before: the answer
# to its question comes in before the word of the hanging up. So the answer waits for that word.
HEAD = """<script>{
  const ask = window.fetch;
  window.fetch = async (what, how) => {
    const answer = await ask(what, how);
    if (String(what?.url ?? what).includes("/queue/join")) await new Promise(go => setTimeout(go, 100));
    return answer;
  };
}</script>"""

# What went wrong is no longer wrong once somebody does the next thing.
JS = """() => document.addEventListener("click", event => {
  if (event.target.closest("button, label, [role=tab]") && !event.target.closest(".toast-wrap"))
    document.querySelectorAll(".toast-wrap .error .toast-close, .toast-body.error .toast-close").forEach(close => close.click());
}, true)"""


def page_of(studio: Studio) -> gr.Blocks:
    """Return the page, not yet served. Raises SettingsError for settings that can't be read; there may be none yet."""
    with gr.Blocks(analytics_enabled=False, title=f"{_name(studio)} · alterego") as page:
        title = gr.HTML(_title(studio), elem_classes="title", elem_id="title")
        with gr.Tabs(selected=_first(studio), overflow_behavior="wrap") as tabs:
            setup = SetupTab(studio, page, tabs)
            ChatTab(studio, page, tabs)
            TimelineTab(studio, tabs)
            ReportTab(studio, tabs)
            GameTab(studio, tabs)

        async def entitle() -> str:
            with sentences():
                return _title(studio)

        async def open_first() -> gr.Tabs:
            with sentences():
                return gr.Tabs(selected=_first(studio))

        for event in (page.load, setup.read.then):  # which chooses whose voice it is
            event(entitle, None, title, show_progress="hidden")
        page.load(open_first, None, tabs, show_progress="hidden")
        page.load(None, js=JS)
    return page.queue(default_concurrency_limit=8)


def _first(studio: Studio) -> str:
    """The tab that is open at first."""
    return "chat" if studio.speaks else SETUP


def _name(studio: Studio) -> str:
    return studio.settings.persona.name if studio.has_settings else "A persona of your own"


def _title(studio: Studio) -> str:
    """Return the title as HTML: who it is, and where what is said goes."""
    server = studio.settings.engine.url if studio.has_settings and studio.settings.engine.kind == "server" else ""
    where = f"What is said here goes to {server}." if server else "Nothing here leaves this machine."
    return f"<h1>{escape(_name(studio))}</h1><p>An imitation: whatever it says, nobody said it. {escape(where)}</p>"


def theme() -> gr.themes.Base:
    """Return Gradio's own theme, with the fonts of the machine, and colours that everybody can read (WCAG AA)."""
    return gr.themes.Default(font=SYSTEM, font_mono=MONO, primary_hue="indigo", neutral_hue="slate").set(
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_300",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_400",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_dark="*primary_600",
        button_primary_background_fill_hover_dark="*primary_700",
        button_primary_text_color="white",
        checkbox_border_color="*neutral_500",
        checkbox_border_color_dark="*neutral_400",
    )
