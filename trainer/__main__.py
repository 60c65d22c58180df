"""The trainer's command line, put together from its commands."""

from persona.interruption import end_quietly

if __name__ == "__main__":
    end_quietly()  # while what follows is imported

from persona.command import command_line, run
from trainer.commands.adopt import adopt
from trainer.commands.evaluate import evaluate
from trainer.commands.export import export
from trainer.commands.forget import forget
from trainer.commands.game import game
from trainer.commands.import_ import import_
from trainer.commands.init import init
from trainer.commands.refine import refine
from trainer.commands.rollback import rollback
from trainer.commands.sample import sample
from trainer.commands.stats import stats
from trainer.commands.sweep import sweep
from trainer.commands.train import train

app = command_line("Make a persona: exports in, a sealed adapter bundle out.")
for command in (init, import_, train, sweep, refine, rollback, adopt, stats, forget, evaluate, game, sample, export):
    app.command(command.__name__.rstrip("_"))(command)

if __name__ == "__main__":
    run(app, "python -m trainer")
