"""What a table of persona.toml is."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A table of persona.toml: frozen, closed to unknown keys, and to TOML's inf and nan."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)
