using System.Text.Json.Nodes;

namespace Orchestrator.Inference.Templates;

/// <summary>Finds out what a template does with tools, by letting it render some.</summary>
internal static class ToolProbe
{
    /// <summary>Whether tools, a call, its arguments and its result are all laid out.</summary>
    public static bool Passes(IChatTemplate template)
    {
        var tools = JsonNode.Parse(
            """[{"type":"function","function":{"name":"probe_tool","description":"d","parameters":{"type":"object","properties":{"probe_key":{"type":"string","description":"d"}},"required":["probe_key"]}}}]""")!.AsArray();
        var messages = JsonNode.Parse(
            """
            [{"role":"user","content":"q"},
             {"role":"assistant","content":"","tool_calls":[{"id":"probe1234","type":"function","function":{"name":"probe_call","arguments":{"probe_key":"probe_value"}}}]},
             {"role":"tool","tool_call_id":"probe1234","name":"probe_call","content":"probe_result"}]
            """)!.AsArray();
        try
        {
            var text = template.Render(new ChatTemplateInput(messages, tools));
            return new[] { "probe_tool", "probe_call", "probe_value", "probe_result" }.All(w => text.Contains(w, StringComparison.Ordinal));
        }
        catch (ChatTemplateException)
        {
            return false;
        }
    }
}
