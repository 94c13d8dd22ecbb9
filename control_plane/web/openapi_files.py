"""The two routes outside the JSON envelope, files and uploads, as OpenAPI tells of them."""

from typing import Any

_SIGNATURE = [
    {
        "name": "exp",
        "in": "query",
        "required": True,
        "schema": {"type": "string"},
        "description": "Until when; Unix time.",
    },
    {"name": "sig", "in": "query", "required": True, "schema": {"type": "string"}, "description": "The signature."},
]
_BINARY = {"*/*": {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}}


def _id(name: str, prefix: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "schema": {"type": "string"},
        "example": f"{prefix}_01jdq0v7zj8c5m2k9w4x6y3n1t",
    }


def _failure(description: str, *codes: int) -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": ["code", "message", "data"],
        "properties": {"code": {"enum": list(codes)}, "message": {"type": "string"}, "data": {"type": "null"}},
    }
    return {"description": description, "content": {"application/json": {"schema": schema}}}


_ALWAYS = {
    "403": _failure("1003: the link is not valid or has expired", 1003),
    "500": _failure("1000: internal server error", 1000),
    "503": _failure("1000: not available at the moment, try again", 1000),
}

FILE_PATHS: dict[str, Any] = {
    "/files/{artifact_id}": {
        "get": {
            "operationId": "files.read",
            "tags": ["files"],
            "summary": "A file, by a URL that an answer gave.",
            "security": [],
            "parameters": [
                _id("artifact_id", "art"),
                *_SIGNATURE,
                {
                    "name": "download",
                    "in": "query",
                    "schema": {"type": "string"},
                    "description": "Present to be asked where to save it.",
                },
                {"name": "Range", "in": "header", "schema": {"type": "string"}, "example": "bytes=0-1023"},
            ],
            "responses": {
                "200": {"description": "The whole file, with its true media type.", "content": _BINARY},
                "206": {"description": "The range asked for.", "content": _BINARY},
                "304": {"description": "Not changed."},
                "404": _failure("1004: no such file, or, with Retry-After, not made yet", 1004),
                "412": {"description": "It is not the version asked for."},
                "416": {"description": "The range lies outside the file."},
            }
            | _ALWAYS,
        }
    },
    "/uploads/{upload_id}": {
        "put": {
            "operationId": "files.upload",
            "tags": ["files"],
            "summary": "Send a file to the `upload_url` of an upload configuration.",
            "security": [],
            "parameters": [_id("upload_id", "upl"), *_SIGNATURE],
            "requestBody": {"required": True, "content": _BINARY},
            "responses": {
                "200": {
                    "description": "Received; register it as an attachment.",
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["code", "message", "data"],
                                "properties": {
                                    "code": {"const": 0},
                                    "message": {"const": "success"},
                                    "data": {
                                        "type": "object",
                                        "required": ["file_size", "file_hash"],
                                        "additionalProperties": False,
                                        "properties": {
                                            "file_size": {"type": "integer", "description": "Bytes received."},
                                            "file_hash": {"type": "string", "description": "Their SHA-256, in hex."},
                                        },
                                    },
                                },
                            }
                        }
                    },
                },
                "400": _failure("1001: it is empty; 1007: it is too large", 1001, 1007),
                "507": _failure("1000: storage is full", 1000),
            }
            | _ALWAYS,
        }
    },
}
