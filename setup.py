"""What pyproject.toml can't say: the sample is packaged from where a checkout keeps it. All else is in pyproject.toml."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

SAMPLE = ("examples/persona.toml", "examples/exports", "examples/prompts.txt")


class BuildWithSample(build_py):
    """Copies the sample into the package, as `alterego demo` looks for it there."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:  # the checkout is there
            return
        for name in SAMPLE:
            target = Path(self.build_lib, "alterego", "sample", name)
            target.parent.mkdir(parents=True, exist_ok=True)
            if Path(name).is_dir():
                shutil.copytree(name, target, dirs_exist_ok=True)
            else:
                shutil.copyfile(name, target)


setup(cmdclass={"build_py": BuildWithSample})
