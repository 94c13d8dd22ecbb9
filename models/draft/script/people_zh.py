"""Names and roles in Chinese narration."""

import re
from collections import Counter
from collections.abc import Collection

from models.draft.lexicon import shared
from models.draft.script import chinese, looks, names_zh, people
from models.draft.script.people import Age, Gender, Person

SAY = (
    "说道|说着|说|问道|问|答道|回答道|回答|答|喊道|喊|叫道|笑道|叹道|嚷道|吼道|喃喃道|低语道|应道|道|告诉|补充道|"
    "解释道|提醒道|吩咐道|自语道|念道|开口"
)
_SAY_WORDS = frozenset([*SAY.split("|"), "笑着说", "低声说", "轻声说", "大声说", "回应", "想", "笑", "点头", "摇头"])
_NAMED = frozenset(["叫", "名叫", "叫做", "叫作", "名为", "唤作"])
_SKIPPED_BEFORE_VERB = frozenset(["d", "uz", "ad", "z", "zg", "vi"])
_HAN_NAME = re.compile(r"[\u3400-\u9fff·]{2,5}")
_CLAUSE = 12
_OFTEN = 3
_ADVERB_ENDINGS = ("声", "地", "着")
_ROLE_ENDINGS = "长员匠师夫手民生工家者友"
_COMPANIONS = frozenset(["同学", "同事", "伙伴", "搭档", "徒弟", "师兄", "师弟", "师姐", "师妹", "表哥", "表姐"])
_ANIMALS = "狗猫牛马鸡鸭羊猪鸟鱼虎狼兔鼠蛇熊猴"
# The kinds of words, as jieba tags them, that follow whoever does something.
_BEFORE_A_PREDICATE = frozenset("vdpcartzufli")
_LEADING_VERB = re.compile(f"(?:{SAY})(?:着|了)?[：:]$")
_INTRODUCED = re.compile(
    r"(?:^|[，。！？；：、“”\s…—])[^，。]{0,3}$|[个位名只](?:[^，。]{0,6}的)?[老小]?$|[和跟与对向]$|的[老小]?$|[老小]$"
)


def discover(told: list[str], known: Collection[str] = ()) -> list[Person]:
    """Every named person and every role in the sentences, names first, the same person under one name. Those
    ``known`` are named persons even where nothing is told of them."""
    found = list(dict.fromkeys([*known, *_names(told)]))
    named: list[Person] = []
    for name in sorted(found, key=lambda name: -len(name)):
        person = Person(name, gender=_gender(name), age=_age(name), likely="male" if name[0] == "老" else None)
        longer = [other for other in named if other.name.endswith(name)]
        if len(longer) == 1 and name not in known:
            longer[0].absorb(person)  # 晓雨 is 林晓雨
        else:
            named.append(person)
    for person in named:
        _describe(person, told)
    by_role = _roles(told, found)
    rest = []
    for role in by_role:
        owner = _same_person(role, named, told)
        if owner:
            owner.absorb(role)
            if role.age in {"child", "elder"}:
                owner.age = role.age  # 女孩小满: the word says more than 小 does
        else:
            rest.append(role)
    return [*named, *_merge_endings(rest)]


