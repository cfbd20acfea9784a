"""``trial``: two networks trained side by side, and whether one is better."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple, Unpack

from archscope.api.networks import Network
from archscope.api.preparations import DataChoices
from archscope.api.trainings import Training, train
from archscope.core.errors import Problem, Unsupported, UsageError
from archscope.spec.options import Changes
from archscope.training.pairing import LEAST_SEEDS, Interval, Pair, interval_of
from archscope.training.recipe import Recipe


class Side(NamedTuple):
    """One of the two networks, with changes that are its own."""

    network: Network | Any
    changes: Changes


class Trial(NamedTuple):
    """What a trial came to. names: of the two, with the changes of each alone; changes: all of each, in words.

    recipes: with what suits each. difference: in accuracy, second minus first. images: that accuracy is counted over.
    interrupted: Ctrl-C ended it after these pairs.
    """

    names: tuple[str, str]
    data: str
    changes: tuple[tuple[str, ...], tuple[str, ...]]
    params: tuple[int, int]
    macs: tuple[int | None, int | None]
    recipes: tuple[Recipe, Recipe]
    pairs: tuple[Pair, ...]
    difference: Interval
    images: int
    interrupted: bool = False

    @property
    def better(self) -> str | None:
        """The name of the better one; None where the interval holds 0."""
        if not self.difference.decides:
            return None
        return self.names[1] if self.difference.low > 0 else self.names[0]


Watch = Callable[[str, int, float], None]
"""Is told of each run: the network's name, the seed, the held-out accuracy."""


def trial(
    first: Network | Any,
    second: Network | Any,
    data: str = "digits",
    recipe: Recipe | None = None,
    *,
    seeds: int = 5,
    input: Any = None,  # noqa: A002  what tables and the command line call it
    choices: DataChoices | None = None,
    watch: Watch | None = None,
    **changes: Unpack[Changes],
) -> Trial:
    """Whether one network is better than another, by paired runs on equal data with an equal number of examples.

    first, second: what load takes, a factory's address, or a :class:`Side` with changes of its own. A pair of runs has
    one seed: the same split, the same order, the same number of updates of the same batch; rate and initialisation are
    what suits each network, unless the recipe says. data, recipe, input, choices: as for :func:`archscope.train`.
    watch: hears each run's network, seed and accuracy. Without a length the longer of the two usual ones is that of
    both.
    It is decided where Student's 95 % interval of the differences in held-out accuracy leaves out 0. Ctrl-C ends it
    with the pairs that are finished, where an interval can be had from them.

    Raises UsageError for too few seeds and for modules, which the first run would leave trained; Unsupported for what
    is not trained since something is proved to be wrong with it; and what train raises.
    """
    if seeds < LEAST_SEEDS:
        raise UsageError(Problem("bad-value", f"seeds is {seeds!r}", expected=f"a whole number from {LEAST_SEEDS} on"))
    wanted = recipe or Recipe()
    sides = [_side(each, changes) for each in (first, second)]
    if sides[0] == sides[1]:
        raise UsageError(Problem("bad-value", "both networks of the trial are the same, with the same changes"))

    def run(side: Side, chosen: Recipe, *, dry_run: bool = False) -> Training:
        return train(side.network, data, chosen, input=input, choices=choices, dry_run=dry_run, **side.changes)

    plans = [run(side, wanted, dry_run=True).plan for side in sides]
    names = _names((plans[0].network, plans[1].network), (first, second))
    budget = _budget(wanted, [plan.recipe for plan in plans])
    pairs: list[Pair] = []
    recipes = []
    try:
        for seed in range(wanted.seed, wanted.seed + seeds):
            done = []
            for name, side in zip(names, sides, strict=True):
                done.append(_run_through(run(side, replace(budget, seed=seed)), name, seed))
                if watch is not None:
                    watch(name, seed, done[-1].history[-1].validation_accuracy)
            pairs.append(_pair(seed, done[0], done[1]))
            recipes = [each.recipe for each in done]
    except KeyboardInterrupt:
        if len(pairs) < LEAST_SEEDS:
            raise
    images = sum(plans[0].images["validation"])
    difference = interval_of([each.difference for each in pairs], 1 / images)
    return Trial(
        names, plans[0].data, (plans[0].changes, plans[1].changes), (plans[0].params, plans[1].params),
        (plans[0].macs, plans[1].macs), (recipes[0], recipes[1]), tuple(pairs), difference, images, len(pairs) < seeds,
    )  # fmt: skip


def _side(given: Network | Any, changes: Changes) -> Side:
    side = given if isinstance(given, Side) else Side(given, Changes())
    if hasattr(side.network, "parameters"):
        message = "a module is trained in place, and a trial begins anew for every seed"
        raise UsageError(Problem("bad-value", message, help="its factory's address: ./net.py:Net"))
    return Side(side.network, Changes(**{**changes, **side.changes}))


def _names(names: tuple[str, str], given: tuple[Any, Any]) -> tuple[str, str]:
    """The names, each with the changes that are its own."""
    own = [each.changes if isinstance(each, Side) else {} for each in given]
    words = [" ".join(f"{key}={value}" for key, value in changes.items()) for changes in own]
    return (f"{names[0]} {words[0]}".strip(), f"{names[1]} {words[1]}".strip())


def _budget(recipe: Recipe, planned: list[Recipe]) -> Recipe:
    """The recipe with one length and one batch for both."""
    batch = min(each.batch for each in planned)
    if recipe.steps is not None:
        return replace(recipe, batch_size=batch)
    return replace(recipe, batch_size=batch, epochs=max(each.epochs or 1 for each in planned))


def _pair(seed: int, first: Training, second: Training) -> Pair:
    one, other = first.history[-1], second.history[-1]
    verdicts = (first.verdict.verdict if first.verdict else "", second.verdict.verdict if second.verdict else "")
    return Pair(
        seed, one.validation_accuracy, other.validation_accuracy, one.validation_loss, other.validation_loss, verdicts
    )


def _run_through(done: Training, name: str, seed: int) -> Training:
    """The training. Raises Unsupported where it stopped before its first step."""
    if done.history:
        return done
    causes = "; ".join(done.verdict.causes) if done.verdict else ""
    message = f"{name} was not trained with seed {seed}: {causes or 'its first loss is no number'}"
    raise Unsupported(Problem("not-trained", message, help="archscope train says more"))
