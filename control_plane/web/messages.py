"""What pydantic found wrong, said to a client: the field's name and a sentence in either language."""

from pydantic import ValidationError

from control_plane.errors import InvalidParameter

# pydantic's error types that clients meet; the rest fall back to pydantic's own sentence.
_ZH = {
    "missing": "必填",
    "extra_forbidden": "未知字段",
    "string_type": "必须是字符串",
    "int_type": "必须是整数",
    "int_parsing": "必须是整数",
    "int_parsing_size": "数值过大",
    "int_from_float": "必须是整数",
    "float_type": "必须是数字",
    "float_parsing": "必须是数字",
    "finite_number": "必须是有限的数字",
    "bool_type": "必须是布尔值",
    "bool_parsing": "必须是布尔值",
    "list_type": "必须是数组",
    "dict_type": "必须是对象",
    "model_type": "必须是对象",
    "json_invalid": "不是合法的 JSON",
    "literal_error": "可选值为 {expected}",
    "enum": "可选值为 {expected}",
    "string_too_short": "至少 {min_length} 个字符",
    "string_too_long": "最多 {max_length} 个字符",
    "too_short": "至少 {min_length} 项",
    "too_long": "最多 {max_length} 项",
    "greater_than": "必须大于 {gt}",
    "greater_than_equal": "不能小于 {ge}",
    "less_than": "必须小于 {lt}",
    "less_than_equal": "不能大于 {le}",
    "string_pattern_mismatch": "格式不符",
}

_NAME_LENGTH = 100


def explain(error: ValidationError) -> InvalidParameter:
    """The first thing wrong, by name."""
    first = error.errors(include_url=False, include_input=False)[0]
    # An unknown field's name is the client's, and may be long.
    field = ".".join(str(part)[:_NAME_LENGTH] for part in first["loc"]) or "body"
    template = _ZH.get(first["type"])
    english = first["msg"]
    return InvalidParameter(template.format(**first.get("ctx", {})) if template else english, english, field=field)
