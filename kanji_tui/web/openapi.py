"""The service's description in OpenAPI 3.1."""

from typing import Any

from kanji_tui.web.requests import DEFAULT_TOP, MOST_BYTES, MOST_TOP


def describe(version: str) -> dict[str, Any]:
    """What GET /openapi.json answers."""
    recognise = {
        "summary": "Recognise one handwritten character",
        "parameters": [
            {
                "name": "top",
                "in": "query",
                "description": "how many candidates",
                "schema": {"type": "integer", "minimum": 1, "maximum": MOST_TOP, "default": DEFAULT_TOP},
            }
        ],
        "requestBody": {
            "required": True,
            "description": f"an image or strokes, at most {MOST_BYTES >> 20} MiB; ink may be dark or light",
            "content": {
                "image/png": {"schema": {"type": "string", "format": "binary"}},
                "image/jpeg": {"schema": {"type": "string", "format": "binary"}},
                "application/json": {"schema": _ref("Drawing")},
            },
        },
        "responses": {
            "200": _json("the candidates, most probable first", "Recognition"),
            "400": _json("the body is damaged or not as it must be", "Error"),
            "408": _json("the body did not arrive in time", "Error"),
            "413": _json("the body, the image or the drawing is too large", "Error"),
            "415": _json("the body is neither a PNG or JPEG image nor JSON", "Error"),
            "422": _json("nothing is written in the image, or the drawing is a single point", "Error"),
            "503": _json("the service has more work than it can do; ask again", "Error"),
        },
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "kanji-tui: Japanese handwritten character recognition", "version": version},
        "paths": {
            "/v1/recognise": {"post": recognise},
            "/v1/model": {"get": _get("The model that answers", "Model")},
            "/healthz": {"get": _get("Whether the service works, and what it did", "Health")},
        },
        "components": {"schemas": SCHEMAS},
    }


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _json(description: str, name: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": _ref(name)}}}


def _get(summary: str, name: str) -> dict[str, Any]:
    return {"summary": summary, "responses": {"200": _json(summary, name)}}


def _object(optional: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


TEXT, WHOLE = {"type": "string"}, {"type": "integer", "minimum": 0}
POINT = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
STROKE = {"type": "array", "items": POINT, "minItems": 1}
DIGEST = {"type": "string", "description": "SHA-256 of the model's file"}
SCHEMAS = {
    "Drawing": _object(
        strokes={
            "type": "array",
            "items": STROKE,
            "minItems": 1,
            "description": "in the order of writing; points (x, y), y downward, in any unit",
        }
    ),
    "Recognition": _object(
        candidates={"type": "array", "items": _ref("Candidate")}, model=_object(name=TEXT, digest=DIGEST)
    ),
    "Candidate": _object(
        ("lookalikes", "readings"),
        character=TEXT,
        jis={"type": "string", "description": "JIS X 0208 code, four hexadecimal digits"},
        probability={"type": "number", "minimum": 0, "maximum": 1},
        lookalikes={"type": "array", "items": TEXT, "description": "characters of the same shape"},
        readings={
            "type": "array",
            "items": TEXT,
            "description": "on-readings in katakana, kun-readings in hiragana; of a kana its romaji",
        },
    ),
    "Model": _object(
        name=TEXT,
        digest=DIGEST,
        network=TEXT,
        classes=WHOLE,
        characters={"type": "string", "description": "the character of each class, in their order"},
        image_size={"type": "integer", "minimum": 1, "description": "pixels a side"},
        dataset=TEXT,
        source=TEXT,
        license=TEXT,
    ),
    "Health": _object(status=TEXT, version=TEXT, answered=WHOLE, refused=WHOLE, working_on=WHOLE),
    "Error": _object(error=_object(message=TEXT, remedy=TEXT, code=WHOLE)),
}
