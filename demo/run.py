"""`make demo`: four people, four node processes on loopback, one group, told step by step.

Every step says what is done and what was checked; a check that fails ends the demo with its reason. Everything goes
through the `mesh` command, as a person would do it.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from demo.people import (
    Person,
    StoryError,
    finish_init,
    is_running,
    record,
    records,
    text,
    wait_for,
)

GROUP: Final = "Tuesday grief"
AGREEMENT: Final = "What is said here stays here. We listen before we advise. Nobody has to speak.\n"


class Teller:
    """Says what happens, and how long it took."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._steps = 0
        self.checks = 0

    def step(self, what: str) -> None:
        """Begin a step."""
        self._steps += 1
        print(f"\n{self._steps:2}. {what}   [{time.monotonic() - self._began:.1f} s]", flush=True)

    def done(self, what: str) -> None:
        """Say something that was done."""
        print(f"      {what}", flush=True)

    def check(self, what: str, holds: bool, shown: object = "") -> None:
        """Check something and say so; StoryError if it does not hold."""
        if not holds:
            raise StoryError(f"not so: {what} {shown}")
        self.checks += 1
        print(f"    ✓ {what}", flush=True)

    @property
    def seconds(self) -> float:
        """How long the story has taken so far."""
        return time.monotonic() - self._began


def tell(folder: Path, teller: Teller, people: list[Person]) -> None:
    """Tell the whole story."""
    wren, juniper, sorrel, tansy = people
    begin(folder, teller, people)
    talk(teller, wren, juniper, sorrel)
    code = prepare(teller, wren, sorrel)
    go_and_return(teller, wren, juniper, sorrel)
    join_without_the_inviter(teller, code, juniper, sorrel, tansy)
    remove(teller, juniper, sorrel, tansy)
    come_back(teller, wren)


def begin(folder: Path, teller: Teller, people: list[Person]) -> None:
    """Identities, nodes, a group, and two who join."""
    wren, juniper, sorrel, _ = people
    teller.step("Four people each make an identity and start a node of their own.")
    for process in [person.begin_init() for person in people]:
        finish_init(process)
    for person in people:
        ready = person.up()
        teller.done(f"{person.name}: process {person.pid}, {ready['peer_id']}")
    teller.check("four nodes run", all(is_running(person.pid) for person in people))

    teller.step(f"wren founds “{GROUP}”, with an agreement.")
    agreement = folder / "agreement.txt"
    agreement.write_text(AGREEMENT, encoding="utf-8")
    wren.mesh("group", "create", GROUP, "--alias", "wren", "--agreement", str(agreement))
    words = wren.group(GROUP)["fingerprint_words"]
    teller.done(f"the group's words: {words}")

    teller.step("juniper and sorrel join, each by a code of their own.")
    for person in (juniper, sorrel):
        began = time.monotonic()
        joined = record(person.join(new_code(wren), "--alias", person.name), "join")
        teller.check(
            f"{person.name} is in, {time.monotonic() - began:.1f} s after giving the code",
            joined["state"] == "joined",
            joined,
        )
        teller.check("the agreement that was shown is wren's", record(joined, "agreement")["text"] == AGREEMENT.strip())
        teller.check("the group's words are the same", person.group(GROUP)["fingerprint_words"] == words)


def new_code(person: Person) -> str:
    """Have somebody make an invite code."""
    return text(person.mesh("invite", "new", GROUP), "code")


def talk(teller: Teller, *three: Person) -> None:
    """All say something, all read it, and each knows whom it reached."""
    teller.step("All three talk.")
    ids = {}
    for person in three:
        message = record(person.post(GROUP, f"{person.name} is here"), "message")
        ids[person.name] = text(message, "id")
        teller.done(f"{person.name} posts: {message['state']}")
    for person in three:
        person.sees(GROUP, *(f"{other.name} is here" for other in three))
    teller.check("each reads all three messages, once", True)
    for person in three:
        reached(person, ids[person.name], 2)
    teller.check("each message is “reached 2 of 2”: both others' nodes have said so, sealed", True)


def reached(person: Person, message: str, count: int) -> None:
    """Wait until a message has reached so many, of as many."""

    def all_of_them() -> bool:
        shown = record(person.mesh("message", "show", message), "message")
        return (shown["state"], shown["reached"], shown["of"]) == ("reached", count, count)

    wait_for(all_of_them, f"{person.name}'s message to reach {count} of {count}", 20)


def prepare(teller: Teller, wren: Person, sorrel: Person) -> str:
    """A moderator, and a code that works while wren is away."""
    teller.step("wren makes sorrel a moderator, and a code for tansy; sorrel lets invites carry her address.")
    wren.mesh("group", "rank", GROUP, "sorrel", "moderator")
    wait_for(lambda: sorrel.group(GROUP)["rank"] == "moderator", "sorrel to learn her rank", 15)
    teller.check("sorrel's own node says that she is a moderator", True)
    sorrel.mesh("group", "set", GROUP, "invite-address", "on")

    def carries_both() -> bool:
        made = wren.mesh("invite", "new", GROUP)
        codes.append(text(made, "code"))
        return record(made, "invite")["addresses"] == 2

    codes: list[str] = []
    wait_for(carries_both, "wren to know sorrel's address and consent", 15)
    teller.check("the code holds wren's and sorrel's addresses, and nobody else's", True)
    return codes[-1]


