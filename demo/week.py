"""A week of a support group, on real nodes: what people type and what they see, as a page (`docs/a-week.md`).

`python -m demo.week FILE` writes the page anew. Each day is a few minutes here; nothing else is staged.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from demo.people import Object, Person, StoryError, finish_init, record, records, text, wait_for
from demo.scribe import Scribe

GROUP: Final = "Tuesday grief"
NAMES: Final = ("wren", "juniper", "alder", "sorrel", "tansy", "pi")  # pi: a small computer in wren's kitchen
HEAD: Final = """# A week

A week of a support group, as five people type it and see it, each with a node of their own. A test runs it on real
nodes and compares what is printed with this page. What differs from run to run is written as something that stands for
it: ids, codes, times, the words of keys, and which of the others' nodes was the first to say that it has a message.
Each day is a few seconds here. `name$` stands for whose terminal it is.
"""
AGREEMENT: Final = "What is said here stays here. We listen before we advise. Nobody has to speak.\n"
HARD: Final = "It would have been her third birthday today. I set the table for her."
HURT: Final = "Other people have real problems, alder."
WAIT_S: Final = 60.0


class Week:
    """The people, the page, and where their messages are found."""

    def __init__(self, scribe: Scribe, people: list[Person], folder: Path) -> None:
        self.scribe, self.folder = scribe, folder
        self.wren, self.juniper, self.alder, self.sorrel, self.tansy, self.pi = people

    @property
    def members(self) -> list[Person]:
        """The five who talk."""
        return [self.wren, self.juniper, self.alder, self.sorrel, self.tansy]

    def id_of(self, person: Person, said: str) -> str:
        """Return the short id of a message, once it has come to somebody. Warned ones are found opened."""
        found: list[str] = []

        def there() -> bool:
            told = records(person.mesh("read", GROUP, "--limit", "50"), "messages")
            for message in told:
                opened = message
                if message["text"] is None:
                    shown = person.mesh("read", GROUP, "--open", text(message, "id"))
                    opened = records(shown, "messages")[-1]
                if opened["text"] == said:
                    found.append(text(message, "id"))
            return bool(found)

        wait_for(there, f"{person.name} to have “{said}”", WAIT_S)
        return found[0][:8]

    def until(self, person: Person, holds: Callable[[], bool], what: str) -> None:
        """Wait until something has come to somebody."""
        wait_for(holds, f"{person.name}: {what}", WAIT_S)


def tell_week(week: Week) -> None:
    """Tell all seven days."""
    monday(week)
    tuesday(week)
    wednesday(week)
    thursday(week)
    friday(week)
    saturday(week)
    sunday(week)


def must(what: str, holds: bool) -> None:
    """StoryError if something is not so."""
    if not holds:
        raise StoryError(f"not so: {what}")


def monday(week: Week) -> None:
    """Founding, a keeper, the first invites."""
    page, wren = week.scribe, week.wren
    page.heading("Monday: wren founds a group")
    page.tell("""Wren lost her brother last winter, and would like to meet others on Tuesdays. She writes an agreement
        of three sentences, and founds the group.""")
    agreement = week.folder / "agreement.txt"
    agreement.write_text(AGREEMENT, encoding="utf-8")
    page.stands_for(str(agreement), "agreement.txt")
    for person in [*week.members, week.pi]:
        person.up()
    page.types(
        wren, "group", "create", GROUP, "--about", "For those who lost somebody",
        "--agreement", str(agreement), "--alias", "wren",
    )  # fmt: skip
    drawn = wren.group(GROUP)["fingerprint_words"]
    page.stands_for(" ".join(map(str, drawn if isinstance(drawn, list) else [])), "six words that each run draws anew")
    page.tell("""A small computer in her kitchen is always on. It becomes the group's keeper: it holds sealed frames
        for those who are away, and can read none of them.""")
    page.types(week.pi, "keeper", "on")
    ticket = text(week.pi.mesh("keeper", "ticket", "--note", "kitchen"), "ticket")
    page.stands_for(ticket, "meshkeeper1…")
    wren.mesh("keeper", "add", GROUP, ticket)
    wait_for(lambda: _keeper_is_there(wren), "the keeper to be reachable", WAIT_S)
    page.types(wren, "keeper", "list", GROUP)
    page.tell("She makes a code for juniper, whom she has known for years.")
    code = text(wren.mesh("invite", "new", GROUP), "code")
    page.types(week.juniper, "join", "-", "--agree", "--alias", "juniper", given=code + "\n")
    page.tell("""A code for three goes to people whom she met once. With more than one use, somebody has to say yes to
        each who knocks; she looks who it is, and does.""")
    code = text(wren.mesh("invite", "new", GROUP, "--uses", "3"), "code")
    for person in (week.alder, week.sorrel, week.tansy):
        person.mesh("join", "-", "--agree", "--alias", person.name, "--wait", "1s", given=code + "\n", exit=(0, 4))
    wait_for(lambda: len(_knocks(wren)) == 3, "three to knock", WAIT_S)
    page.types(wren, "knocks", "admit", GROUP, _knocks(wren)["alder"])
    for person in (week.sorrel, week.tansy):
        wren.mesh("knocks", "admit", GROUP, _knocks(wren)[person.name])
    for person in week.members:  # or who comes in during what follows would have it from before their time
        week.until(person, partial(_is_in, person), "everybody to be in")
    page.tell("Wren asks juniper to look after the group with her, and sets when they meet.")
    page.types(wren, "group", "rank", GROUP, "juniper", "steward")
    for person in week.members:
        week.until(person, partial(_all_know, person), "everybody to be known")
    page.types(wren, "meeting", "set", GROUP, "--day", "tue", "--time", "19:00", "--zone", "Europe/London")


def _knocks(person: Person) -> dict[str, str]:
    return {text(k, "alias"): text(k, "id")[:8] for k in records(person.mesh("knocks", "list"), "knocks")}


def _keeper_is_there(person: Person) -> bool:
    return all(bool(keeper["reachable"]) for keeper in records(person.mesh("keeper", "list", GROUP), "keepers"))


def _is_in(person: Person) -> bool:
    """Say whether somebody's own node is in the group."""
    groups = records(person.mesh("group", "list"), "groups")
    return any(text(group, "name") == GROUP and text(group, "state") == "member" for group in groups)


