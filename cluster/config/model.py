"""What all parts of a configuration have in common."""

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """Unknown keys and loose types are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, protected_namespaces=())
