"""The agreement that ships with the program, and what a steward may truly promise newcomers, in plain words.

Both are texts for people. What the program itself does is said in the second one, each line as the tests show it.
"""

from typing import Final

TEMPLATE: Final = """\
What we agree on

1. What is said here stays here. We do not repeat it, copy it or show it to others.
   There is one limit. If somebody is in danger, we may look for help, and we try to say so first.
2. A pledge binds people, not software. Nobody can stop a screenshot. So we share what we can bear to share.
3. We listen first. We give advice only to those who ask for it. We speak of ourselves.
4. Each of us takes part at our own pace. Nobody has to speak, and nobody has to say why they were away.
5. We put a warning on what may be hard to read.
6. This group is for people of 18 and over. (Change this line, or take it out.)
7. If we learn that a child, or an adult who cannot keep themself safe, may be at risk, we tell a steward.
   A steward may have a duty to pass that on. If so, they say it here: (name the duty, or write: none).
8. This is not an emergency service, and nobody has to be here at all hours.
   In a crisis we call for help first: `mesh crisis` shows who listens.
9. If something is wrong between us, we tell a steward. Stewards serve for a time, and then others do.
10. Any of us may leave at any time, without a reason.
"""

SHEET: Final = """\
What may I promise newcomers?

You may say:
- Only the devices of members can open what is posted. No company and no server in the middle can.
- You go by an alias here. In another group you have another, and other keys.
- You can read at your own pace. Nobody is told what you open.
- You can leave when you like, and you need not say why.
- What you post, you can take back. Programs that keep to the rules then forget it.
- The card of `mesh crisis` is there at all times, with no network too.

You may not say:
- "Nobody else will ever see it." Each member can copy, tell or photograph what they read.
- "It is gone." Others may have kept what was taken back, or what ran out.
- "We know who everybody is." The program knows keys. People can compare them with `mesh verify`.
- "Nobody can find out that you are here." Members' nodes see your network address, and when you are online.
  Whoever is in two groups with you may know you again by it.
- "Somebody is always there." A steward may be off duty: `mesh stewards GROUP` shows who is on.
- "It is reviewed and safe." Nobody from outside has reviewed how it is sealed.
- "We will come if you are in danger." This is no emergency service. No message is looked at for signs of one.

Say it in your own words, and before they join. A kept small promise is worth more than a large one.
"""