def _names(told: list[str]) -> list[str]:
    names = people.data()["chinese_names"]
    counts: Counter[str] = Counter()
    certain: set[str] = set()
    tagged: set[str] = set()  # short words that jieba takes for a name, and by their form may be one
    for sentence in told:
        tokens = names_zh.whole(chinese.tagged(sentence))
        leads = _leads_to_speech(sentence)
        for index, (word, tag) in enumerate(tokens):
            if not _may_name(word):
                continue
            formed = names_zh.is_familiar(word) or names_zh.is_pet_name(word)
            titled = names_zh.is_titled(word)
            noun = tag.startswith("n")
            before = tokens[index - 1][0] if index else ""
            if before in _NAMED and (noun or formed or len(word) <= 3):
                certain.add(word)
            if (noun or formed) and _begins_clause(tokens, index) and _speaks(tokens, index):
                certain.add(word)
            if titled or (formed and _is_role(before)):
                certain.add(word)
            if leads and index == 0 and (formed or tag == chinese.PERSON_NAME):
                certain.add(word)
            if tag == chinese.PERSON_NAME and word[0] == "小":
                tagged.add(word)
            acts = (formed or tag == chinese.PERSON_NAME) and _acts(tokens, index)
            met = formed and index > 0 and tokens[index - 1][1][:1] in {"v", "u", "p", "c"}  # 看见阿珍, 和老周
            if acts or titled or met:
                counts[word] += 1
        for hit in people.roles().find(sentence):
            beside = sentence[hit.end : hit.end + 2]
            if names_zh.is_familiar(beside) and _may_name(beside):
                certain.add(beside)  # jieba reads 村长老郑 as 村, 长老, 郑
    accepted = []
    for word in dict.fromkeys([*counts, *sorted(certain)]):
        family = word[0] in names["surnames"] or word[0] in names["prefixes"] or "·" in word
        if word[0] in names["prefixes"] and word[-1] in _ANIMALS:
            family = False  # 小白兔 is somebody only where it speaks
        once = len(word) == 3 or word in tagged or names_zh.is_familiar(word) or names_zh.is_pet_name(word)
        shown = counts[word] > (0 if once else 1) and not names_zh.may_be_thing(word)
        if word in certain or ((family or names_zh.is_pet_name(word)) and shown):
            accepted.append(word)
    return accepted


def _leads_to_speech(sentence: str) -> bool:
    """老周摇摇头，笑着说：the first word is who speaks, unless the last clause names somebody."""
    before, _, last = sentence.rstrip().rpartition("，")
    if _LEADING_VERB.search(last) is None:
        return False
    return not before or not names_zh.whole(chinese.tagged(last))[0][1].startswith(("n", "r"))


def _is_role(word: str) -> bool:
    """女孩, 站长, 列车员: what stands before a name."""
    return bool(word) and (
        bool(people.roles().find(word)) or word in _COMPANIONS or (len(word) > 1 and word[-1] in _ROLE_ENDINGS)
    )


def _acts(tokens: names_zh.Tokens, index: int) -> bool:
    """Whether the word stands where a person who does something stands; jieba takes many a thing for a name."""
    following = tokens[index + 1][1] if index + 1 < len(tokens) else ""
    return _begins_clause(tokens, index) and following[:1] in _BEFORE_A_PREDICATE


def _may_name(word: str) -> bool:
    if not _HAN_NAME.fullmatch(word) or word in people.word_list("not_names_zh") or word.endswith(_ADVERB_ENDINGS):
        return False
    if word[0] == "阿" and word[1] in names_zh.NO_NAME_AFTER_A:
        return False
    if any(hit.end - hit.start == len(word) for hit in people.roles().find(word)):
        return False
    # A place or a time is no name, but 小雨 and 晨曦 may be, so the weather is left to the evidence.
    if any(hit.word == word for section in ("place", "time") for hit in shared(section).find(word)):
        return False
    return not looks.vocabulary("garment").find(word) and not looks.vocabulary("hair").find(word)


def _speaks(tokens: names_zh.Tokens, index: int) -> bool:
    """Whether a verb of saying follows, with nothing but adverbs between."""
    for word, tag in tokens[index + 1 : index + 4]:
        if word in _SAY_WORDS or (len(word) > 1 and word.endswith(("说", "道", "问", "喊"))):
            return True
        if tag not in _SKIPPED_BEFORE_VERB and not word.endswith(("着", "地", "声")):
            return False
    return False


