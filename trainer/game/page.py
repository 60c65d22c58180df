"""The Turing game as one self-contained HTML page, to be sent to friends; which answer is real stands in it disguised."""

import base64
import json
from collections.abc import Sequence
from html import escape

from trainer.evaluate.report.style import STYLE
from trainer.game.rounds import Round

_SCRIPT = """
const rounds=JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(document.body.dataset.rounds),c=>c.charCodeAt(0)^90)));
const game=document.body.dataset.game,place=document.querySelector("#round");let at=0,right="";
const player=[...crypto.getRandomValues(new Uint8Array(4))].map(b=>b.toString(16).padStart(2,"0")).join("");
const text=(kind,words)=>{const one=document.createElement(kind);
 words.split("\\n").forEach((line,k)=>{if(k)one.append(document.createElement("br"));one.append(line)});return one};
function show(){place.replaceChildren();if(at===rounds.length)return end();
 const one=rounds[at];place.append(text("h2",`${at+1} of ${rounds.length}`));
 one.before.forEach(([name,words])=>place.append(text("p",`${name}: ${words}`)));
 one.answers.forEach((words,k)=>{const choice=text("button",words);
  choice.onclick=()=>{right+=k===one.real?"1":"0";at+=1;show()};place.append(choice)})}
function end(){const found=[...right].filter(c=>c==="1").length;
 place.append(text("h2",`You found the real one in ${found} of ${rounds.length}.`));
 place.append(text("p","Send this back:"));place.append(text("code",`alterego-${game}-${player}-${right}`))}
show();
"""


def game_page(name: str, game: str, rounds: Sequence[Round]) -> str:
    """The page. game: eight hexadecimal digits that tell this game from others."""
    told = json.dumps([{"before": one.before, "answers": one.answers, "real": one.real} for one in rounds])
    disguised = base64.b64encode(bytes(byte ^ 90 for byte in told.encode())).decode()  # not to be read at a glance
    title = f"{escape(name)} or an imitation?"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        "script-src 'unsafe-inline'\">"
        f'<title>{title}</title><style>{STYLE}</style></head><body data-game="{game}" data-rounds="{disguised}"><main>'
        f"<h1>{title}</h1><p class=means>One of the two answers is real. Choose it.</p><section id=round></section></main>"
        f"<script>{_SCRIPT}</script></body></html>\n"
    )
