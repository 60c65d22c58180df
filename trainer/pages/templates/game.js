const { game, name, rounds: disguised } = document.body.dataset;
const bytes = Uint8Array.from(atob(disguised), char => char.charCodeAt(0) ^ 90);
const rounds = JSON.parse(new TextDecoder().decode(bytes));
const place = document.querySelector("#round");
const player = [...crypto.getRandomValues(new Uint8Array(4))].map(byte => byte.toString(16).padStart(2, "0")).join("");
let choices = [];
let knows = ""; // "f" for a friend, "s" for a stranger
let counted = ""; // the result of the first time; whoever plays again knows the answers

function element(tag, words, look = "") {
  const made = document.createElement(tag);
  if (look) made.className = look;
  words.split("\n").forEach((line, index) => {
    if (index) made.append(document.createElement("br"));
    made.append(line);
  });
  return made;
}

function button(words, act) {
  const made = element("button", words);
  made.type = "button";
  made.onclick = act;
  return made;
}

function show(title, parts) {
  const heading = element("h2", title);
  heading.tabIndex = -1; // where a screen reader goes on reading
  place.replaceChildren(heading, ...parts);
  if (choices.length) heading.focus({ preventScroll: true });
}

const said = ([who, words]) => element("p", `${who}: ${words}`);
const isRight = number => choices[number] === rounds[number].real;

function begin() {
  const as = letter => () => { knows = letter; play(); };
  show(`Do you know ${name}?`, [button("Yes, we know each other", as("f")), button("No, we never met", as("s"))]);
}

function digit(number) { // as Round.digit in rounds.py
  const { answers, real, rival } = rounds[number];
  if (choices[number] === rival) return "5";
  return (choices[number] === real ? "13" : "04")[answers.length - 2];
}

function play() {
  const number = choices.length;
  if (number === rounds.length) return end();
  const choose = side => () => { choices.push(side); play(); };
  const answers = rounds[number].answers.map((words, side) => button(words, choose(side)));
  show(`${number + 1} of ${rounds.length}`, [...rounds[number].before.map(said), ...answers]);
}

function end() {
  const digits = rounds.map((_, number) => digit(number)).join("");
  const score = rounds.filter((_, number) => isRight(number)).length;
  const guessed = rounds.reduce((sum, { answers }) => sum + 1 / answers.length, 0);
  const first = !counted;
  counted ||= `alterego-${game}-${player}-${digits}-${knows}`;
  show(`You found the real one in ${score} of ${rounds.length}.`, [
    element("p", `Guessing would find ${Math.round(10 * guessed) / 10}.`, "means"),
    ...(first ? sending(score) : [element("p", "Only your first game counts: now you know the answers.", "means")]),
    button("Play again", () => { choices = []; play(); }),
    ...mistakes(),
  ]);
}

function sending(score) {
  const message = `I found the real ${name} in ${score} of ${rounds.length}. My result, for "alterego game --tally": ${counted}`;
  const status = element("p", "", "means");
  status.setAttribute("role", "status");
  const copying = button("Copy", async () => {
    status.textContent = await copied(message) ? "Copied." : "This browser copies nothing by itself: select the text above.";
  });
  const block = element("p", `I found the real ${name} in ${score} of ${rounds.length}. My result, for "alterego game --tally": `, "send");
  block.append(element("code", counted));
  return [
    element("p", "Send this to whoever sent you the game. It says which answers you chose and whether you know each other, and nothing else."),
    block, copying, status,
  ];
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch { // a page that is neither on this disk nor on https
    const field = document.createElement("textarea");
    field.value = text;
    place.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
}

function mistakes() {
  const wrong = rounds.map((round, number) => ({ ...round, choice: choices[number] })).filter((_, number) => !isRight(number));
  if (!wrong.length) return [element("p", "Nothing fooled you.")];
  const told = wrong.flatMap(({ before, answers, real, rival, choice }) => [
    ...before.map(said),
    labelled("person", name, answers[real]),
    choice === rival
      ? labelled("rest", "the large model, which you chose", answers[choice])
      : labelled("imitation", "the imitation, which you chose", answers[choice]),
    document.createElement("hr"),
  ]);
  return [element("h3", "What fooled you"), ...told.slice(0, -1)];
}

function labelled(look, who, words) {
  const made = element("p", "");
  made.append(element("b", `${who}: `, look), ...element("span", words).childNodes);
  return made;
}

begin();
