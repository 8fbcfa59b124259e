"""`sim model`: what a node pays in networks too large to run, by a numeric model that is held to what can be run."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from cli.context import Context
from cli.options import Flag, Here, WordsOrNone
from cli.sizes import format_size
from cli.words import tell, tell_many
from mesh.errors import Exit, LocalError
from mesh.node.local.protocol import JsonObject
from mesh.phrases import phrase

if TYPE_CHECKING:
    from simulations.model.check import Compared
    from simulations.model.choices import Choice
    from simulations.model.costs import Day, Row
    from simulations.model.settings import Settings, Sky

NODES: Final = 100_000


def model(
    *,
    nodes: Annotated[int, Parameter(metavar="N")] = NODES,
    group: Annotated[int | None, Parameter(metavar="G")] = None,
    posts: Annotated[float, Parameter(metavar="P")] = 5.0,
    loss: Annotated[float, Parameter(metavar="PART")] = 0.0,
    near: Flag = False,
    seed: Annotated[int, Parameter(metavar="S")] = 1,
    set_: Annotated[WordsOrNone, Parameter(metavar="K=V", negative="")] = None,
    choose: Flag = False,
    check: Flag = False,
    context: Here,
) -> int:
    """Say what one node pays in a large network. It is a model: it counts frames, and runs no node.

    It needs numpy: `make model` installs it. A million nodes take some minutes. What it cannot tell is in
    docs/simulations.md.

    mesh sim model
    mesh sim model --nodes 1000000 --group 20
    mesh sim model --choose
    mesh sim model --check

    Parameters
    ----------
    nodes
        How many nodes the largest network has. Smaller ones of 1,000, 10,000 and so on are shown beside it.
    group
        How many members a group has. Left out, 5, 20, 100 and 1,000 are tried.
    posts
        How many posts each member writes in a day.
    loss
        Which part of what is sent is lost on the way, and comes later: 0.05 is one in twenty.
    near
        Have all nodes stand 20 to 30 ms apart, and not all over the world.
    seed
        From which number all chance is drawn.
    set_
        Another parameter of gossip, as often as you like: eager=4, announce_ms=100.
    choose
        Try other parameters, and say which to choose. It takes some minutes.
    check
        Run small networks of the real gossip too, and say how far the model is off. It takes some minutes.
    """
    _need_numpy()
    if check:
        return _check(context)
    if choose:
        return _choose(context, seed)
    return _pay(context, nodes, group, posts, seed, sky=_sky(loss, near=near), settings=_settings(set_ or ()))


def _need_numpy() -> None:
    if find_spec("numpy") is None:
        raise LocalError(
            "The model needs numpy, which is not installed here.",
            do="Run `make model` where you ran `make install`, or install numpy beside mesh.",
            code="E-SIM",
        )


def _settings(pairs: Sequence[str]) -> "Settings":
    from simulations.model.settings import Settings, named

    given: dict[str, int] = {}
    for pair in pairs:
        key, _, value = pair.partition("=")
        if not value.isdecimal() or len(value) > 9:
            raise LocalError(phrase("“{typed}” is no NAME=VALUE with a whole number.", typed=pair[:40]), code="E-USAGE")
        given[key] = int(value)
    return named(given) if given else Settings()


def _sky(loss: float, *, near: bool) -> "Sky":
    from simulations.model.settings import Sky

    return Sky(loss=loss, regions=not near)


# ---------------------------------------------------------------- what a node pays


def _pay(
    context: Context, nodes: int, group: int | None, posts: float, seed: int, *, sky: "Sky", settings: "Settings"
) -> int:
    from simulations.model.costs import CONSTANTS, GROUPS, SIZES, check_posts, check_size, day, pay

    groups = GROUPS if group is None else (group,)
    check_size(nodes, min(groups), seed)
    check_posts(posts)
    rows: list[tuple[Row, Day]] = []
    for size in sorted({nodes, *(size for size in SIZES if size < nodes)}):
        for each in groups:
            if each <= size:
                context.out.say(tell("{nodes} nodes in groups of {group} …", nodes=f"{size:,}", group=f"{each:,}"))
                row = pay(size, each, seed=seed, sky=sky, settings=settings)
                rows.append((row, day(row, posts)))
    told: JsonObject = {
        "seed": seed,
        "posts_a_day": posts,
        "rows": [_as_json(row, each) for row, each in rows],
        "constants": [{"name": name, **asdict(constant)} for name, constant in CONSTANTS.items()],
    }
    context.out.result({"model": told})
    _show(context, rows, posts)
    return Exit.OK


def _as_json(row: "Row", each: "Day") -> JsonObject:
    return {
        "nodes": row.nodes,
        "group": row.group,
        "delivered": row.delivered,
        "first_copies": round(row.first_copies, 3),
        "copies": round(row.copies, 3),
        "said": round(row.said, 3),
        "latency": {"p50": row.p50_ms, "p99": row.p99_ms},
        "up_bytes": {"mean": round(row.up_bytes), "p99": round(row.up_bytes_p99), "max": round(row.up_bytes_max)},
        "links": round(row.links, 2),
        "day": {key: round(value, 3) for key, value in asdict(each).items()},
    }


def _show(context: Context, rows: "Sequence[tuple[Row, Day]]", posts: float) -> None:
    from simulations.model.costs import CONSTANTS

    context.out.heading(tell("What one post costs"))
    context.out.table(
        (tell("nodes"), tell("group"), tell("copies"), "p50", "p99", tell("sent by a node"), tell("by one in 100")),
        [
            (
                f"{row.nodes:,}",
                f"{row.group:,}",
                f"{row.copies:.2f}",
                f"{row.p50_ms} ms",
                f"{row.p99_ms} ms",
                format_size(round(row.up_bytes)),
                format_size(round(row.up_bytes_p99)),
            )
            for row, _ in rows
        ],
    )
    context.out.heading(tell("What one member pays in a day, at {posts} posts of each member", posts=f"{posts:g}"))
    context.out.table(
        (tell("nodes"), tell("group"), tell("posts"), tell("for posts"), tell("for idle links"), tell("memory"), "CPU"),
        [
            (
                f"{row.nodes:,}",
                f"{row.group:,}",
                f"{each.posts:,.0f}",
                format_size(round(each.bytes)),
                format_size(round(each.idle_bytes)),
                format_size(round(each.memory_mib * 2**20)),
                f"{each.cpu_s:.2f} s",
            )
            for row, each in rows
        ],
    )
    context.out.heading(tell("Where the constants come from"))
    lines = [f"  {name}: {one.value:g} {one.unit} ({one.source})" for name, one in CONSTANTS.items()]
    if not context.out.json:
        context.out.result({}, lines)


# ---------------------------------------------------------------- which to choose


def _choose(context: Context, seed: int) -> int:
    from simulations.model.choices import best, choices

    tried: list[Choice] = []
    for one in choices(seed):
        context.out.say(tell("{name}, {bytes} B …", name=one.name, bytes=one.frame_bytes))
        tried.append(one)
    lengths = sorted({one.frame_bytes for one in tried})
    chosen = {length: best(tried, length) for length in lengths}
    context.out.result(
        {"choices": [{**asdict(one), "chosen": chosen[one.frame_bytes] is one} for one in tried]},
        [tell("Frames of {bytes} B: choose “{name}”.", bytes=length, name=one.name) for length, one in chosen.items()],
    )
    context.out.table(
        (tell("choice"), tell("frame"), tell("copies"), tell("bytes"), "p99", tell("in trouble"), tell("p99 there")),
        [
            (
                one.name,
                format_size(one.frame_bytes),
                f"{one.copies:.2f}",
                f"{one.bytes:,.0f}",
                f"{one.p99_ms} ms",
                f"{one.bytes_in_trouble:,.0f}",
                f"{one.p99_in_trouble_ms} ms",
            )
            for one in tried
        ],
    )
    return Exit.OK


# ---------------------------------------------------------------- how true it is


def _check(context: Context) -> int:
    from simulations.model.check import check

    found: list[Compared] = []
    for one in check():
        if not found or found[-1].scene != one.scene:
            context.out.say(tell("{name} …", name=one.scene))
        found.append(one)
    missed = [one for one in found if not one.met]
    context.out.result({"check": [{**asdict(one), "met": one.met} for one in found], "passed": not missed})
    context.out.table(
        (tell("scene"), tell("figure"), tell("real code"), tell("model"), tell("deviation"), tell("bound")),
        [
            (one.scene, one.figure, f"{one.crowd:.4g}", f"{one.model:.4g}", f"{one.off:+.2%}", _bound(one))
            for one in found
        ],
    )
    if not context.out.json:
        context.out.result({}, _verdict(missed))
    return Exit.FAILED if missed else Exit.OK


def _bound(one: "Compared") -> str:
    if one.most is None:
        return tell("no bound")
    bound = f"{one.most:.1%}"
    return tell("{bound}: met", bound=bound) if one.met else tell("{bound}: MISSED", bound=bound)


def _verdict(missed: "Sequence[Compared]") -> Iterator[str]:
    if missed:
        yield tell_many("{count} bound is not met.", "{count} bounds are not met.", count=len(missed))
    else:
        yield tell("Every bound is met.")
