"""Which forward passes give a model's own logits, the fastest first."""

import logging

from engine.cached_forward import CachedForward, why_not_batched, why_not_cached, why_not_continued
from engine.forward import Forward, Model
from engine.packed_forward import PackedForward, why_not_served_packed
from engine.reread_forward import RereadForward

log = logging.getLogger("alterego.engine")


def forward_of(model: Model) -> Forward:
    """Return the fastest forward that gives this model's own logits. What it then lacks is logged, with the reason."""
    if not why_not_served_packed(model):
        return PackedForward(model)
    unbatched, discontinued = why_not_batched(model), why_not_continued(model)
    if unbatched and (uncached := why_not_cached(model)):
        log.warning("the whole prompt is read for every token: this base's cache can't be used (%s)", uncached)
        return RereadForward(model)
    if unbatched:
        log.warning("requests are not batched: this base's layers can't be (%s)", unbatched)
    if discontinued:
        log.warning("nothing is kept of earlier requests: this base can't go on from there (%s)", discontinued)
    return CachedForward(model, batches=not unbatched, continues=not discontinued)
