#!/usr/bin/env python3
"""Renders chat templates by the reference implementation, for the tests to compare with.

Needs python3-jinja2 (3.1). The environment is the one of Hugging Face's apply_chat_template.

  reference.py golden            writes templates.json and expressions.json beside this file
  reference.py corpus DIR OUT    renders all *.jinja of DIR with all conversations, for measuring
"""
import datetime
import json
import pathlib
import sys

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.sandbox

HERE = pathlib.Path(__file__).parent
NOW = datetime.datetime(2024, 7, 26, 9, 5, 3)


class Generation(jinja2.ext.Extension):
    tags = {"generation"}

    def parse(self, parser):
        lineno = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(lineno)

    def _body(self, caller):
        return caller()


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def environment():
    env = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = lambda f: NOW.strftime(f)
    return env


def render(source, variables):
    try:
        # Variables go through JSON, so that no rendering can depend on objects shared between them.
        return {"expected": environment().from_string(source).render(**json.loads(json.dumps(variables)))}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def tool(name, description, properties, required):
    return {"type": "function", "function": {"name": name, "description": description, "parameters": {
        "type": "object", "properties": properties, "required": required}}}


TOOLS = [
    tool("get_weather", "Get the current weather.\nBe precise.", {
        "city": {"type": "string", "description": "The city's name, e.g. \"Zürich\""},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"], "default": "celsius"},
    }, ["city"]),
    tool("search", "Search documents", {
        "query": {"type": "string"},
        "limit": {"type": "integer", "minimum": 1, "maximum": 50},
        "filters": {"type": "array", "items": {"type": "object", "properties": {"field": {"type": "string"}, "value": {"type": ["string", "null"]}}}},
        "exact": {"type": "boolean"},
        "weight": {"type": "number"},
    }, ["query", "limit"]),
]


def call(name, arguments, id):
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def conversations():
    user = {"role": "user", "content": "What's the weather in Zürich? 🌦️"}
    system = {"role": "system", "content": "You are a \"helpful\" assistant.\nAnswer shortly."}
    weather = {"city": "Zürich", "unit": "celsius"}
    turns = [user, {"role": "assistant", "content": "It rains."}, {"role": "user", "content": "  And\ttomorrow? <b>&'\"\\ \n"}]
    one_call = {"role": "assistant", "content": "", "tool_calls": [call("get_weather", weather, "abcdef123")]}
    null_call = {"role": "assistant", "content": None, "tool_calls": [call("get_weather", weather, "abcdef123")]}
    text_call = {"role": "assistant", "content": "Let me look.", "tool_calls": [call("get_weather", json.dumps(weather), "abcdef123")]}
    nested = {"query": "a < b", "limit": 3, "filters": [{"field": "x", "value": None}], "exact": True, "weight": 0.5}
    two_calls = {"role": "assistant", "content": "", "tool_calls": [call("get_weather", weather, "abcdef123"), call("search", nested, "xyz987654")]}
    result = {"role": "tool", "name": "get_weather", "tool_call_id": "abcdef123", "content": "{\"rain\": true, \"°C\": 12.5}"}
    second = {"role": "tool", "name": "search", "tool_call_id": "xyz987654", "content": "nothing found"}
    answer = {"role": "assistant", "content": "It rains, 12.5 °C."}
    thought = {"role": "assistant", "content": "<think>\nHm, rain?\n</think>\n\nYes, it rains.", "reasoning_content": "Hm, rain?"}
    reasoned = {"role": "assistant", "content": "Yes, it rains.", "reasoning_content": "Hm, rain?", "thinking": "Hm, rain?"}
    parts = {"role": "user", "content": [{"type": "text", "text": "Look at this."}, {"type": "text", "text": "And that."}]}
    sets = {
        "user": [user],
        "system": [system, user],
        "turns": turns,
        "system_turns": [system, *turns],
        "ends_with_assistant": [user, answer],
        "call": [user, one_call],
        "call_null": [user, null_call, result],
        "call_text": [system, user, text_call, result, answer, {"role": "user", "content": "Thanks!"}],
        "calls": [user, two_calls, result, second],
        "calls_answered": [system, user, two_calls, result, second, answer],
        "thought": [user, thought, {"role": "user", "content": "Sure?"}],
        "reasoned": [user, reasoned, {"role": "user", "content": "Sure?"}],
        "reasoned_call": [user, {**reasoned, **{k: v for k, v in one_call.items() if k == "tool_calls"}}, result],
        "parts": [parts],
        "developer": [{"role": "developer", "content": "Be brief."}, user],
        "two_users": [user, {"role": "user", "content": "Hello?"}],
    }
    for name, messages in sets.items():
        for tools in ([None, TOOLS] if "call" in name or name in ("user", "system_turns") else [None]):
            for cue in (False, True):
                yield f"{name}{'+tools' if tools else ''}{'+cue' if cue else ''}", {
                    "messages": messages, "tools": tools, "documents": None, "add_generation_prompt": cue}
    yield "thinking_on", {"messages": [user], "tools": None, "documents": None, "add_generation_prompt": True, "enable_thinking": True}
    yield "thinking_off", {"messages": [user], "tools": None, "documents": None, "add_generation_prompt": True, "enable_thinking": False}


def cases(source):
    for name, variables in conversations():
        yield {"name": name, **render(source, {**variables, "bos_token": "<s>", "eos_token": "</s>"})}


def inputs():
    return {name: {**variables, "bos_token": "<s>", "eos_token": "</s>"} for name, variables in conversations()}


def golden():
    templates = {p.name: list(cases(p.read_text())) for p in sorted((HERE / "templates").glob("*.jinja"))}
    write(HERE / "templates.json", {"inputs": inputs(), "templates": templates})
    variables = json.loads((HERE / "variables.json").read_text())
    expressions = []
    for source in (HERE / "expressions.txt").read_text().split("\n"):
        if source and not source.startswith("##"):
            source = source.replace("⏎", "\n")
            expressions.append({"template": source, **render(source, variables)})
    write(HERE / "expressions.json", expressions)


def corpus(folder, out):
    templates = {p.name: {"source": p.read_bytes().decode("utf-8"), "cases": list(cases(p.read_bytes().decode("utf-8")))}
                 for p in sorted(pathlib.Path(folder).glob("*.jinja"))}
    write(pathlib.Path(out), {"inputs": inputs(), "templates": templates})


def write(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    if sys.argv[1:] == ["golden"]:
        golden()
    elif len(sys.argv) == 4 and sys.argv[1] == "corpus":
        corpus(sys.argv[2], sys.argv[3])
    else:
        sys.exit(__doc__)
