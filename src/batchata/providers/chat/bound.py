"""How many tokens a chat can have at most, where nobody counts them. Pure."""

from __future__ import annotations

import math
import unicodedata

import orjson

from batchata.types import Document, JsonObject, Request, TokenCount

_TEMPLATE_TOKENS = 256
"""What a chat template may put around a conversation, a default system prompt included."""

_PATCH_PX = 14
_LEAST_IMAGE_TOKENS = 8_192
"""More than the tiles that any open model known to us makes of a small picture."""


def most_tokens(request: Request, body: JsonObject) -> TokenCount:
    """Of a request with this body: no token is shorter than a byte, an image has at most one for each patch of it.

    Some tokenizers write characters out before they count (NFKC), so it is the longer of the two that counts.
    """
    images = [document for document in request.documents if document.kind.is_image]
    written = orjson.dumps(body)
    longest = max(len(written), len(unicodedata.normalize("NFKC", written.decode()).encode()))
    sent = longest - sum((len(image.data) + 2) // 3 * 4 for image in images)
    return TokenCount(_TEMPLATE_TOKENS + sent + sum(map(_image_tokens, images)), exact=False)


def _image_tokens(image: Document) -> int:
    width, height = image.size_px or (0, 0)
    return max(_LEAST_IMAGE_TOKENS, math.ceil(width / _PATCH_PX) * math.ceil(height / _PATCH_PX))