def _all_know(person: Person) -> bool:
    ranks = {m["alias"]: m["rank"] for m in records(person.mesh("group", "members", GROUP), "members")}
    others = ("alder", "sorrel", "tansy")
    return ranks.get("juniper") == "steward" and all(ranks.get(name) == "member" for name in others)


def tuesday(week: Week) -> None:
    """A hard post with a warning, and a piece of advice that nobody asked for."""
    page, alder, tansy = week.scribe, week.alder, week.tansy
    page.heading("Tuesday: a hard day for alder")
    page.tell("Alder's words are hard to meet unprepared, so he puts a warning before them. He wishes to be heard.")
    page.types(alder, "post", GROUP, "-", "--cw", "loss of a child", "--mode", "listening", given=HARD)
    post = week.id_of(tansy, HARD)
    page.tell("Nobody is met by it. Who feels up to it opens it.")
    page.types(tansy, "read", GROUP)
    page.types(tansy, "read", GROUP, "--open", post)
    page.tell("Tansy means well, and has advice. Alder did not ask for any: nothing leaves her machine yet.")
    advice = "You should keep yourself busy."
    page.types(tansy, "post", GROUP, "-", "--mode", "advice", "--reply-to", post, given=advice, exit=5)
    page.tell("She thinks again.")
    page.types(tansy, "post", GROUP, "-", "--reply-to", post, given="I am here. Tell us about her, if you like.")
    week.id_of(alder, "I am here. Tell us about her, if you like.")


def wednesday(week: Week) -> None:
    """A circle of five; one of them is away at their turn."""
    page, wren, sorrel = week.scribe, week.wren, week.sorrel
    page.heading("Wednesday: a circle")
    page.tell("Five people, one question, one speaks at a time. Wren opens the circle, and the others join.")
    page.types(wren, "circle", "open", GROUP, "What carried you this week?", "--turn", "5m")
    for person in (week.juniper, week.alder, sorrel, week.tansy):
        week.until(person, partial(_is_open, person), "the circle")
        person.mesh("circle", "join", GROUP)
        week.until(wren, partial(_sits, wren, person.name), f"{person.name} in it")
    page.tell("Sorrel's train goes into a tunnel: her node is off.")
    sorrel.down()
    page.types(wren, "circle", "next", GROUP)
    page.tell("Alder would like to listen only. He passes before it is his turn; nobody asks why.")
    week.until(week.alder, lambda: _state(week.alder) == "running", "its beginning")
    page.types(week.alder, "circle", "pass", GROUP)
    week.until(wren, lambda: "alder" in _named(wren, "passed"), "that alder passes")
    page.types(wren, "circle", "say", GROUP, "-", given="A walk by the river, each morning.")
    week.until(week.juniper, lambda: _speaking(week.juniper) == "juniper", "her turn")
    week.until(week.juniper, lambda: "alder" in _named(week.juniper, "passed"), "that alder passes")
    page.types(week.juniper, "circle", "say", GROUP, "-", given="My sister's voice on the telephone.")
    page.tell("It is sorrel's turn, and she is away. Wren moves the circle on; sorrel keeps a slot at the end.")
    week.until(wren, lambda: _speaking(wren) == "sorrel", "sorrel's turn")
    page.types(wren, "circle", "next", GROUP)
    week.until(week.tansy, lambda: _speaking(week.tansy) == "tansy", "her turn")
    page.types(week.tansy, "circle", "say", GROUP, "-", given="Sleep. Six hours, for the first time.")
    page.tell("Sorrel is back.")
    sorrel.up()
    week.until(sorrel, lambda: _speaking(sorrel) == "sorrel", "her turn")
    page.types(sorrel, "circle", "say", GROUP, "-", given="A child on the train who waved at everybody.")
    week.until(wren, lambda: _state(wren) == "closing", "all to have spoken")
    page.types(wren, "circle", "close", GROUP, "Thank you, each of you.")


