"""Examples for the API's documentation: made from a schema, with telling values for fields whose name says more."""

from typing import Any

_BY_NAME: dict[str, Any] = {
    "username": "lin",
    "password": "correct horse",
    "email": "lin@example.org",
    "content": "夕阳下，小女孩林晓雨在海边遇见了老渔夫。“爷爷，你在等什么？”林晓雨问。",
    "text_content": "很久很久以前，在一片没有名字的大海边。",
    "user_prompt": "换成蓝色外套，戴帽子",
    "aspect_ratio": "16:9",
    "video_aspect_ratio": "16:9",
    "ratio": "16:9",
    "file_name": "sea.png",
    "file_type": "image/png",
    "file_size": 12345,
    "width": 1280,
    "height": 720,
    "fps": 24,
    "language": "zh",
    "character_name": "林晓雨",
    "project_id": "prj_01jdq0v7zj8c5m2k9w4x6y3n1t",
    "model_id": "draft-motion",
    "style_id": "style_cinematic",
    "voice_id": "voice_zh-female-1",
    "page": 1,
    "page_size": 20,
    "total": 1,
}


def example_of(schema: dict[str, Any], definitions: dict[str, Any], name: str = "") -> Any:
    """A value that the schema accepts; ``definitions`` are what its references name. Optional fields of an object are
    left out unless a telling value is known."""
    if "$ref" in schema:
        return example_of(definitions[schema["$ref"].rpartition("/")[2]], definitions, name)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return example_of(schema["anyOf"][0], definitions, name)
    kind = schema.get("type")
    if kind == "object":
        required = schema.get("required", [])
        return {
            key: example_of(part, definitions, key)
            for key, part in schema.get("properties", {}).items()
            if key in required
        }
    if kind == "array":
        return [example_of(schema.get("items", {}), definitions, name)]
    return _scalar(schema, kind, name)


def _scalar(schema: dict[str, Any], kind: str | None, name: str) -> Any:
    known = _BY_NAME.get(name)
    if kind == "string":
        if isinstance(known, str):
            return known
        if schema.get("format") == "date-time":
            return "2026-01-31T08:00:00.000Z"
        if schema.get("format") == "uri" or name.endswith("_url"):
            return "https://film.example.org/files/art_01jdq0v7zj8c5m2k9w4x6y3n1t"
        if schema.get("pattern", "").startswith("^#"):
            return "#ffffff"
        return f"{name.removesuffix('_id')}_01jdq0v7zj8c5m2k9w4x6y3n1t" if name.endswith("id") else name or "text"
    if kind in {"integer", "number"}:
        low = schema.get("minimum", schema.get("exclusiveMinimum", 0))
        return known if isinstance(known, int) else max(low, min(1, schema.get("maximum", 1)))
    return {"boolean": True, "null": None}.get(kind or "", "text")
