"""What a story without a title is called."""

import pytest

from models.specs import ScriptStep
from tests.unit.script.flow import write


def _title(text: str, **fields: object) -> str:
    storyline = write(ScriptStep.STORYLINE, text, **fields).storyline
    assert storyline is not None
    return storyline.title


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Der alte Mann geht nach Hause. Der Hund wartet.", "Der alte Mann geht nach Hause"),
        ("Die Katze schläft am Fenster, während es draußen regnet.", "Die Katze schläft am Fenster"),
        ("La petite fille court sur la plage, et la mer brille.", "La petite fille court"),
        ("El niño corre por la playa mientras el sol se pone.", "El niño corre por la playa"),
        ("Старик сидел у моря. Шёл снег.", "Старик сидел у моря"),
        ("كان الرجل العجوز يجلس قرب البحر، وينظر إلى الغروب.", "كان الرجل العجوز يجلس قرب البحر"),
        ("한 소녀가 바닷가를 걷고 있었다. 해가 지고 있었다.", "한 소녀가 바닷가를 걷고 있었다"),
        ("少女は海辺を歩いていた。夕日が沈んでいく。", "少女は海辺を歩いていた"),
    ],
)
def test_a_story_in_another_language_is_called_as_it_begins(text: str, title: str) -> None:
    assert _title(text) == title


@pytest.mark.parametrize(
    ("text", "who", "where"),
    [
        ("A girl runs on the beach. She finds a shell and smiles.", "Girl", "Beach"),
        ("Tom walks into the forest. The trees are tall and he is afraid.", "Tom", "Forest"),
        ("女孩在海边奔跑。她捡到一枚贝壳。", "女孩", "海"),
        ("老周走进厨房，点上灯，锅里的汤开了。", "老周", "厨房"),
    ],
)
def test_a_story_in_our_languages_is_called_by_whom_and_where_it_is_about(text: str, who: str, where: str) -> None:
    title = _title(text)
    assert who in title
    assert where in title


def test_a_title_ends_before_what_a_short_word_would_lead_to() -> None:
    assert _title("La nonna prepara il pane e canta una canzone antica.") == "La nonna prepara il pane"


def test_an_author_s_title_stands_in_any_language() -> None:
    text = "# Der Leuchtturm\n\nDer alte Mann geht nach Hause. Der Hund wartet."
    assert _title(text) == "Der Leuchtturm"