def _circle(person: Person) -> Object:
    return dict(record(person.mesh("circle", "show", GROUP), "circle"))


def _state(person: Person) -> object:
    return _circle(person).get("state")


def _is_open(person: Person) -> bool:
    return _state(person) == "open"


def _sits(person: Person, name: str) -> bool:
    return name in _named(person, "order")


def _named(person: Person, key: str) -> list[str]:
    return [text(member, "alias") for member in records(_circle(person), key)]


def _speaking(person: Person) -> object:
    speaking = _circle(person).get("speaking")
    return speaking.get("alias") if isinstance(speaking, dict) else speaking


def thursday(week: Week) -> None:
    """A report, and how it is dealt with."""
    page, alder, tansy, juniper = week.scribe, week.alder, week.tansy, week.juniper
    page.heading("Thursday: a word that hurts")
    page.tell("Tansy has had a bad night, and is short with alder.")
    tansy.post(GROUP, HURT)
    post = week.id_of(alder, HURT)
    page.tell("Alder tells the stewards, under seal. Tansy cannot see that he did.")
    page.types(alder, "report", post, "--note", "I do not want trouble. I would like it not to happen again.", "--yes")
    week.until(juniper, lambda: bool(_reports(juniper)), "the report")
    report = text(_reports(juniper)[0], "id")[:8]
    page.types(juniper, "reports", report)
    page.tell("Juniper takes the smallest step that helps: a day of quiet, with a reason for tansy alone.")
    page.types(
        juniper, "sanction", GROUP, "tansy", "quiet", "--for", "1d",
        "--reason", "You had a bad night. What you wrote hurt somebody. Take a day; we are here when you are back.",
    )  # fmt: skip
    page.types(juniper, "reports", report, "--answer", "Thank you for telling us. I spoke with her.")
    page.tell("Tansy sees why, and what she can do.")
    week.until(tansy, lambda: _is_quiet(tansy), "to hear of it")
    page.types(tansy, "log", GROUP)
    page.types(tansy, "post", GROUP, "-", given="But I only said", exit=5)
    page.types(tansy, "appeal", GROUP, "--note", "I am sorry. May I tell alder so?")
    page.tell("It goes to wren, for juniper had a part in it. Wren finds that it is enough.")
    wren = week.wren
    week.until(wren, lambda: any(found["kind"] == "appeal" for found in _reports(wren)), "the appeal")
    page.types(wren, "sanction", GROUP, "tansy", "lift")
    week.until(tansy, lambda: not _is_quiet(tansy), "that it is over")
    page.types(tansy, "post", GROUP, "-", given="I am sorry, alder. That was not about you.")
    week.id_of(alder, "I am sorry, alder. That was not about you.")


def _reports(person: Person) -> list[Object]:
    return records(person.mesh("reports"), "reports")


def _is_quiet(person: Person) -> bool:
    return bool(person.mesh("log", GROUP).get("quiet"))


def friday(week: Week) -> None:
    """A talk with a listener; a milestone."""
    page, alder, sorrel, tansy = week.scribe, week.alder, week.sorrel, week.tansy
    page.heading("Friday: somebody to listen, and ninety days")
    page.tell("Sorrel has an ear free this month.")
    page.types(sorrel, "listen", "offer", GROUP)
    week.until(alder, lambda: bool(records(alder.mesh("listen", "list"), "offers")), "an offer")
    page.tell("Alder asks for half an hour. Neither is shown who the other is.")
    page.types(alder, "listen", "ask", GROUP, "--minutes", "30")
    week.until(sorrel, lambda: "offered" in _talks(sorrel), "the question")
    talk = text(records(sorrel.mesh("listen", "list"), "talks")[0], "id")[:8]
    page.types(sorrel, "listen", "accept", talk)
    week.until(alder, lambda: "open" in _talks(alder), "the talk")
    room = text(_talk(alder), "name")
    for person in (alder, sorrel):
        page.stands_for(text(_talk(person), "alias"), f"words-drawn-for-{person.name}")
    page.stands_for(room, "the talk")
    page.types(alder, "post", room, "-", given="I still lay her place at the table.")
    wait_for(lambda: "I still lay her place at the table." in sorrel.texts(room), "sorrel to read it", WAIT_S)
    page.types(sorrel, "read", room)
    page.types(sorrel, "post", room, "-", given="What does it feel like, when you do?")
    wait_for(lambda: "What does it feel like, when you do?" in alder.texts(room), "alder to read it", WAIT_S)
    page.tell("When it is enough, either ends it. Nobody is told why, and what was said goes from both.")
    page.types(alder, "listen", "end")
    page.tell("Tansy has something to be glad of.")
    since = str((datetime.now(UTC) - timedelta(hours=hours_to_noon(), days=90)).date())
    page.stands_for(since, "2026-08-24")
    page.types(tansy, "milestone", "add", GROUP, "nights without a drink", "--since", since, "--invite")
    wren = week.wren
    week.until(wren, lambda: bool(records(wren.mesh("milestone", "list", GROUP), "milestones")), "the milestone")
    milestone = text(records(wren.mesh("milestone", "list", GROUP), "milestones")[0], "id")[:8]
    page.types(wren, "milestone", "congratulate", milestone, "Ninety and more. We see you.")


