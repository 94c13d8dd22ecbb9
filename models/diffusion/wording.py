"""The words of the prompts, in both languages."""

from typing import Final

from models.specs import Framing, Language, ShotType

Words = dict[Language, str]

PHRASES: Final[dict[Language, dict[str, str]]] = {
    "en": {
        "comma": ", ",
        "stop": ". ",
        "named": "{name}: {traits}",
        "place": "Place: {name}, {traits}",
        "style": "{} style",
        "colours": "colours: {}",
        "shows": "Image {number} shows {name}: keep the looks exactly",
        "guides": "Image {number} guides the look",
        "change": "Change image 1 as follows and keep its composition",
        "without": "Leave out: {}",
    },
    "zh": {
        "comma": "，",
        "stop": "。",
        "named": "{name}：{traits}",
        "place": "地点：{name}，{traits}",
        "style": "{}风格",
        "colours": "主要颜色：{}",
        "shows": "图{number}是{name}，外观必须保持一致",
        "guides": "画面风格参考图{number}",
        "change": "按以下要求修改图1，保持构图不变",
        "without": "画面中不要出现：{}",
    },
}

SHOTS: Final[dict[ShotType, Words]] = {
    ShotType.ESTABLISHING: {"en": "Extreme wide establishing shot, small figures", "zh": "大远景，人物很小"},
    ShotType.WIDE: {"en": "Wide shot, full figures in their surroundings", "zh": "全景，人物全身入画"},
    ShotType.MEDIUM: {"en": "Medium shot from the waist up", "zh": "中景，人物腰部以上"},
    ShotType.CLOSE_UP: {"en": "Close-up of the face and shoulders", "zh": "近景特写，头和肩"},
    ShotType.EXTREME_CLOSE_UP: {"en": "Extreme close-up filling the frame", "zh": "大特写，充满画面"},
    ShotType.OVER_SHOULDER: {"en": "Over-the-shoulder shot, one back in the foreground", "zh": "过肩镜头，前景是背影"},
}

FRAMINGS: Final[dict[Framing, Words]] = {
    Framing.FRONT_VIEW: {
        "en": "Character reference sheet: one full-body front view, standing upright, arms relaxed, "
        "neutral expression, plain light grey background, even studio light",
        "zh": "角色设定图：单人全身正面站立，双臂自然下垂，表情平静，浅灰色纯色背景，均匀棚光",
    },
    Framing.THREE_VIEW: {
        "en": "Character turnaround sheet: the same character three times side by side, front view, side view and back "
        "view, full body, same outfit, plain light grey background, even studio light",
        "zh": "角色三视图设定：同一角色并排三次，正面、侧面、背面，全身，服装一致，浅灰色纯色背景，均匀棚光",
    },
    Framing.DETAIL: {
        "en": "Character detail sheet: close-up portrait of the head and shoulders, hair, face and clothing in fine "
        "detail, plain light grey background, even studio light",
        "zh": "角色细节设定图：头肩特写，清晰呈现发型、五官与服装细节，浅灰色纯色背景，均匀棚光",
    },
    Framing.SCENE: {
        "en": "Environment concept art: the whole place in an establishing view, nobody in it",
        "zh": "场景概念图：空间全貌，画面中没有人物",
    },
    Framing.STYLE: {
        "en": "Style frame that sets medium, light and colours of the whole film",
        "zh": "风格定调图，确定全片的画法、光线与色彩",
    },
}

NEGATIVES: Final[dict[str, Words]] = {
    "any": {
        "en": "low quality, blurry, deformed, extra fingers, text, watermark",
        "zh": "低质量，模糊，畸形，多余的手指，文字，水印",
    },
    Framing.FRONT_VIEW: {"en": "several people, scenery, cropped feet", "zh": "多个人物，背景杂物，脚被裁切"},
    Framing.THREE_VIEW: {"en": "different clothes, scenery, cropped feet", "zh": "服装不一致，背景杂物，脚被裁切"},
    Framing.DETAIL: {"en": "several people, scenery", "zh": "多个人物，背景杂物"},
    Framing.SCENE: {"en": "people, figures, portrait", "zh": "人物，人像"},
}

