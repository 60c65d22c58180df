"""What a table of persona.toml is."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A table of persona.toml: frozen, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)
