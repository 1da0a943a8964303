# SPDX-License-Identifier: Apache-2.0
"""OpenAI's client for Python, unchanged, against the server at the address in argv; python.test.mjs runs it."""

import sys

import openai

client = openai.OpenAI(base_url=sys.argv[1] + "/v1", api_key="none", max_retries=0)
messages = [{"role": "user", "content": "Count to three."}]


def refused(kind, call):
    try:
        call()
    except kind as error:
        return error
    raise AssertionError("accepted")


# Chat: whole, streamed, several choices, the stream helper.
whole = client.chat.completions.create(model="any", messages=messages, n=2, seed=3, max_tokens=8)
assert [choice.index for choice in whole.choices] == [0, 1]
with client.chat.completions.stream(model="any", messages=messages, n=2, seed=3, max_tokens=8) as stream:
    for event in stream:
        pass
    final = stream.current_completion_snapshot  # get_final_completion() takes an answer that was cut for an error
assert [c.message.content for c in final.choices] == [c.message.content for c in whole.choices]
lanes = {"lanes": {"count": 3, "select": "logprob"}}
voted = client.chat.completions.create(model="any", messages=messages, n=2, max_tokens=4, extra_body=lanes)
assert len(voted.choices) == 2 and len(voted.model_extra["groups"][1]["lanes"]) == 3

# Text: an array of prompts, echo with log-probabilities.
text = client.completions.create(model="any", prompt=["one two", "three"], max_tokens=3, logprobs=1, echo=True)
assert [choice.index for choice in text.choices] == [0, 1]
assert text.choices[0].logprobs.token_logprobs[0] is None
assert text.choices[0].text.startswith("one two") and text.choices[1].text.startswith("three")

# Responses: whole and through the client's own reader of events.
request = {"model": "any", "input": "Count to three.", "max_output_tokens": 8, "temperature": 0}
response = client.responses.create(**request)
assert response.status == "incomplete" and response.usage.output_tokens == 8
with client.responses.stream(**request) as stream:
    events = list(stream)
assert events[0].type == "response.created" and events[-1].type == "response.incomplete"
assert events[-1].response.output_text == response.output_text
word = response.output_text.split()[2]
with client.responses.stream(**request, extra_body={"stop": word}) as stream:
    stream.until_done()
    final = stream.get_final_response()  # wants response.completed
assert final.status == "completed" and response.output_text.startswith(final.output_text)

# Errors by their classes.
assert refused(openai.BadRequestError, lambda: client.responses.create(**request, previous_response_id="r")).param == "previous_response_id"
refused(openai.BadRequestError, lambda: client.chat.completions.create(model="any", messages=messages, modalities=["text", "audio"]))
refused(openai.NotFoundError, lambda: client.responses.retrieve("resp_1"))
refused(openai.InternalServerError, lambda: client.embeddings.create(model="any", input="x"))
assert client.models.retrieve(client.models.list().data[0].id).object == "model"
raw = client.chat.completions.with_raw_response.create(model="any", messages=messages, max_tokens=1, extra_body={"temprature": 1})
assert raw.headers["lanerope-unknown-fields"] == "temprature"
print("ok")