def _begins_clause(tokens: names_zh.Tokens, index: int) -> bool:
    """Whether the word can be a subject: 灯塔 in 指着灯塔说 is what somebody points at."""
    if index == 0:
        return True
    word, tag = tokens[index - 1]
    return tag in {"x", "c", "nr"} or word == "的" or _is_role(word)


def _gender(name: str) -> Gender | None:
    names = people.data()["chinese_names"]
    if name[1:] in names["female_endings"]:
        return "female"
    if name[1:] in names["male_endings"]:
        return "male"
    if name[-1] in names["female_characters"]:
        return "female"
    return "male" if name[-1] in names["male_characters"] else None


def _age(name: str) -> Age | None:
    names = people.data()["chinese_names"]
    title = name[2:] if names_zh.is_titled(name) and names_zh.is_familiar(name[:2]) else name[1:]
    if title in names["elder_endings"] or name.startswith("老"):
        return "elder"
    if title in names["adult_endings"]:
        return "adult"
    return "young" if name.startswith("小") else None


def _describe(person: Person, told: list[str]) -> None:
    """An age word right before the name."""
    for sentence in told:
        position = sentence.find(person.name)
        if position < 0:
            continue
        hits = people.ages().find(sentence[max(0, position - _CLAUSE) : position])
        if hits and person.age is None:
            person.age = hits[-1].entry.id  # type: ignore[assignment]


def _roles(told: list[str], names: list[str]) -> list[Person]:
    found: dict[str, Person] = {}
    present: set[str] = set()
    for sentence in told:
        for hit in people.roles().find(sentence):
            start = hit.start
            if sentence[hit.end : hit.end + 1] == "们" or any(
                hit.word in name and sentence[max(0, hit.start - 3) : hit.end + 3].find(name) >= 0 for name in names
            ):
                continue
            prefix = sentence[start - 1 : start]
            word = hit.word
            if prefix in {"老", "小"} and sentence[start - 2 : start] not in {"大小", "古老", "很小", "最老"}:
                word = prefix + word
            age: Age = hit.entry.fields["age"]
            if word.startswith("老") and word not in {"老板", "老师", "老板娘"}:
                age = "elder"
            elif prefix == "小" and word.startswith("小"):
                age = "child"
            else:
                ahead = people.ages().find(sentence[max(0, start - 6) : start])
                age = ahead[-1].entry.id if ahead else age  # type: ignore[assignment]
            person = found.setdefault(word, Person(word, gender=hit.entry.fields["gender"], age=age, is_role=True))
            person.mentions += 1
            if _INTRODUCED.search(sentence[max(0, start - _CLAUSE) : start]):
                present.add(word)
    # A trade that is only spoken of, as in an essay, is nobody; somebody who acts or is introduced is.
    return [person for name, person in found.items() if name in present or person.mentions >= _OFTEN]


def _same_person(role: Person, named: list[Person], told: list[str]) -> Person | None:
    """小女孩林晓雨, 一个叫林晓雨的女孩, 林晓雨是个女孩: whom the role stands beside; 老师 is the only 陈老师."""
    titled = [person for person in named if names_zh.is_titled(person.name) and person.name.endswith(role.name)]
    if len(titled) == 1:
        return titled[0]
    for person in named:
        name, word = re.escape(person.name), re.escape(role.name)
        pattern = re.compile(
            f"{word}[，、]?(?:名叫|叫做|叫)?{name}|叫做?{name}的[^，。]{{0,8}}{word}|{name}是[^，。]{{0,6}}{word}"
        )
        if any(pattern.search(sentence) for sentence in told):
            return person
    return None


def _merge_endings(roles: list[Person]) -> list[Person]:
    """渔夫 after 老渔夫 is the same man: a role that only one longer role ends in."""
    kept: list[Person] = []
    for role in sorted(roles, key=lambda person: -len(person.name)):
        longer = [other for other in kept if other.name.endswith(role.name)]
        if len(longer) == 1:
            longer[0].absorb(role)
        else:
            kept.append(role)
    return kept