def _talks(person: Person) -> list[str]:
    return [text(talk, "state") for talk in records(person.mesh("listen", "list"), "talks")]


def _talk(person: Person) -> Object:
    return next(t for t in records(person.mesh("listen", "list"), "talks") if t["state"] == "open")


def saturday(week: Week) -> None:
    """A steward's break; an export, with consent."""
    page, wren, juniper, alder = week.scribe, week.wren, week.juniper, week.alder
    page.heading("Saturday: a break, and words that may leave")
    page.tell("Wren rests for a few days. All see it, and that juniper is there.")
    page.types(wren, "steward", "off-duty", GROUP)
    week.until(juniper, lambda: "wren" in str(juniper.mesh("stewards", GROUP)), "it")
    page.types(juniper, "stewards", GROUP)
    page.tell("""Juniper would like to keep what alder wrote on Tuesday. It is his: she asks, and he may say no by
        saying nothing. Until he says yes, no export of hers holds it.""")
    post = week.id_of(juniper, HARD)
    page.types(juniper, "share", "ask", post, "--for", "my own notebook")
    out = week.folder / "notebook.md"
    page.stands_for(str(out), "notebook.md")
    juniper.mesh("export", GROUP, "--format", "md", "--out", str(out))
    must("an export leaves out what its author did not grant", "third birthday" not in out.read_text(encoding="utf-8"))
    week.until(alder, lambda: bool(records(alder.mesh("share", "list"), "questions")), "the question")
    page.types(alder, "share", "list")
    page.types(alder, "share", "grant", post)
    week.until(juniper, lambda: "granted" in str(juniper.mesh("share", "list")["asked"]), "the yes")
    out.unlink()
    page.types(juniper, "export", GROUP, "--format", "md", "--out", str(out))
    kept = out.read_text(encoding="utf-8")
    granted_alone = "third birthday" in kept and "real problems" not in kept
    must("an export holds what its author granted, and no more", granted_alone)
    page.tell("The others' words stay where they are. This is what is in it:")
    page.shows(kept)


def sunday(week: Week) -> None:
    """Somebody leaves without a trace."""
    page, tansy, wren = week.scribe, week.tansy, week.wren
    page.heading("Sunday: tansy goes")
    page.tell("Tansy moves to another town, and would like to leave nothing behind. She need not explain it.")
    page.types(tansy, "group", "leave", GROUP, "--wipe", "--yes")
    week.until(wren, lambda: "tansy" not in str(wren.mesh("group", "members", GROUP)["members"]), "her to be gone")
    week.until(wren, lambda: HURT not in wren.texts(GROUP), "her words to be gone")
    page.types(wren, "read", GROUP)


def hours_to_noon() -> int:
    """Return how many hours a clock has to be put back to show noon or a little later."""
    return datetime.now(UTC).hour - 12


@contextmanager
def people_of_the_week(folder: Path) -> Iterator[list[Person]]:
    """Make the people, where it is about noon, so that no day ends meanwhile; end their nodes."""
    people = [Person(name, folder, env={"TZ": f"<noon>{hours_to_noon():+d}"}) for name in NAMES]
    try:
        for process in [person.begin_init() for person in people]:
            finish_init(process)
        yield people
    finally:
        for person in people:
            person.kill()


def written(folder: Path) -> str:
    """Live through the week; return the page."""
    scribe = Scribe()
    with people_of_the_week(folder) as people:
        try:
            tell_week(Week(scribe, people, folder))
        except BaseException:
            print(scribe.page[-4000:], file=sys.stderr)
            raise
    return f"{HEAD}\n{scribe.page}"


def main() -> int:
    """Write the page."""
    with tempfile.TemporaryDirectory(prefix="mesh-week-") as folder:
        page = written(Path(folder))
    Path(sys.argv[1]).write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
