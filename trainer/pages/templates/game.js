const rounds=JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(document.body.dataset.rounds),c=>c.charCodeAt(0)^90)));
const game=document.body.dataset.game,place=document.querySelector("#round");let at=0,right="";
const player=[...crypto.getRandomValues(new Uint8Array(4))].map(b=>b.toString(16).padStart(2,"0")).join("");
const text=(kind,words)=>{const one=document.createElement(kind);
 words.split("\n").forEach((line,k)=>{if(k)one.append(document.createElement("br"));one.append(line)});return one};
function show(){place.replaceChildren();if(at===rounds.length)return end();
 const one=rounds[at];place.append(text("h2",`${at+1} of ${rounds.length}`));
 one.before.forEach(([name,words])=>place.append(text("p",`${name}: ${words}`)));
 one.answers.forEach((words,k)=>{const choice=text("button",words);
  choice.onclick=()=>{right+=k===one.real?"1":"0";at+=1;show()};place.append(choice)})}
function end(){const found=[...right].filter(c=>c==="1").length;
 place.append(text("h2",`You found the real one in ${found} of ${rounds.length}.`));
 place.append(text("p","Send this back:"));place.append(text("code",`alterego-${game}-${player}-${right}`))}
show();
