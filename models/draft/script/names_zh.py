"""The forms of Chinese names: 老周, 小满, 阿月, 莲儿, 王婶, 陈老师; and words cut so that such a name is one word.

jieba knows few of them: it takes 老周 for a time, parts 小 from 陈 and sticks 王婶 to the verb after it."""

from functools import lru_cache

from models.draft.script import chinese, people

Tokens = tuple[tuple[str, str], ...]

# What stands beside a name without being part of it, and is sometimes stuck to it.
TOWARDS = frozenset("和跟与对向给同找问等陪把被让请")
_PREFIXES = "老小阿"
# Kinship words and syllables of foreign names: 阿姨, 阿拉伯.
NO_NAME_AFTER_A = frozenset("姨妈爸公婆哥姐弟妹嫂伯叔爷嬷娘爹拉尔富里斯根基司凡波片胶")
_ER = "儿"
# What jieba may call the second syllable of a name; a thing after 小 is a noun: 小门.
_NAME_TAGS = frozenset(["nr", "ns", "nz", "ng", "a", "ag", "z", "tg", "vg"])


@lru_cache(maxsize=1)
def titles() -> frozenset[str]:
    names = people.data()["chinese_names"]
    return frozenset([*names["elder_endings"], *names["adult_endings"]])


@lru_cache(maxsize=1)
def _surnames() -> frozenset[str]:
    return frozenset(people.data()["chinese_names"]["surnames"])


@lru_cache(maxsize=1)
def _given() -> frozenset[str]:
    names = people.data()["chinese_names"]
    return frozenset(names["female_characters"] + names["male_characters"])


def is_titled(word: str) -> bool:
    """王婶, 陈老师, 老吴师傅, 老王头."""
    if word in people.word_list("not_names_zh"):
        return False
    if len(word) == 3 and word[0] == "老" and word[1] in _surnames() and word[2] == "头":
        return True
    bare = word[1:] if word[:1] in "老小" and word[1:2] in _surnames() else word
    return len(bare) <= 4 and bare[:1] in _surnames() and bare[1:] in titles()


def is_familiar(word: str) -> bool:
    """老周, 小陈, 小美, 阿月: what people call each other. Whether 小满 is one the evidence says."""
    if len(word) != 2 or word in people.word_list("not_names_zh"):
        return False
    first, second = word[0], word[1]
    if first == "阿":
        return second not in NO_NAME_AFTER_A
    return (first in "老小" and second in _surnames()) or (first == "小" and second in _given())


def is_pet_name(word: str) -> bool:
    """莲儿, 婉儿."""
    return len(word) == 2 and word.endswith(_ER) and word not in people.word_list("not_names_zh")


def may_be_thing(word: str) -> bool:
    """小雨, 老钟: names only where they speak or are introduced."""
    return word in people.word_list("things_zh")


def whole(tokens: Tokens) -> Tokens:
    """The words with every name of these forms as one word."""
    return _joined(_parted(tokens))


def _parted(tokens: Tokens) -> Tokens:
    parted: list[tuple[str, str]] = []
    for word, tag in tokens:
        if tag != chinese.PERSON_NAME or len(word) != 3 or is_titled(word):
            parted.append((word, tag))
        elif word[0] in TOWARDS and (is_familiar(word[1:]) or is_pet_name(word[1:])):
            parted += [(word[0], "p"), (word[1:], tag)]
        elif is_titled(word[:2]) or (word[0] in "老阿" and is_familiar(word[:2]) and word[2] in _VERBS):
            parted += [(word[:2], tag), (word[2], "v")]
        else:
            parted.append((word, tag))
    return tuple(parted)


_VERBS = frozenset("提拿举端走跑坐站说问喊笑哭看听叹抬低推拉放打开关骑背抱牵挥点摇指递想等倒喝吃唱写读画修做爬跳躺睡醒")


def _joined(tokens: Tokens) -> Tokens:
    joined: list[tuple[str, str]] = []
    for word, tag in tokens:
        before = joined[-1][0] if joined else ""
        together = before + word
        if len(word) == 2 and len(before) == 1 and is_titled(together[:2]) and word[1] in _VERBS | TOWARDS:
            joined[-1] = (together[:2], chinese.PERSON_NAME)
            joined.append((word[1], "v"))
        elif _is_name(before, word, tag):
            joined[-1] = (together, chinese.PERSON_NAME)
        else:
            joined.append((word, tag))
    return tuple(joined)


def _is_name(before: str, word: str, tag: str) -> bool:
    """Whether two words that jieba parted are one name."""
    together = before + word
    if is_titled(together):
        return len(before) == 1 or is_familiar(before) or word == "头"
    if not len(before) == len(word) == 1:
        return False
    named = before in _PREFIXES and tag in _NAME_TAGS and together not in people.word_list("not_names_zh")
    return named or is_familiar(together) or (word == _ER and is_pet_name(together))
