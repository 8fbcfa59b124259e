"""The root seed as 24 words that a person can write down, and back again.

BIP-39, English list: 32 bytes are 256 bits, a checksum of 8 bits follows (the first byte of their SHA-256),
and each 11 bits name one of 2,048 words. The list is made for handwriting: the first four letters of a word
are its own. We use the words for the bytes themselves; BIP-39's derivation of a seed from words and a
passphrase (PBKDF2) is left out, because the root is itself the seed, and a second passphrase is one more
thing to lose.

Source: BIP-39 (https://github.com/bitcoin/bips/blob/master/bip-0039.mediawiki); list and checksum by
`mnemonic`.
"""

from difflib import get_close_matches
from functools import lru_cache
from typing import Final

from mnemonic import Mnemonic

from mesh.errors import LocalError
from mesh.identity.keys import ROOT_BYTES
from mesh.ids import Entropy
from mesh.phrases import own, phrase, plural
from mesh.secret import Secret

WORDS: Final = 24  # BIP-39: 3 words for each 32 bits
WORD_BITS: Final = 11  # BIP-39: 2,048 words
_KEEP: Final = "Look at the paper that you wrote the words on, and type all 24 again, in their order."


class WordsWrong(LocalError):
    """These are not the 24 recovery words of an identity; look at the paper and type them again in order."""

    code = "E-WORDS"


def words_of(root: Secret) -> tuple[str, ...]:
    """Return the 24 words for a root seed of 32 B. Whoever reads them is this person."""
    assert len(root) == ROOT_BYTES
    return tuple(_list().to_mnemonic(root.reveal()).split(" "))


def root_of(text: str) -> Secret:
    """Return the 32 B root seed of 24 words, in any case and with any white space between them.

    WordsWrong names the first thing that is wrong: the words that are not in the list, with their places
    and with words like them as `candidates`; or how many words there are; or that the checksum does not
    fit, so that a word is another of the list, or two have changed places. One wrong word of the list
    passes the checksum once in 256.
    """
    words = text.lower().split()
    known = set(word_list())
    strangers = [(place, word) for place, word in enumerate(words, 1) if word not in known]
    if strangers:
        raise _unknown(strangers)
    if len(words) != WORDS:
        one, many = "This is {count} word; there must be {most}.", "These are {count} words; there must be {most}."
        raise WordsWrong(plural(one, many, count=len(words), most=WORDS), do=_KEEP)
    try:
        return Secret(bytes(_list().to_entropy(words)))
    except ValueError:
        raise WordsWrong(
            "The words are all in the list, but their checksum does not fit.",
            why="One of them is not the one you wrote down, or two have changed places.",
            do=_KEEP,
        ) from None


def word_list() -> tuple[str, ...]:
    """Return the 2,048 English words of BIP-39 in their order, which is that of the alphabet."""
    return _words()


def fresh_alias(entropy: Entropy) -> str:
    """Draw an alias that says nothing of anybody: two words of the list."""
    return "-".join(word_list()[int.from_bytes(entropy.draw(2), "big") % (1 << WORD_BITS)] for _ in range(2))


def _unknown(strangers: list[tuple[int, str]]) -> WordsWrong:
    """Name each unknown word with its place, and offer what it may have been."""
    named = ", ".join(f"“{word}” (word {place})" for place, word in strangers[:WORDS])
    close = [match for _, word in strangers[:WORDS] for match in _alike(word)]
    offer = phrase("Did you mean {words}? {keep}", words=", ".join(close), keep=own(_KEEP))
    return WordsWrong(
        phrase("Not among the recovery words: {named}.", named=named),
        why="Recovery words come from a fixed list of 2,048 English words.",
        do=offer if len(strangers) == 1 and close else _KEEP,
        candidates=tuple(dict.fromkeys(close)),
    )


def _alike(word: str) -> list[str]:
    """Give at most three words of the list that look like `word`, most alike first."""
    return get_close_matches(word, word_list(), n=3, cutoff=0.7)


# The list lies in a file of the `mnemonic` package; it is read once, when first needed.
@lru_cache(maxsize=1)
def _list() -> Mnemonic:
    return Mnemonic("english")


@lru_cache(maxsize=1)
def _words() -> tuple[str, ...]:
    words = tuple(_list().wordlist)
    assert len(words) == 1 << WORD_BITS
    return words
