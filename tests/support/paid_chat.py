"""The paid API in the shape of chat completions, as OpenAI's SDK and those that follow it speak."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from paid_rules import Answer


def prompt_of(body: bytes) -> str:
    """Return what the last message says."""
    content: str = json.loads(body)["messages"][-1]["content"]
    return content


def chat_of(answer: Answer, model: str) -> Answer:
    """Return an answer of ``/v1/complete`` as one of ``/v1/chat/completions``; a refusal has that shape already."""
    if answer.status != 200:
        return answer
    text = answer.body.decode().removeprefix("```json\n").removesuffix("\n```")
    told: dict[str, Any] = json.loads(text)
    sent, got = told["usage"]["input_tokens"], told["usage"]["output_tokens"]
    said = json.dumps({"reversed": told["text"]})
    content = f"```json\n{said}\n```" if answer.word == "broken" else said
    completion = {
        "id": told["id"],
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": content},
            }
        ],
        "usage": {"prompt_tokens": sent, "completion_tokens": got, "total_tokens": sent + got},
    }
    return replace(answer, body=json.dumps(completion).encode())
