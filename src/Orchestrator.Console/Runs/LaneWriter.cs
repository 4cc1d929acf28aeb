using System.Text;
using Orchestrator.Console.Terminal;

namespace Orchestrator.Console.Runs;

/// <summary>
/// Writes what agents say, each in its lane: the name, a bar, and the text wrapped beside it. One agent has the floor and
/// is shown word by word; what others say meanwhile waits until the floor is free or they are done, and so do remarks in
/// their lanes, so that lanes never mix.
/// </summary>
internal sealed class LaneWriter
{
    private static readonly string[] Colours = ["aqua", "yellow", "lime", "fuchsia", "dodgerblue1", "orange1", "springgreen1", "hotpink"];

    private const int RemarkLines = 3;

    private readonly IInteraction _interaction;
    private readonly Dictionary<string, int> _lanes = [];
    private readonly Dictionary<string, StringBuilder> _waiting = [];
    private readonly List<(string Agent, string Text)> _remarks = [];
    private readonly int _nameWidth;
    private readonly int _textWidth;
    private readonly StreamWrap _text;
    private string? _floor;

    public LaneWriter(IInteraction interaction, IReadOnlyList<string> agents)
    {
        _interaction = interaction;
        _nameWidth = Math.Clamp(agents.Select(a => a.Length).DefaultIfEmpty(8).Max(), 6, 18);
        _textWidth = Math.Max(20, interaction.Width - _nameWidth - 4);
        _text = new StreamWrap(interaction, _textWidth, () => Bar(_floor!, named: false));
        foreach (var agent in agents)
        {
            _lanes[agent] = _lanes.Count;
        }
    }

    /// <summary>Whether the agent has said something that is not ended.</summary>
    public bool IsOpen(string agent) => _floor == agent || _waiting.ContainsKey(agent);

    /// <summary>Adds to what an agent is saying.</summary>
    public void Append(string agent, string text)
    {
        if (_floor is null)
        {
            Begin(agent);
        }
        else if (_floor != agent)
        {
            if (!_waiting.TryGetValue(agent, out var waiting))
            {
                _waiting[agent] = waiting = new StringBuilder();
            }

            waiting.Append(text);
            return;
        }

        _text.Append(text);
    }

    /// <summary>Ends what an agent was saying; who had the floor meanwhile goes on.</summary>
    public void End(string agent)
    {
        if (_floor == agent)
        {
            Break();
        }
        else if (_waiting.ContainsKey(agent))
        {
            Break();
            Begin(agent);
            Break();
        }
    }

    /// <summary>Ends the line that is being written, so that something else can be shown; whoever speaks next gets the floor.</summary>
    public void Break()
    {
        if (_floor is not null)
        {
            _text.End();
            _floor = null;
        }

        foreach (var (agent, text) in _remarks)
        {
            Write(agent, text);
        }

        _remarks.Clear();
    }

    /// <summary>Writes a remark of the framework in an agent's lane, e.g. a tool call.</summary>
    public void Remark(string agent, string text)
    {
        if (_floor is not null && _floor != agent)
        {
            _remarks.Add((agent, text));
            return;
        }

        Break();
        Write(agent, text);
    }

    private void Write(string agent, string text)
    {
        var lines = WordWrap.Hang(text.ReplaceLineEndings(" "), _textWidth, 0).Split('\n');
        foreach (var (number, line) in lines.Take(RemarkLines).Index())
        {
            var cut = line.Length > _textWidth || (number == RemarkLines - 1 && lines.Length > RemarkLines);
            Bar(agent, named: number == 0);
            _interaction.MarkupLine($"[grey]{(cut ? line[..Math.Min(line.Length, _textWidth - 1)] + "…" : line)}[/]");
        }
    }

    /// <summary>Gives an agent the floor, with what it has said before.</summary>
    private void Begin(string agent)
    {
        Bar(agent);
        _floor = agent;
        if (_waiting.Remove(agent, out var earlier))
        {
            Append(agent, earlier.ToString());
        }
    }

    private void Bar(string agent, bool named = true)
    {
        if (!_lanes.TryGetValue(agent, out var lane))
        {
            _lanes[agent] = lane = _lanes.Count;
        }

        var colour = Colours[lane % Colours.Length];
        var name = agent.Length > _nameWidth ? agent[.._nameWidth] : agent.PadRight(_nameWidth);
        var shown = named ? name : new string(' ', _nameWidth);
        _interaction.Markup(System.Runtime.CompilerServices.FormattableStringFactory.Create(
            $"[{colour}]{{0}}[/] [grey]│[/] ", shown));
    }
}