def go_and_return(teller: Teller, wren: Person, juniper: Person, sorrel: Person) -> None:
    """Juniper is away, then wren; juniper catches up from sorrel."""
    teller.step("juniper's node stops. The others go on.")
    juniper.down()
    first = record(wren.post(GROUP, "juniper, we keep your seat"), "message")
    sorrel.sees(GROUP, "juniper, we keep your seat")
    reached_one = wren.mesh("message", "show", text(first, "id"))
    teller.done(f"wren's message: {record(reached_one, 'message')['state']}, of {first['of']}")

    teller.step("wren's node stops too. sorrel, alone, posts once more.")
    wren.down()
    waiting = record(sorrel.post(GROUP, "I am still here", exit=(4,)), "message")
    teller.check("the command says so: queued, nobody reachable, exit status 4", waiting["state"] == "queued", waiting)

    teller.step("juniper's node starts again, and wren is away.")
    juniper.up()
    juniper.sees(GROUP, "juniper, we keep your seat", "I am still here")
    teller.check("juniper has caught up from sorrel, each message once", True)
    shown = records(juniper.mesh("read", GROUP), "messages")
    authors = [text(record(message, "author"), "alias") for message in shown[-2:]]
    teller.check("under their authors' names, in order", authors == ["wren", "sorrel"], authors)


def join_without_the_inviter(teller: Teller, code: str, juniper: Person, sorrel: Person, tansy: Person) -> None:
    """A code by one who is away."""
    teller.step("tansy joins with the code that wren made. wren is off.")
    joined = record(tansy.join(code, "--alias", "tansy"), "join")
    teller.check("tansy is in", joined["state"] == "joined", joined)
    members = {text(m, "alias"): m for m in records(tansy.mesh("group", "members", GROUP), "members")}
    inviter = record(members["tansy"], "invited_by")
    teller.check("invited by wren, let in by a member who was there", inviter["alias"] == "wren", inviter)
    # It goes out once a second member has confirmed who is in: juniper, if sorrel let tansy in, or sorrel.
    tansy.post(GROUP, "thank you for the open door", "--wait", "15s")
    for person in (juniper, sorrel):
        person.sees(GROUP, "thank you for the open door")
    teller.check("sorrel and juniper read tansy's first message", True)
    early = tansy.texts(GROUP)
    teller.check("tansy sees nothing of what was said before", early == ["thank you for the open door"], early)


def remove(teller: Teller, juniper: Person, sorrel: Person, tansy: Person) -> None:
    """Removal really removes."""
    teller.step("sorrel, moderator, removes tansy. tansy's node runs on, with all keys that it had.")
    removed = sorrel.mesh("group", "remove", GROUP, "tansy", "--reason", "as agreed", "--yes")
    teller.done(f"seen by {removed['seen_by']} of {removed['members']} others so far")
    wait_for(lambda: tansy.is_out(GROUP), "tansy's node to see a key that it was not given", 15)
    teller.check("tansy's node says that there is a new key, and none for it", True)
    sorrel.post(GROUP, "this is only for those who are in")
    juniper.sees(GROUP, "this is only for those who are in")
    teller.check("juniper reads what follows", True)
    teller.check("tansy's node still runs and is still linked", len(records(tansy.mesh("status"), "links")) > 0)
    teller.check(
        "tansy's node has another epoch than the group",
        tansy.group(GROUP)["epoch"] != sorrel.group(GROUP)["epoch"],
    )
    shown = tansy.texts(GROUP)
    teller.check("tansy cannot read what follows", shown == ["thank you for the open door"], shown)


def come_back(teller: Teller, wren: Person) -> None:
    """Wren comes back to all of it."""
    teller.step("wren's node starts again.")
    wren.up()
    wren.sees(GROUP, "I am still here", "thank you for the open door", "this is only for those who are in")
    teller.check("wren has everything that was said meanwhile", True)
    aliases = sorted(text(m, "alias") for m in records(wren.mesh("group", "members", GROUP), "members"))
    teller.check("and knows who is in", aliases == ["juniper", "sorrel", "wren"], aliases)


# ---------------------------------------------------------------- around the story


@contextmanager
def people_in(folder: Path) -> Iterator[list[Person]]:
    """Four people whose nodes are stopped at the end, however it ends."""
    people = [Person(name, folder) for name in ("wren", "juniper", "sorrel", "tansy")]
    try:
        yield people
    finally:
        for person in people:
            person.kill()


def main() -> int:
    """Tell the story; 0 if every check held."""
    parser = argparse.ArgumentParser(description="The main job, with four real nodes on this machine.")
    parser.add_argument("--keep", action="store_true", help="leave the homes, and print commands to explore them")
    keep = parser.parse_args().keep
    folder = Path(tempfile.mkdtemp(prefix="mesh-demo-"))
    teller = Teller()
    print(f"Homes are in {folder}. Nothing leaves this machine.")
    try:
        with people_in(folder) as people:
            tell(folder, teller, people)
            teller.step("Everybody stops.")
            for person in people:
                person.down()
            teller.check("no node is left running", not any(is_running(p.pid) for p in people))
    except StoryError as error:
        print(f"\nThe demo failed: {error}", file=sys.stderr)
        return 1
    finally:
        if not keep:
            shutil.rmtree(folder)
    print(f"\nAll {teller.checks} checks held, in {teller.seconds:.0f} s.")
    if keep:
        explore(people)
    return 0


def explore(people: list[Person]) -> None:
    """Print how to look around in what the story left."""
    print("\nThe homes are left as they are. For example:")
    for person in people[:2]:
        given = f"MESH_HOME={person.home} MESH_PASSPHRASE_FILE={person.passphrase_file}"
        print(f'  {given} .venv/bin/mesh read "{GROUP}"')
    print(f"When you have seen enough: rm -r {people[0].folder}")


if __name__ == "__main__":
    sys.exit(main())