AGES: Final[dict[str, dict[Language, dict[str, str]]]] = {
    "child": {
        "en": {"male": "a boy", "female": "a girl", "other": "a young one"},
        "zh": {"male": "男孩", "female": "女孩", "other": "幼小的"},
    },
    "young": {
        "en": {"male": "a young man", "female": "a young woman", "other": "young"},
        "zh": {"male": "青年男子", "female": "青年女子", "other": "年轻的"},
    },
    "adult": {"en": {"male": "a man", "female": "a woman"}, "zh": {"male": "成年男子", "female": "成年女子"}},
    "elder": {
        "en": {"male": "an old man", "female": "an old woman", "other": "old"},
        "zh": {"male": "老年男子", "female": "老年女子", "other": "年老的"},
    },
}

FACES: Final[dict[Language, tuple[str, ...]]] = {
    "en": (
        "oval face, straight brows",
        "round face, soft cheeks",
        "square jaw, strong brows",
        "heart-shaped face, pointed chin",
        "long face, high cheekbones",
        "broad face, wide-set eyes",
        "narrow face, deep-set eyes",
        "round face, upturned nose, freckles",
    ),
    "zh": (
        "鹅蛋脸，平直的眉毛",
        "圆脸，柔和的脸颊",
        "方下颌，浓眉",
        "心形脸，尖下巴",
        "长脸，高颧骨",
        "宽脸，眼距较宽",
        "窄脸，深眼窝",
        "圆脸，微翘的鼻子，雀斑",
    ),
}

PLACES: Final[dict[Language, tuple[str, ...]]] = {
    "en": ("well kept", "a little worn", "plain and uncluttered", "full of small details", "old, with character"),
    "zh": ("整洁有序", "略显陈旧", "简洁空旷", "细节丰富", "古旧而有韵味"),
}

SCENE_TYPES: Final[dict[str, Words]] = {
    "indoor": {"en": "interior", "zh": "室内"},
    "outdoor": {"en": "outdoors", "zh": "室外"},
    "abstract": {"en": "abstract, unreal space", "zh": "抽象的非现实空间"},
}

COLOURS: Final[dict[tuple[int, int, int], Words]] = {
    (15, 15, 18): {"en": "black", "zh": "黑色"},
    (70, 72, 76): {"en": "dark grey", "zh": "深灰"},
    (135, 138, 142): {"en": "grey", "zh": "灰色"},
    (200, 202, 205): {"en": "light grey", "zh": "浅灰"},
    (248, 248, 246): {"en": "white", "zh": "白色"},
    (245, 235, 210): {"en": "cream", "zh": "米色"},
    (200, 50, 45): {"en": "red", "zh": "红色"},
    (110, 25, 30): {"en": "dark red", "zh": "暗红"},
    (232, 130, 55): {"en": "orange", "zh": "橙色"},
    (240, 195, 75): {"en": "yellow", "zh": "黄色"},
    (215, 165, 65): {"en": "gold", "zh": "金色"},
    (122, 80, 55): {"en": "brown", "zh": "棕色"},
    (60, 38, 25): {"en": "dark brown", "zh": "深棕"},
    (205, 175, 135): {"en": "beige", "zh": "驼色"},
    (75, 155, 100): {"en": "green", "zh": "绿色"},
    (30, 70, 45): {"en": "dark green", "zh": "墨绿"},
    (165, 200, 160): {"en": "pale green", "zh": "浅绿"},
    (40, 157, 145): {"en": "teal", "zh": "青色"},
    (75, 200, 240): {"en": "sky blue", "zh": "天蓝"},
    (47, 110, 180): {"en": "blue", "zh": "蓝色"},
    (25, 38, 62): {"en": "navy", "zh": "藏青"},
    (115, 142, 165): {"en": "steel blue", "zh": "灰蓝"},
    (122, 80, 163): {"en": "purple", "zh": "紫色"},
    (58, 15, 110): {"en": "deep violet", "zh": "深紫"},
    (230, 145, 180): {"en": "pink", "zh": "粉色"},
    (245, 40, 130): {"en": "magenta", "zh": "洋红"},
    (230, 160, 140): {"en": "salmon", "zh": "肉粉"},
}
